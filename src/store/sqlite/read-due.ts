/** What is due in the background (core/chores.ts). */
import type { Position } from '../contract/log.ts'
import type { DueQueries, ErasedRemains, PageBounds } from '../core/read/queries.ts'
import { channelOfRow, userOfRow } from '../sql/columns.ts'
import { dueTexts, expiredOfRow, sizeOf, type SizedRow } from '../sql/due-texts.ts'
import { collect, ifFound } from '../sql/rows.ts'
import { sqliteDialect } from './dialect.ts'
import { remainsOf } from './remains.ts'
import type { Statements } from './statements.ts'

export const dueSql = dueTexts(sqliteDialect)

export function dueQueries (sql: Statements<typeof dueSql>): DueQueries {
  return {
    leavingUser: () => ifFound(sql.leavingUser.get(), userOfRow),
    channelsToLeave: (userKey, rulesets, limit) => sql.channelsToLeave.all(userKey, JSON.stringify(rulesets), limit).map(row => row.channel_id),
    closingChannels: limit => sql.closingChannels.all(limit).map(channelOfRow),
    membersToClose: (channelKey, limit) => sql.membersToClose.all(channelKey, limit).map(row => row.user_key),
    erasingChannel: () => ifFound(sql.erasingChannel.get(), channelOfRow),
    messagesToErase (channelKey, upTo, bounds) {
      const found = positionsWithin(sql.messagesToErase.iterate(channelKey, upTo, bounds.rows + 1), bounds)
      return found.length > 0 ? found : positionsWithin(sql.listedToErase.iterate(channelKey, upTo, bounds.rows + 1), bounds)
    },
    erasedRemains (upTo, { rows, bytes }) {
      const remains: ErasedRemains = { edits: [], events: [], messages: [] }
      const left = { rows, bytes }
      for (const { position } of sql.erasedMessages.all(rows)) {
        if (left.rows <= 0 || left.bytes <= 0) break
        const found = remainsOf(sql, position, upTo, left)
        remains.edits.push(...found.edits)
        remains.events.push(...found.events)
        if (found.more) break
        remains.messages.push(position)
        left.rows -= 1 + found.edits.length + found.events.length
        left.bytes -= found.bytes
      }
      return remains
    },
    repliesBefore: (at, limit) => sql.repliesBefore.all(at, limit).map(({ actor, key }) => `${actor} ${key}`),
    noncesBefore: (at, limit) => sql.noncesBefore.all(at, limit).map(row => row.nonce),
    tokensEndedBefore: (at, limit) => sql.tokensEndedBefore.all(at, limit).map(row => row.token_id),

    agesAfter: (position, limit) => sql.agesAfter.all(position, limit),
    entriesToRemove: (after, upTo, bounds) => collect(sql.entriesToRemove.iterate(after, upTo, bounds.rows + 1), bounds, expiredOfRow, sizeOf),
    hasIntervalsEndedBy: position => sql.endedInterval.get(position) !== undefined,
    channelToRemove: deletedBy => sql.channelToRemove.get(deletedBy)?.channel_key,
    membersOf: (channelKey, limit) => sql.membersOf.all(channelKey, limit).map(row => row.user_key),
    hasLists: channelKey => sql.hasLists.get(channelKey, channelKey, channelKey, channelKey) !== undefined,
    eventsOf: (channelKey, upTo, bounds) => positionsWithin(sql.eventsOf.iterate(channelKey, upTo, bounds.rows + 1), bounds)
  }
}

const positionsWithin = (found: IterableIterator<SizedRow>, bounds: PageBounds): Position[] => collect(found, bounds, ({ position }) => position, sizeOf).rows
