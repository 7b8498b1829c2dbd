/** The log as reads see it: its ends, its entries, and what decides which of them a reader may have. */
import type { RelayStatus } from '../../rules/relay.ts'
import type { Position } from '../contract/log.ts'
import type { EntrySource, LogQueries, Membership } from '../core/read/queries.ts'
import { lanes, type IntervalRecord, type Lane, type LogState } from '../core/records.ts'
import { entryColumns, entryJoins, metaOfRows, metaSql, viewOfRow, type EntryRow } from './log-columns.ts'
import { Merge, type PositionSource } from './merge.ts'
import { collect, given, ifFound, positionsOf, type Flag, type PositionRow } from './rows.ts'
import { yields, type Statements } from './statements.ts'

interface MembershipRow {
  channel_key: number
  status: RelayStatus
  admin: Flag
  since_position: Position
  created_position: Position
  deleted_position: Position | null
  last_position: Position
}

interface NewsRow extends MembershipRow {
  next_message: Position | null
  next_event: Position | null
}

const membershipColumns = 'p.channel_key, p.status, p.admin, p.since_position, c.created_position, c.deleted_position, c.last_position'
const membershipTables = 'participations p join channels c on c.channel_key = p.channel_key'
const membership = `select ${membershipColumns} from ${membershipTables}`

/** `p` a member who may have been one before, too: the first of its intervals, or, if it came before a position, that. */
const startOf = `case when p.since_position <= ? then ? else max(?, min(p.since_position, coalesce((
  select i.from_position from intervals i where i.user_key = p.user_key and i.channel_key = p.channel_key order by i.from_position limit 1
), p.since_position)) - 1) end`

const nextInLane = (lane: Lane): string => `select position from entries
  where channel_key = n.channel_key and lane = ${lane} and position > n.start order by position limit 1`

interface IntervalRow {
  user_key: number
  channel_key: number
  from_position: Position
  until_position: Position | null
  status: RelayStatus
  admin: Flag
}

export const logSql = {
  meta: metaSql,
  head: yields<Pick<LogState, 'position' | 'tag'>>('select position, tag from entries where position > 0 order by position desc limit 1'),
  tagAt: yields<Pick<LogState, 'tag'>>('select tag from entries where position = ?'),
  memberships: yields<MembershipRow>(`${membership} where p.user_key = ? and p.status is not null and p.closed_position is null`),
  membership: yields<MembershipRow>(`${membership} where p.channel_key = ? and p.user_key = ? and p.status is not null`),
  news: yields<NewsRow>(`select n.*, (${nextInLane(lanes.message)}) as next_message, (${nextInLane(lanes.event)}) as next_event from (
    select ${membershipColumns}, ${startOf} as start from ${membershipTables}
    where p.user_key = ? and p.status is not null and p.closed_position is null and c.last_position > ?
  ) n`),
  newestAbout: yields<PositionRow>('select position from entries where about_key = ? order by position desc limit 1'),
  closings: yields<PositionRow>(`select closed_position as position from participations
    where user_key = ? and closed_position > ? order by closed_position limit ?`),
  intervals: yields<IntervalRow>(`select user_key, channel_key, from_position, until_position, status, admin from intervals
    where user_key = ? and channel_key = ? and from_position <= ? and from_position >= coalesce((select from_position from intervals
      where user_key = ? and channel_key = ? and from_position <= ? order by from_position desc limit 1), 0) order by from_position limit ?`),
  channelByKey: yields<Pick<MembershipRow, 'channel_key' | 'created_position' | 'deleted_position'>>(`
    select channel_key, created_position, deleted_position from channels where channel_key = ?`),
  tail: yields<EntryRow>(`select ${entryColumns}, e.members from entries e ${entryJoins} where e.position > ? order by e.position limit ?`),
  entriesAfter: yields<EntryRow>(`select ${entryColumns} from entries e ${entryJoins} where e.position > ? order by e.position limit ?`),
  entryAt: yields<EntryRow>(`select ${entryColumns} from entries e ${entryJoins} where e.position = ?`),
  positionsInLane: yields<PositionRow>(`select position from entries
    where channel_key = ? and lane = ? and position > ? and position <= ? order by position limit ?`),
  positionsAbout: yields<PositionRow>('select position from entries where about_key = ? and position > ? order by position limit ?'),
  positionsAboutIn: yields<PositionRow>(`select position from entries
    where about_key = ? and channel_key = ? and position > ? order by position limit ?`)
}

export function logQueries (sql: Statements<typeof logSql>): LogQueries {
  return {
    ends () {
      const { epoch, floor, removedPosition } = metaOfRows(sql.meta.all())
      const head = sql.head.get()
      return { epoch, ...(head !== undefined && head.position >= floor.position ? head : floor), floor, removedPosition }
    },
    tagAt: position => sql.tagAt.get(position)?.tag,

    memberships (userKey, channelKey) {
      const rows = channelKey === undefined ? sql.memberships.all(userKey) : sql.membership.all(channelKey, userKey)
      return rows.map(membershipOfRow)
    },
    news: (userKey, after) => sql.news.all(after, after, after, userKey, after).flatMap(row => {
      const next = Math.min(row.next_message ?? Infinity, row.next_event ?? Infinity)
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
  const { channelKey, from, upTo } = source
  const inLane = (lane: Lane): PositionSource => ({
    read: (after, limit) => positionsOf(sql.positionsInLane.all(channelKey, lane, Math.max(after, from - 1), upTo, limit))
  })
  return [inLane(lanes.message), inLane(lanes.event)]
}

/** What is about a user, in one channel or in all. */
function positionsAbout (sql: Statements<typeof logSql>, userKey: number, channelKey: number | undefined): PositionSource {
  return {
    read: (after, limit) => positionsOf(channelKey === undefined
      ? sql.positionsAbout.all(userKey, after, limit)
      : sql.positionsAboutIn.all(userKey, channelKey, after, limit))
  }
}

const sizeOfEntry = ({ body, members }: EntryRow): number => bytesOf(body) + bytesOf(members)

const bytesOf = (text: string | null | undefined): number => text === null || text === undefined ? 0 : Buffer.byteLength(text)

function membershipOfRow (row: MembershipRow): Membership {
  return {
    channelKey: row.channel_key,
    status: row.status,
    admin: row.admin === 1,
    sincePosition: row.since_position,
    createdPosition: row.created_position,
    ...given('deletedPosition', row.deleted_position),
    lastPosition: row.last_position
  }
}

function intervalOfRow (row: IntervalRow): IntervalRecord {
  return {
    userKey: row.user_key,
    channelKey: row.channel_key,
    fromPosition: row.from_position,
    ...given('untilPosition', row.until_position),
    status: row.status,
    admin: row.admin === 1
  }
}
