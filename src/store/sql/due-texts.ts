/** What is due in the background (core/chores.ts). */
import type { Position } from '../contract/log.ts'
import type { ExpiredEntry } from '../core/chores.ts'
import { lanes, type EntryRecord, type Lane } from '../core/records.ts'
import { channelColumns, userColumns, type ChannelRow, type UserRow } from './columns.ts'
import { yields, type Dialect } from './dialect.ts'
import { isThere } from './log-columns.ts'
import { given, type Flag, type PositionRow } from './rows.ts'

/** How much there is to take away, without reading it. */
export interface SizedRow extends PositionRow {
  bytes: number
}

/** Of an entry `e`. */
export const size = 'coalesce(octet_length(e.body), 0) as bytes'
export const sizeOf = ({ bytes }: SizedRow): number => bytes

export const remainsSql = {
  editsOf: yields<SizedRow>(`select e.position, ${size} from entries e
    where message_position = ? and kind = 'message-updated' and lane = ${lanes.event} order by position limit ?`),
  eventsOfMessage: yields<SizedRow>(`select e.position, ${size} from entries e
    where message_position = ? and kind = 'message-timeline' and position <= ? order by position limit ?`)
}

/** An entry below the floor, and what has become of the message that it is about. */
export interface ExpiredRow extends SizedRow, Pick<EntryRecord, 'kind'> {
  original_lane: Lane | null
  newest_edit: Position | null
  listed: Flag
}

export const dueTexts = ({ elements }: Dialect) => ({
  leavingUser: yields<UserRow>(`select ${userColumns} from users where leaving = 1 and user_key > 0 limit 1`),
  channelsToLeave: yields<{ channel_id: string }>(`select c.channel_id from participations p join channels c on c.channel_key = p.channel_key
    where p.user_key = ? and p.status is not null and p.closed_position is null and c.deleted_position is null
      and c.ruleset in (select value from ${elements('?')} rulesets) order by p.channel_key limit ?`),
  closingChannels: yields<ChannelRow>(`select ${channelColumns} from channels c
    where c.closing = 1 and c.channel_key > 0 order by c.channel_key limit ?`),
  membersToClose: yields<{ user_key: number }>(`select user_key from participations
    where channel_key = ? and status is not null and closed_position is null order by user_key limit ?`),
  erasingChannel: yields<ChannelRow>(`select ${channelColumns} from channels c
    where c.erasing = 1 and c.channel_key > 0 order by c.channel_key limit 1`),
  messagesToErase: yields<SizedRow>(`select e.position, ${size} from entries e
    where channel_key = ? and lane = ${lanes.message} and position <= ? order by position limit ?`),
  listedToErase: yields<SizedRow>(`select e.position, ${size} from entries e
    where channel_key = ? and lane = ${lanes.listed} and position <= ? order by position limit ?`),
  erasedMessages: yields<PositionRow>(`select position from entries where lane = ${lanes.erased} and position > 0 order by position limit ?`),
  ...remainsSql,
  repliesBefore: yields<{ actor: string, key: string }>('select actor, key from replies where at < ? limit ?'),
  noncesBefore: yields<{ nonce: string }>('select nonce from nonces where at < ? limit ?'),
  tokensEndedBefore: yields<{ token_id: string }>('select token_id from tokens where expires_at is not null and expires_at < ? limit ?'),
  agesAfter: yields<{ position: Position, tag: number, at: number }>('select position, tag, at from entries where position > ? order by position limit ?'),
  entriesToRemove: yields<ExpiredRow>(`select e.position, ${size}, e.kind, original.lane as original_lane, original.edit_position as newest_edit,
      cast(c.listed_counts is not null as integer) as listed
    from entries e left join entries original on original.position = e.message_position left join channels c on c.channel_key = e.channel_key
    where e.position > ? and e.position <= ? order by e.position limit ?`),
  endedInterval: yields<object>('select 1 from intervals where until_position is not null and until_position <= ? limit 1'),
  channelToRemove: yields<{ channel_key: number }>(`select channel_key from channels
    where deleted_position is not null and deleted_position <= ? and erasing = 0 and closing = 0 order by deleted_position limit 1`),
  membersOf: yields<{ user_key: number }>('select user_key from participations where channel_key = ? limit ?'),
  hasLists: yields<object>(`select 1 where exists (select 1 from audiences where channel_key = ?)
    or exists (select 1 from named_channels where channel_key = ?) or exists (select 1 from channel_acls where channel_key = ?)
    or exists (select 1 from entries where channel_key = ? and kind = 'message' and acls is not null)`),
  eventsOf: yields<SizedRow>(`select e.position, ${size} from entries e where channel_key = ? and lane = ${lanes.event} and position <= ? order by position limit ?`)
})

/** @returns what has become of it */
export function expiredOfRow (row: ExpiredRow): ExpiredEntry {
  return {
    position: row.position,
    kind: row.kind,
    ...(row.original_lane === null ? {} : { messagePresent: isThere(row.original_lane) }),
    ...given('newestEdit', row.newest_edit),
    listed: row.listed === 1
  }
}
