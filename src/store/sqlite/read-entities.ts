/** What there is now, and lists of it: users, tokens, channels, members, messages, timeline events. */
import type { AccessLists } from '../../rules/access.ts'
import type { RelayStatus, Ruleset } from '../../rules/relay.ts'
import type { Position } from '../contract/log.ts'
import { sizeOfEvent, type EntityQueries, type ListedMessage, type PageBounds, type Rows, type StoredEvent } from '../core/read/queries.ts'
import { lanes, type ApplicationRecord, type Lane } from '../core/records.ts'
import { classNumbers } from './audience-classes.ts'
import {
  channelColumns, channelDetailsColumns, channelDetailsJoin, channelDetailsOfRow, channelOfRow, memberColumns, memberOfRow, tokenColumns, tokenOfRow,
  userColumns, userOfRow, type ChannelDetailsRow, type ChannelRow, type MemberRow, type TokenRow, type UserRow
} from './columns.ts'
import {
  eventColumns, eventJoin, eventOfRow, isThere, messageDetailsColumns, messageDetailsJoins, messageDetailsOfRow, thereSql, type EventRow, type MessageDetailsRow
} from './log-columns.ts'
import { Merge } from './merge.ts'
import { collect, given, ifFound, parsed, positionsOf, type Flag, type PositionRow } from './rows.ts'
import { yields, type Reading, type Statements } from './statements.ts'

const channelDetails = `select ${channelDetailsColumns} from channels c ${channelDetailsJoin}`

type ChannelOfUserRow = ChannelDetailsRow & { participation_id: string, status: RelayStatus, admin: Flag }
const channelOfUser = `
  select ${channelDetailsColumns}, p.participation_id, p.status, p.admin
  from participations p join channels c on c.channel_key = p.channel_key ${channelDetailsJoin}
`
const listedOfUser = `
  p.status is not null and p.closed_position is null
  and c.deleted_position is null and (? or c.system_channel = 0) and (? = '' or c.ruleset = ?)
`
/** Where a message was found; `listed`: it has lists. */
interface FoundRow extends PositionRow {
  lane: Lane
  listed: Flag
}

const message = `select ${messageDetailsColumns} from entries e ${messageDetailsJoins}`
const event = `select ${eventColumns} from entries e ${eventJoin}`

export const entitySql = {
  user: yields<UserRow>(`select ${userColumns} from users where user_id = ?`),
  usersBefore: yields<UserRow>(`select ${userColumns} from users
    where user_key < ? and user_key > 0 and deleted_at is null order by user_key desc limit ? offset ?`),
  usersAfter: yields<UserRow>(`select ${userColumns} from users where user_key > ? and deleted_at is null order by user_key limit ? offset ?`),
  total: yields<{ value: number }>('select value from counters where name = ?'),
  token: yields<TokenRow & { user_id: string, user_deleted: Flag }>(`
    select ${tokenColumns}, u.user_id, u.deleted_at is not null as user_deleted from tokens t
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
      and c.closing = 1 and (? or c.system_channel = 0) and (? = '' or c.ruleset = ?)`),
  member: yields<MemberRow>(`select ${memberColumns} from users u cross join channels c
    join participations p on p.channel_key = c.channel_key and p.user_key = u.user_key
    where u.user_id = ? and c.channel_id = ? and c.deleted_position is null`),
  participants: yields<MemberRow & Pick<UserRow, 'deleted_at'> & { screen_name: string | null }>(`
    select ${memberColumns}, json_extract(u.profile, '$.screenName') as screen_name, u.deleted_at
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
    where e.channel_key = ? and e.lane = 0 and e.position > max(?, ?) order by e.position limit ? offset ?`),
  messageAt: yields<MessageDetailsRow>(`${message} where e.position = ?`),
  application: yields<{ value: string }>('select value from meta where name = \'application_acls\''),
  goneAmong: yields<{ user_id: string }>('select u.user_id from json_each(?) named join users u on u.user_id = named.value where u.deleted_at is not null'),
  messagesInLaneBefore: yields<FoundRow>(`select position, lane, acls is not null as listed from entries
    where channel_key = ? and lane = ? and position < ? and position > ? order by position desc limit ?`),
  messagesInLaneAfter: yields<FoundRow>(`select position, lane, acls is not null as listed from entries
    where channel_key = ? and lane = ? and position > max(?, ?) order by position limit ?`),
  messagesForBefore: yields<FoundRow>(`select e.position, e.lane, 1 as listed from audiences a join entries e on e.position = a.position
    where a.channel_key = ? and a.class = ? and a.user_key = ? and a.position < ? and a.position > ? order by a.position desc limit ?`),
  messagesForAfter: yields<FoundRow>(`select e.position, e.lane, 1 as listed from audiences a join entries e on e.position = a.position
    where a.channel_key = ? and a.class = ? and a.user_key = ? and a.position > max(?, ?) order by a.position limit ?`),
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

export function entityQueries (sql: Statements<typeof entitySql>): EntityQueries {
  /** Of a timeline, by its key: all of them, or those of several types, merged. */
  const events = (
    [all, ofType]: [Reading<EventRow>, Reading<PositionRow>], key: number, after: Position, types: string[] | undefined, bounds: PageBounds
  ): Rows<StoredEvent> => {
    if (types === undefined) return collect(all.iterate(key, after, bounds.rows + 1), bounds, eventOfRow, sizeOfEvent)
    const merge = new Merge(types.map(type => ({ read: (from, limit) => positionsOf(ofType.all(key, type, from, limit)) })), after)
    return collect(merge.upTo(Infinity).map(position => sql.eventAt.get(position)!), bounds, eventOfRow, sizeOfEvent)
  }

  return {
    user: userId => ifFound(sql.user.get(userId), userOfRow),
    users (slice, bounds, offset) {
      const rows = 'after' in slice
        ? sql.usersAfter.iterate(slice.after, bounds.rows + 1, offset)
        : sql.usersBefore.iterate(slice.before, bounds.rows + 1, offset)
      return collect(rows, bounds, userOfRow, sizeOfUser)
    },
    total: name => sql.total.get(name)!.value,

    lineage (tokenId, limit) {
      const found: ReturnType<EntityQueries['lineage']> = []
      for (let id: string | undefined = tokenId; id !== undefined && found.length < limit; id = found.at(-1)!.parentId) {
        const row = sql.token.get(id)
        if (row === undefined) break
        found.push({ ...tokenOfRow(row), userId: row.user_id, userDeleted: row.user_deleted === 1 })
      }
      return found
    },
    token: tokenId => ifFound(sql.token.get(tokenId), tokenOfRow),
    tokens: (userKey, { createdAt, tokenId }, limit) => sql.tokens.all(userKey, createdAt, tokenId, limit).map(tokenOfRow),

    channel: channelId => ifFound(sql.channel.get(channelId), channelOfRow),
    channelDetails: channelId => ifFound(sql.channelDetails.get(channelId), channelDetailsOfRow),
    channels (slice, includeSystemChannels, bounds, offset) {
      const [before, after] = includeSystemChannels ? [sql.channelsBefore, sql.channelsAfter] : [sql.listedChannelsBefore, sql.listedChannelsAfter]
      const rows = 'after' in slice ? after.iterate(slice.after, bounds.rows + 1, offset) : before.iterate(slice.before, bounds.rows + 1, offset)
      return collect(rows, bounds, channelDetailsOfRow, sizeOfChannel)
    },
    channelsOf (userKey, slice, { includeSystemChannels, ruleset = '' }, bounds, offset) {
      const rest = [Number(includeSystemChannels), ruleset, ruleset, bounds.rows + 1, offset]
      const rows = 'after' in slice
        ? sql.channelsOfAfter.iterate(userKey, slice.after, ...rest)
        : sql.channelsOfBefore.iterate(userKey, slice.before, ...rest)
      return collect(rows, bounds, row => ({ ...channelDetailsOfRow(row), participationId: row.participation_id, status: row.status, admin: row.admin === 1 }), sizeOfChannel)
    },

    membershipCounts: userKey => sql.membershipCounts.all(userKey),
    /** By the user's own rows, between the first and the last channel that is closing: mostly there is none. */
    closingMemberships: (userKey, { includeSystemChannels, ruleset = '' }) =>
      sql.closingMemberships.get(userKey, Number(includeSystemChannels), ruleset, ruleset)!.count,
    member: (channelId, userId) => ifFound(sql.member.get(userId, channelId), memberOfRow),
    participants (channelKey, status, { sincePosition, userKey }, limit) {
      return sql.participants.all(channelKey, status, sincePosition, userKey, limit).map(row => ({
        member: memberOfRow(row),
        user: { userId: row.user_id, ...given('screenName', row.screen_name), ...given('deletedAt', row.deleted_at) }
      }))
    },

    message: messageId => ifFound(sql.message.get(messageId), messageDetailsOfRow),
    messageEntry: messageId => ifFound(sql.messageEntry.get(messageId), row => ({
      position: row.position, channelKey: row.channel_key, ...parsed<'acls', AccessLists>('acls', row.acls)
    })),
    messages (channelKey, slice, truncatedPosition, bounds, offset) {
      const rows = 'after' in slice
        ? sql.messagesAfter.iterate(channelKey, slice.after, truncatedPosition, bounds.rows + 1, offset)
        : sql.messagesBefore.iterate(channelKey, slice.before, truncatedPosition, bounds.rows + 1, offset)
      return collect(rows, bounds, messageDetailsOfRow, sizeOfMessage)
    },

    listedMessages (channelKey, seeker, slice, above, bounds) {
      const forward = 'after' in slice
      const from = forward ? slice.after : slice.before
      const limit = bounds.rows + 1
      const inLane = (lane: Lane) => (forward ? sql.messagesInLaneAfter : sql.messagesInLaneBefore).all(channelKey, lane, from, above, limit)
      const addressed = (name: keyof typeof classNumbers, userKey: number) =>
        (forward ? sql.messagesForAfter : sql.messagesForBefore).all(channelKey, classNumbers[name], userKey, from, above, limit)
      const found = seeker === 'application'
        ? [...inLane(lanes.message), ...inLane(lanes.listed)]
        : [...inLane(lanes.message), ...addressed('named', seeker.userKey), ...seeker.classes.flatMap(name => addressed(name, 0))]
      const rows = [...new Map(found.map(row => [row.position, row])).values()]
        .sort((one, other) => forward ? one.position - other.position : other.position - one.position)
      return collect(rows.values(), bounds, ({ position, lane, listed }): ListedMessage => {
        const acls = listed === 1 && seeker !== 'application' ? sql.listsAt.get(position)!.acls : null
        return { position, present: isThere(lane), ...parsed<'acls', AccessLists>('acls', acls), bytes: acls?.length ?? 0 }
      }, (_row, { bytes }) => bytes)
    },
    messagesAt: (positions, bounds) =>
      collect(positions.map(position => sql.messageAt.get(position)).filter(row => row !== undefined).values(), bounds, messageDetailsOfRow, sizeOfMessage),

    application: () => ifFound(sql.application.get(), ({ value }) => JSON.parse(value) as ApplicationRecord),
    goneAmong: userIds => sql.goneAmong.all(JSON.stringify(userIds)).map(row => row.user_id),

    channelEvents: (channelKey, after, types, bounds) => events([sql.channelEvents, sql.channelEventsOfType], channelKey, after, types, bounds),
    messageEvents: (position, after, types, bounds) => events([sql.messageEvents, sql.messageEventsOfType], position, after, types, bounds),
    eventEntry: eventId => ifFound(sql.eventEntry.get(eventId), row => ({
      position: row.position, ...given('channelKey', row.channel_key), ...given('messagePosition', row.message_position)
    }))
  }
}

/** What goes around a text in an answer, in bytes, about: ids, references, times. */
const AROUND_BYTES = 1024

const sizeOfChannel = (row: ChannelDetailsRow): number => AROUND_BYTES + (row.creation_events === null ? 0 : Buffer.byteLength(row.creation_events))

const sizeOfUser = (row: UserRow): number => AROUND_BYTES + Buffer.byteLength(row.profile)

const sizeOfMessage = (row: MessageDetailsRow): number => AROUND_BYTES + Buffer.byteLength(row.content) + (row.acls?.length ?? 0)
