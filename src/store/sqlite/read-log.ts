/** The log as reads see it: its ends, its entries, and what decides which of them a reader may have. */
import type { AccessLists } from '../../rules/access.ts'
import type { Position } from '../contract/log.ts'
import type { EntrySource, LogQueries } from '../core/read/queries.ts'
import { lanes, type Lane } from '../core/records.ts'
import { classNumbers } from '../sql/audience-classes.ts'
import { metaOfRows, viewOfRow } from '../sql/log-columns.ts'
import { intervalOfRow, logTexts, membershipOfRow, nextOfRow, sizeOfEntry } from '../sql/log-texts.ts'
import { collect, given, ifFound, parsed, positionsOf } from '../sql/rows.ts'
import { sqliteDialect } from './dialect.ts'
import { Merge, type PositionSource } from './merge.ts'
import type { Statements } from './statements.ts'

export const logSql = logTexts(sqliteDialect)

export function logQueries (sql: Statements<typeof logSql>): LogQueries {
  return {
    ends () {
      const { epoch, floor, removedPosition } = metaOfRows(sql.meta.all())
      const head = sql.head.get()
      return { epoch, ...(head !== undefined && head.position >= floor.position ? head : floor), floor, removedPosition }
    },
    tagAt: position => sql.tagAt.get(position)?.tag,

    memberships: userKey => sql.memberships.all(userKey).map(row => ({ ...membershipOfRow(row), status: row.status! })),
    membership: (userKey, channelKey) => ifFound(sql.membership.get(userKey, channelKey), membershipOfRow),
    listedChannelsLeft: (userKey, after) =>
      [...new Map([sql.listedChannelsLeft, sql.listedChannelsClosed].flatMap(statement => statement.all(after, userKey, after, after)).filter(({ next }) => next !== null).map(nextOfRow)).values()],
    endedChannelsNaming: (userKey, after) => sql.endedChannelsNaming.all(after, userKey, after, after).map(row => nextOfRow(row)[1]),
    listsChangedAfter: (position, limit) => sql.listsChangedAfter.all(position, limit).map(row => row.channel_key),
    listsOf: (channelKey, after, upTo, limit) => sql.listsOf.all(channelKey, upTo, channelKey, after, limit).map(row => ({
      fromPosition: row.from_position, ...parsed<'lists', AccessLists>('lists', row.acls)
    })),
    channelsNaming: userKey => sql.channelsNaming.all(userKey).map(row => row.channel_key),
    news: (userKey, after) => sql.news.all(after, after, after, userKey, after).flatMap(row => {
      const next = Math.min(row.next_message ?? Infinity, row.next_event ?? Infinity, row.next_listed ?? Infinity)
      return next === Infinity ? [] : [{ ...membershipOfRow(row), next }]
    }),
    newestAbout: userKey => sql.newestAbout.get(userKey)?.position ?? 0,
    intervals: (userKey, channelKey, after, upTo, limit) => sql.intervals.all(userKey, channelKey, upTo, userKey, channelKey, after, limit).map(intervalOfRow),
    channelByKey: channelKey => ifFound(sql.channelByKey.get(channelKey), row => ({
      createdPosition: row.created_position, ...given('deletedPosition', row.deleted_position)
    })),

    tail: (after, bounds) => collect(sql.tail.iterate(after, bounds.rows + 1), bounds, viewOfRow, sizeOfEntry),
    entriesAfter: (after, bounds) => collect(sql.entriesAfter.iterate(after, bounds.rows + 1), bounds, viewOfRow, sizeOfEntry),
    entriesOf (sources, after, upTo, bounds) {
      const positions = sources.map(source => positionsIn(sql, source))
      const merge = new Merge(positions.flat(), after)
      const found = collect(merge.upTo(upTo).map(position => sql.entryAt.get(position)!), bounds, viewOfRow, sizeOfEntry)
      const { next } = merge
      return { ...found, next: positions.map(({ length }) => leastOf(next.splice(0, length))) }
    }
  }
}

function leastOf (positions: Array<Position | undefined>): Position | undefined {
  const there = positions.filter(position => position !== undefined)
  return there.length === 0 ? undefined : Math.min(...there)
}

/** A channel's messages and its other events lie in two lanes: what has nothing to deliver is not looked at. */
function positionsIn (sql: Statements<typeof logSql>, source: EntrySource): PositionSource[] {
  if ('position' in source) return [{ read: after => source.position > after ? [source.position] : [] }]
  if ('closedKey' in source) return [{ read: (after, limit) => positionsOf(sql.closings.all(source.closedKey, after, limit)) }]
  if ('aboutKey' in source) return [positionsAbout(sql, source.aboutKey, source.channelKey)]
  if ('namedKey' in source) return positionsNaming(sql, source.namedKey, source.channelKey)
  if ('endsOf' in source) {
    const { endsOf: channelKey, naming: userKey } = source
    return [
      { read: (after, limit) => positionsOf(sql.truncationsNaming.all(channelKey, after, userKey, limit)) },
      { read: after => positionsOf(sql.deletionNaming.all(channelKey, after, userKey)) }
    ]
  }
  if ('listsOf' in source) return [{ read: (after, limit) => positionsOf(sql.positionsOfLists.all(source.listsOf, after, limit)) }]
  if ('class' in source) return [positionsFor(sql, source.channelKey, source.class, 0)]
  const { channelKey, from, upTo } = source
  const inLane = (lane: Lane): PositionSource => ({
    read: (after, limit) => positionsOf(sql.positionsInLane.all(channelKey, lane, Math.max(after, from - 1), upTo, limit))
  })
  return [inLane(lanes.message), inLane(lanes.event), ...(source.listed === true ? [inLane(lanes.listed)] : [])]
}

const positionsFor = (sql: Statements<typeof logSql>, channelKey: number, name: keyof typeof classNumbers, userKey: number): PositionSource => ({
  read: (after, limit) => positionsOf(sql.positionsFor.all(channelKey, classNumbers[name], userKey, after, limit))
})

/** Of messages that name a user, and of what is about them. */
function positionsNaming (sql: Statements<typeof logSql>, userKey: number, channelKey: number | undefined): PositionSource[] {
  if (channelKey !== undefined) return [positionsFor(sql, channelKey, 'named', userKey), positionsFor(sql, channelKey, 'about', userKey)]
  return [{ read: (after, limit) => positionsOf(sql.positionsNaming.all(userKey, after, limit)) }]
}

/** What is about a user, in one channel or in all. */
function positionsAbout (sql: Statements<typeof logSql>, userKey: number, channelKey: number | undefined): PositionSource {
  return {
    read: (after, limit) => positionsOf(channelKey === undefined
      ? sql.positionsAbout.all(userKey, after, limit)
      : sql.positionsAboutIn.all(userKey, channelKey, after, limit))
  }
}
