/** What there is now, and lists of it: users, tokens, channels, members, messages, timeline events. */
import type { RelayStatus, Ruleset } from '../../rules/relay.ts'
import type { Position } from '../contract/log.ts'
import type { Lane } from '../core/records.ts'
import {
  channelColumns, channelDetailsColumns, channelDetailsJoin, memberColumns, tokenColumns, userColumns, type ChannelDetailsRow, type ChannelRow, type MemberRow,
  type TokenRow, type UserRow
} from './columns.ts'
import { yields, type Dialect } from './dialect.ts'
import { eventColumns, eventJoin, messageDetailsColumns, messageDetailsJoins, thereSql, type EventRow, type MessageDetailsRow } from './log-columns.ts'
import type { Flag, PositionRow } from './rows.ts'

/** A channel that a user is in. */
export type ChannelOfUserRow = ChannelDetailsRow & { participation_id: string, status: RelayStatus, admin: Flag }
const listedOfUser = `
  p.status is not null and p.closed_position is null
  and c.deleted_position is null and (? = 1 or c.system_channel = 0) and (? = '' or c.ruleset = ?)
`
/** Where a message was found; `listed`: it has lists. */
export interface FoundRow extends PositionRow {
  lane: Lane
  listed: Flag
}

const event = `select ${eventColumns} from entries e ${eventJoin}`

export function entityTexts (dialect: Dialect) {
  const { greatest, elements, screenName } = dialect
  const channelDetails = `select ${channelDetailsColumns(dialect)} from channels c ${channelDetailsJoin}`
  const channelOfUser = `
    select ${channelDetailsColumns(dialect)}, p.participation_id, p.status, p.admin
    from participations p join channels c on c.channel_key = p.channel_key ${channelDetailsJoin}
  `
  const message = `select ${messageDetailsColumns(dialect)} from entries e ${messageDetailsJoins}`

  return {
    user: yields<UserRow>(`select ${userColumns} from users where user_id = ?`),
    usersBefore: yields<UserRow>(`select ${userColumns} from users
      where user_key < ? and user_key > 0 and deleted_at is null order by user_key desc limit ? offset ?`),
    usersAfter: yields<UserRow>(`select ${userColumns} from users where user_key > ? and deleted_at is null order by user_key limit ? offset ?`),
    total: yields<{ value: number }>('select value from counters where name = ?'),
    token: yields<TokenRow & { user_id: string, user_deleted: Flag }>(`
      select ${tokenColumns}, u.user_id, cast(u.deleted_at is not null as integer) as user_deleted from tokens t
      join users u on u.user_key = t.user_key where t.token_id = ?`),
    tokens: yields<TokenRow>(`select ${tokenColumns} from tokens t where t.user_key = ? and t.revoked_at is null and (t.created_at, t.token_id) > (?, ?)
      order by t.created_at, t.token_id limit ?`),
    channel: yields<ChannelRow>(`select ${channelColumns} from channels c where c.channel_id = ? and c.deleted_position is null`),
    channelDetails: yields<ChannelDetailsRow>(`${channelDetails} where c.channel_id = ? and c.deleted_position is null`),
    channelsBefore: yields<ChannelDetailsRow>(`${channelDetails}
      where c.channel_key < ? and c.deleted_position is null order by c.channel_key desc limit ? offset ?`),
    channelsAfter: yields<ChannelDetailsRow>(`${channelDetails}
      where c.channel_key > ? and c.deleted_position is null order by c.channel_key limit ? offset ?`),
    listedChannelsBefore: yields<ChannelDetailsRow>(`${channelDetails}
      where c.channel_key < ? and c.deleted_position is null and c.system_channel = 0 order by c.channel_key desc limit ? offset ?`),
    listedChannelsAfter: yields<ChannelDetailsRow>(`${channelDetails}
      where c.channel_key > ? and c.deleted_position is null and c.system_channel = 0 order by c.channel_key limit ? offset ?`),
    channelsOfBefore: yields<ChannelOfUserRow>(`${channelOfUser}
      where p.user_key = ? and p.channel_key < ? and ${listedOfUser} order by p.channel_key desc limit ? offset ?`),
    channelsOfAfter: yields<ChannelOfUserRow>(`${channelOfUser}
      where p.user_key = ? and p.channel_key > ? and ${listedOfUser} order by p.channel_key limit ? offset ?`),
    membershipCounts: yields<{ ruleset: Ruleset, count: number }>('select ruleset, count from memberships where user_key = ?'),
    closingMemberships: yields<{ count: number }>(`
      select count(*) as count from participations p join channels c on c.channel_key = p.channel_key
      where p.user_key = ? and p.channel_key between (select min(channel_key) from channels where closing = 1)
        and (select max(channel_key) from channels where closing = 1)
        and p.status is not null and p.closed_position is null
        and c.closing = 1 and (? = 1 or c.system_channel = 0) and (? = '' or c.ruleset = ?)`),
    member: yields<MemberRow>(`select ${memberColumns} from users u cross join channels c
      join participations p on p.channel_key = c.channel_key and p.user_key = u.user_key
      where u.user_id = ? and c.channel_id = ? and c.deleted_position is null`),
    participants: yields<MemberRow & Pick<UserRow, 'deleted_at'> & { screen_name: string | null }>(`
      select ${memberColumns}, ${screenName} as screen_name, u.deleted_at
      from participations p join users u on u.user_key = p.user_key
      where p.channel_key = ? and p.status = ? and (p.since_position, p.user_key) > (?, ?)
      order by p.since_position, p.user_key limit ?`),
    message: yields<MessageDetailsRow>(`${message}
      where e.message_id = ? and e.kind = 'message' and ${thereSql('e.lane')} and e.position > c.truncated_position and c.deleted_position is null`),
    messageEntry: yields<{ position: Position, channel_key: number, acls: string | null }>(`
      select position, channel_key, acls from entries where message_id = ? and kind = 'message'`),
    messagesBefore: yields<MessageDetailsRow>(`${message}
      where e.channel_key = ? and e.lane = 0 and e.position < ? and e.position > ? order by e.position desc limit ? offset ?`),
    messagesAfter: yields<MessageDetailsRow>(`${message}
      where e.channel_key = ? and e.lane = 0 and e.position > ${greatest('?', '?')} order by e.position limit ? offset ?`),
    messageAt: yields<MessageDetailsRow>(`${message} where e.position = ?`),
    application: yields<{ value: string }>('select value from meta where name = \'application_acls\''),
    goneAmong: yields<{ user_id: string }>(`select named.value as user_id from ${elements('?')} named where (select deleted_at from users where user_id = named.value) is not null`),
    messagesInLaneBefore: yields<FoundRow>(`select position, lane, cast(acls is not null as integer) as listed from entries
      where channel_key = ? and lane = ? and position < ? and position > ? order by position desc limit ?`),
    messagesInLaneAfter: yields<FoundRow>(`select position, lane, cast(acls is not null as integer) as listed from entries
      where channel_key = ? and lane = ? and position > ${greatest('?', '?')} order by position limit ?`),
    messagesForBefore: yields<FoundRow>(`select e.position, e.lane, 1 as listed from audiences a join entries e on e.position = a.position
      where a.channel_key = ? and a.class = ? and a.user_key = ? and a.position < ? and a.position > ? order by a.position desc limit ?`),
    messagesForAfter: yields<FoundRow>(`select e.position, e.lane, 1 as listed from audiences a join entries e on e.position = a.position
      where a.channel_key = ? and a.class = ? and a.user_key = ? and a.position > ${greatest('?', '?')} order by a.position limit ?`),
    listsAt: yields<{ acls: string | null }>('select acls from entries where position = ?'),
    channelEvents: yields<EventRow>(`${event}
      where e.channel_key = ? and e.kind = 'channel-timeline' and e.position > ? order by e.position limit ?`),
    channelEventsOfType: yields<PositionRow>(`select position from entries
      where channel_key = ? and kind = 'channel-timeline' and timeline_type = ? and position > ? order by position limit ?`),
    messageEvents: yields<EventRow>(`${event}
      where e.message_position = ? and e.kind = 'message-timeline' and e.position > ? order by e.position limit ?`),
    messageEventsOfType: yields<PositionRow>(`select position from entries
      where message_position = ? and kind = 'message-timeline' and timeline_type = ? and position > ? order by position limit ?`),
    eventAt: yields<EventRow>(`${event} where e.position = ?`),
    eventEntry: yields<{ position: Position, channel_key: number | null, message_position: Position | null }>(`
      select position, channel_key, message_position from entries where event_id = ?`)
  }
}
