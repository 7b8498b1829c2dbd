/** The log as reads see it: its ends, its entries, and what decides which of them a reader may have. */
import type { AccessLists } from '../../rules/access.ts'
import type { RelayStatus } from '../../rules/relay.ts'
import type { Position } from '../contract/log.ts'
import type { Membership } from '../core/read/queries.ts'
import { lanes, type IntervalRecord, type Lane, type LogState } from '../core/records.ts'
import { classNumbers } from './audience-classes.ts'
import { yields, type Dialect } from './dialect.ts'
import { entryColumns, entryJoins, metaSql, type EntryRow } from './log-columns.ts'
import { given, parsed, type Flag, type PositionRow } from './rows.ts'

export interface MembershipRow {
  channel_key: number
  status: RelayStatus | null
  admin: Flag | null
  since_position: Position | null
  created_position: Position
  deleted_position: Position | null
  last_position: Position
  listed: Flag
  acls: string | null
  acls_position: Position | null
}

export interface NewsRow extends MembershipRow {
  next_message: Position | null
  next_event: Position | null
  next_listed: Position | null
}

const membershipColumns = `c.channel_key, p.status, p.admin, p.since_position, c.created_position, c.deleted_position, c.last_position,
  cast(c.listed_counts is not null as integer) as listed, c.acls, c.acls_position`
const membershipTables = 'participations p join channels c on c.channel_key = p.channel_key'
const membership = `select ${membershipColumns} from ${membershipTables}`

const nextInLane = (lane: Lane): string => `select position from entries
  where channel_key = n.channel_key and lane = ${lane} and position > n.start order by position limit 1`

export interface NextRow {
  channel_key: number
  /** Null: one that was made with lists, and given no others. */
  next: Position | null
}

/** `c` a channel: the first change of its lists after a position. */
const nextOfLists = `select e.position from entries e
  where e.channel_key = c.channel_key and e.kind = 'channel-acls-changed' and e.position > ? order by e.position limit 1`

/** `e` of a channel: whether one of its messages between two positions has named a user. `offset` keeps PostgreSQL from making a join of it, which reads all that have. */
function namedBetween (from: string, to: string): string {
  return `exists (select 1 from audiences a where a.channel_key = e.channel_key and a.class = ${classNumbers.named} and a.user_key = ?
    and a.position > coalesce(${from}, 0) and a.position < ${to} limit 1 offset 0)`
}

export interface ListsRow {
  from_position: Position
  acls: string | null
}

export interface IntervalRow {
  user_key: number
  channel_key: number
  from_position: Position
  until_position: Position | null
  status: RelayStatus
  admin: Flag
}

export function logTexts (dialect: Dialect) {
  const { greatest, least } = dialect
  const entry = `select ${entryColumns(dialect)} from entries e ${entryJoins}`
  /** `p` a member who may have been one before, too: the first of its intervals, or, if it came before a position, that. */
  const startOf = `case when p.since_position <= ? then ? else ${greatest('?', `${least('p.since_position', `coalesce((
    select i.from_position from intervals i where i.user_key = p.user_key and i.channel_key = p.channel_key order by i.from_position limit 1
  ), p.since_position)`)} - 1`)} end`

  return {
    meta: metaSql,
    head: yields<Pick<LogState, 'position' | 'tag'>>('select position, tag from entries where position > 0 order by position desc limit 1'),
    tagAt: yields<Pick<LogState, 'tag'>>('select tag from entries where position = ?'),
    memberships: yields<MembershipRow>(`${membership} where p.user_key = ? and p.status is not null and p.closed_position is null`),
    membership: yields<MembershipRow>(`select ${membershipColumns} from channels c
      left join participations p on p.channel_key = c.channel_key and p.user_key = ? and p.status is not null where c.channel_key = ?`),
    news: yields<NewsRow>(`select n.*, (${nextInLane(lanes.message)}) as next_message, (${nextInLane(lanes.event)}) as next_event,
        case when n.listed = 1 then (${nextInLane(lanes.listed)}) end as next_listed from (
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
    listedChannelsLeft: yields<NextRow>(`select c.channel_key, (${nextOfLists}) as next from intervals i join channels c on c.channel_key = i.channel_key
      where i.user_key = ? and i.until_position > ? and c.acls_position > ?`),
    listedChannelsClosed: yields<NextRow>(`select c.channel_key, (${nextOfLists}) as next from participations p join channels c on c.channel_key = p.channel_key
      where p.user_key = ? and p.closed_position > ? and c.acls_position > ?`),
    listsOf: yields<ListsRow>(`select from_position, acls from channel_acls
      where channel_key = ? and from_position <= ? and from_position >= coalesce((select from_position from channel_acls
        where channel_key = ? and from_position <= ? order by from_position desc limit 1), 0) order by from_position limit ?`),
    channelsNaming: yields<{ channel_key: number }>(`select n.channel_key from named_channels n join channels c on c.channel_key = n.channel_key
      where n.user_key = ? and c.deleted_position is null and exists (select 1 from audiences a
        where a.channel_key = n.channel_key and a.class = ${classNumbers.named} and a.user_key = n.user_key and a.position > c.truncated_position)`),
    positionsFor: yields<PositionRow>(`select position from audiences
      where channel_key = ? and class = ? and user_key = ? and position > ? order by position limit ?`),
    positionsNaming: yields<PositionRow>('select position from audiences where user_key = ? and user_key > 0 and position > ? order by position limit ?'),
    listsChangedAfter: yields<{ channel_key: number }>('select channel_key from entries where kind = \'channel-acls-changed\' and position > ? order by position limit ?'),
    endedChannelsNaming: yields<NextRow>(`select n.channel_key, coalesce((select e.position from entries e
        where e.channel_key = n.channel_key and e.kind = 'messages-truncated' and e.position > ? order by e.position limit 1), c.deleted_position) as next
      from named_channels n join channels c on c.channel_key = n.channel_key
      where n.user_key = ? and (c.truncated_position > ? or c.deleted_position > ?)`),
    truncationsNaming: yields<PositionRow>(`select e.position from entries e
      where e.channel_key = ? and e.kind = 'messages-truncated' and e.position > ? and ${namedBetween(`(select t.position from entries t
        where t.channel_key = e.channel_key and t.kind = 'messages-truncated' and t.position < e.position order by t.position desc limit 1)`, 'e.position')}
      order by e.position limit ?`),
    deletionNaming: yields<PositionRow>(`select e.deleted_position as position from channels e
      where e.channel_key = ? and e.deleted_position > ? and ${namedBetween('e.truncated_position', 'e.deleted_position')}`),
    positionsOfLists: yields<PositionRow>(`select position from entries
      where channel_key = ? and kind = 'channel-acls-changed' and position > ? order by position limit ?`),
    tail: yields<EntryRow>(`select ${entryColumns(dialect)}, e.members from entries e ${entryJoins} where e.position > ? order by e.position limit ?`),
    entriesAfter: yields<EntryRow>(`${entry} where e.position > ? order by e.position limit ?`),
    entryAt: yields<EntryRow>(`${entry} where e.position = ?`),
    positionsInLane: yields<PositionRow>(`select position from entries
      where channel_key = ? and lane = ? and position > ? and position <= ? order by position limit ?`),
    positionsAbout: yields<PositionRow>('select position from entries where about_key = ? and position > ? order by position limit ?'),
    positionsAboutIn: yields<PositionRow>(`select position from entries
      where about_key = ? and channel_key = ? and position > ? order by position limit ?`)
  }
}

/** A channel, and where its turn comes. */
export const nextOfRow = ({ channel_key: channelKey, next }: NextRow): [number, { channelKey: number, next: Position }] => [channelKey, { channelKey, next: next! }]

/** What an entry takes in a page, in bytes: it may be long. */
export const sizeOfEntry = ({ body, members, change, acls_then: then, acls_now: now }: EntryRow): number =>
  [body, members, change, then, now].reduce((sum, text) => sum + bytesOf(text), 0)

const bytesOf = (text: string | null | undefined): number => text === null || text === undefined ? 0 : Buffer.byteLength(text)

export function membershipOfRow (row: MembershipRow): Membership {
  return {
    channelKey: row.channel_key,
    ...given('status', row.status),
    admin: row.admin === 1,
    sincePosition: row.since_position ?? 0,
    createdPosition: row.created_position,
    ...given('deletedPosition', row.deleted_position),
    lastPosition: row.last_position,
    listed: row.listed === 1,
    ...parsed<'lists', AccessLists>('lists', row.acls),
    ...given('listsPosition', row.acls_position)
  }
}

export function intervalOfRow (row: IntervalRow): IntervalRecord {
  return {
    userKey: row.user_key,
    channelKey: row.channel_key,
    fromPosition: row.from_position,
    ...given('untilPosition', row.until_position),
    status: row.status,
    admin: row.admin === 1
  }
}
