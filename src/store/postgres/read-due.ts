/** What is due in the background (core/chores.ts). */
import type { Position } from '../contract/log.ts'
import type { AsyncQueries, DueQueries, ErasedRemains, PageBounds } from '../core/read/queries.ts'
import { channelOfRow, userOfRow } from '../sql/columns.ts'
import type { Sql } from '../sql/dialect.ts'
import { dueTexts, expiredOfRow, sizeOf, type SizedRow } from '../sql/due-texts.ts'
import { remainsOf } from '../sql/remains.ts'
import { collect, ifFound } from '../sql/rows.ts'
import { numbered, postgresDialect } from './dialect.ts'
import type { Parameter } from './parameters.ts'
import type { Run } from './read.ts'

export const dueSql = numbered(dueTexts(postgresDialect))

export function dueQueries (run: Run): Pick<AsyncQueries, keyof DueQueries> {
  const first = async <Row>(sql: Sql<Row>, ...parameters: Parameter[]): Promise<Row | undefined> => (await run(sql, ...parameters))[0]

  return {
    leavingUser: async () => ifFound(await first(dueSql.leavingUser), userOfRow),
    channelsToLeave: async (userKey, rulesets, limit) => (await run(dueSql.channelsToLeave, userKey, JSON.stringify(rulesets), limit)).map(row => row.channel_id),
    closingChannels: async limit => (await run(dueSql.closingChannels, limit)).map(channelOfRow),
    membersToClose: async (channelKey, limit) => (await run(dueSql.membersToClose, channelKey, limit)).map(row => row.user_key),
    erasingChannel: async () => ifFound(await first(dueSql.erasingChannel), channelOfRow),
    async messagesToErase (channelKey, upTo, bounds) {
      const found = positionsWithin(await run(dueSql.messagesToErase, channelKey, upTo, bounds.rows + 1), bounds)
      return found.length > 0 ? found : positionsWithin(await run(dueSql.listedToErase, channelKey, upTo, bounds.rows + 1), bounds)
    },
    async erasedRemains (upTo, { rows, bytes }) {
      const remains: ErasedRemains = { edits: [], events: [], messages: [] }
      const left = { rows, bytes }
      const erased = await run(dueSql.erasedMessages, rows)
      const found = await Promise.all(erased.map(async ({ position }) => {
        const [edits, events] = await Promise.all([run(dueSql.editsOf, position, rows + 1), run(dueSql.eventsOfMessage, position, upTo, rows + 1)])
        return { position, edits, events }
      }))
      for (const { position, edits, events } of found) {
        if (left.rows <= 0 || left.bytes <= 0) break
        const of = remainsOf(edits.values(), within => events.slice(0, within).values(), left)
        remains.edits.push(...of.edits)
        remains.events.push(...of.events)
        if (of.more) break
        remains.messages.push(position)
        left.rows -= 1 + of.edits.length + of.events.length
        left.bytes -= of.bytes
      }
      return remains
    },
    repliesBefore: async (at, limit) => (await run(dueSql.repliesBefore, at, limit)).map(({ actor, key }) => `${actor} ${key}`),
    noncesBefore: async (at, limit) => (await run(dueSql.noncesBefore, at, limit)).map(row => row.nonce),
    tokensEndedBefore: async (at, limit) => (await run(dueSql.tokensEndedBefore, at, limit)).map(row => row.token_id),

    agesAfter: async (position, limit) => await run(dueSql.agesAfter, position, limit),
    entriesToRemove: async (after, upTo, bounds) => collect((await run(dueSql.entriesToRemove, after, upTo, bounds.rows + 1)).values(), bounds, expiredOfRow, sizeOf),
    hasIntervalsEndedBy: async position => await first(dueSql.endedInterval, position) !== undefined,
    channelToRemove: async deletedBy => (await first(dueSql.channelToRemove, deletedBy))?.channel_key,
    membersOf: async (channelKey, limit) => (await run(dueSql.membersOf, channelKey, limit)).map(row => row.user_key),
    hasLists: async channelKey => await first(dueSql.hasLists, channelKey, channelKey, channelKey, channelKey) !== undefined,
    eventsOf: async (channelKey, upTo, bounds) => positionsWithin(await run(dueSql.eventsOf, channelKey, upTo, bounds.rows + 1), bounds)
  }
}

const positionsWithin = (found: SizedRow[], bounds: PageBounds): Position[] => collect(found.values(), bounds, ({ position }) => position, sizeOf).rows
