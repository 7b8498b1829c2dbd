/**
 * Every statement of the embedded store that only reads. test/store/query-plans.test.ts reads the plan of each
 * and fails where one scans a table that grows: the cost of a read does not depend on how much there is.
 */
import { metaSql } from './database.ts'
import { channelColumns, entryColumns, entryJoins, goneAmong, memberColumns, messageColumns, tokenColumns, userColumns } from './columns.ts'

const creationColumns = `creation.events as creation_events, ${goneAmong('creation.subjects')} as creation_gone`
const creationJoin = 'left join channel_creations creation on creation.channel_key = c.channel_key'

const shownColumns = `
  ${messageColumns}, c.channel_id, coalesce(edit.body, e.body) as content, edit.at as edited_at,
  ${goneAmong('e.subjects')} as gone
`
const shownJoins = `
  join channels c on c.channel_key = e.channel_key
  left join users sender on sender.user_key = e.sender_key
  left join entries edit on edit.position = e.edit_position
`
const channelOfUser = `
  select ${channelColumns}, ${creationColumns}, p.participation_id, p.status
  from participations p join channels c on c.channel_key = p.channel_key ${creationJoin}
`
const listedOfUser = `
  p.status is not null and p.closed_position is null
  and c.deleted_position is null and (? or c.system_channel = 0) and (? = '' or c.ruleset = ?)
`
const membership = `
  select p.channel_key, p.status, p.admin, p.since_position, c.created_position, c.deleted_position, c.last_position
  from participations p join channels c on c.channel_key = p.channel_key
`
const participants = `
  select ${memberColumns}, u.user_id, u.profile, u.deleted_at
  from participations p join users u on u.user_key = p.user_key
`
const events = `
  select e.position, e.body, subject.deleted_at is not null as gone
  from entries e left join users subject on subject.user_key = e.sender_key
`

export const readSql = {
  meta: metaSql,
  head: 'select position, tag from entries where position > 0 order by position desc limit 1',
  tagAt: 'select tag from entries where position = ?',
  user: `select ${userColumns} from users where user_id = ?`,
  usersBefore: `select ${userColumns} from users where user_key < ? and user_key > 0 and deleted_at is null order by user_key desc limit ? offset ?`,
  usersAfter: `select ${userColumns} from users where user_key > ? and deleted_at is null order by user_key limit ? offset ?`,
  total: 'select value from counters where name = ?',
  token: `select ${tokenColumns}, u.user_id, u.deleted_at is not null as user_deleted from tokens t
    join users u on u.user_key = t.user_key where t.token_id = ?`,
  tokens: `select ${tokenColumns} from tokens t where t.user_key = ? and t.revoked_at is null and (t.created_at, t.token_id) > (?, ?)
    order by t.created_at, t.token_id limit ?`,
  channel: `select ${channelColumns} from channels c where c.channel_id = ? and c.deleted_position is null`,
  channelDetails: `select ${channelColumns}, ${creationColumns} from channels c ${creationJoin}
    where c.channel_id = ? and c.deleted_position is null`,
  channelsBefore: `select ${channelColumns}, ${creationColumns} from channels c ${creationJoin}
    where c.channel_key < ? and c.deleted_position is null order by c.channel_key desc limit ? offset ?`,
  channelsAfter: `select ${channelColumns}, ${creationColumns} from channels c ${creationJoin}
    where c.channel_key > ? and c.deleted_position is null order by c.channel_key limit ? offset ?`,
  listedChannelsBefore: `select ${channelColumns}, ${creationColumns} from channels c ${creationJoin}
    where c.channel_key < ? and c.deleted_position is null and c.system_channel = 0 order by c.channel_key desc limit ? offset ?`,
  listedChannelsAfter: `select ${channelColumns}, ${creationColumns} from channels c ${creationJoin}
    where c.channel_key > ? and c.deleted_position is null and c.system_channel = 0 order by c.channel_key limit ? offset ?`,
  channelsOfBefore: `${channelOfUser} where p.user_key = ? and p.channel_key < ? and ${listedOfUser} order by p.channel_key desc limit ? offset ?`,
  channelsOfAfter: `${channelOfUser} where p.user_key = ? and p.channel_key > ? and ${listedOfUser} order by p.channel_key limit ? offset ?`,
  membershipCounts: 'select ruleset, count from memberships where user_key = ?',
  channelsClosing: 'select channel_key, ruleset from channels where closing = 1 and channel_key > 0',
  isClosing: `select 1 from participations
    where channel_key = ? and user_key = ? and status is not null and closed_position is null`,
  member: `select ${memberColumns}, u.user_id from users u cross join channels c
    join participations p on p.channel_key = c.channel_key and p.user_key = u.user_key
    where u.user_id = ? and c.channel_id = ? and c.deleted_position is null`,
  participants: `${participants} where p.channel_key = ? and p.status = ? and (p.since_position, p.user_key) > (?, ?)
    order by p.since_position, p.user_key limit ?`,
  message: `select ${shownColumns} from entries e ${shownJoins}
    where e.message_id = ? and e.kind = 'message' and e.lane = 0 and e.position > c.truncated_position and c.deleted_position is null`,
  messagesBefore: `select ${shownColumns} from entries e ${shownJoins}
    where e.channel_key = ? and e.lane = 0 and e.position < ? and e.position > ? order by e.position desc limit ? offset ?`,
  messagesAfter: `select ${shownColumns} from entries e ${shownJoins}
    where e.channel_key = ? and e.lane = 0 and e.position > max(?, ?) order by e.position limit ? offset ?`,
  channelEvents: `${events} where e.channel_key = ? and e.kind = 'channel-timeline' and e.position > ? order by e.position limit ?`,
  channelEventsOfType: `${events} where e.channel_key = ? and e.kind = 'channel-timeline' and e.timeline_type = ? and e.position > ?
    order by e.position limit ?`,
  messageEvents: `${events} where e.message_position = ? and e.kind = 'message-timeline' and e.position > ? order by e.position limit ?`,
  messageEventsOfType: `${events} where e.message_position = ? and e.kind = 'message-timeline' and e.timeline_type = ? and e.position > ?
    order by e.position limit ?`,
  eventEntry: 'select position, channel_key, message_position from entries where event_id = ?',

  memberships: `${membership} where p.user_key = ? and p.status is not null and p.closed_position is null`,
  membership: `${membership} where p.channel_key = ? and p.user_key = ? and p.status is not null`,
  closings: 'select closed_position as position from participations where user_key = ? and closed_position > ?',
  intervals: `select user_key, channel_key, from_position, until_position, status, admin from intervals
    where user_key = ? and channel_key = ? and from_position <= ? order by from_position`,
  channelByKey: 'select channel_key, created_position, deleted_position from channels where channel_key = ?',
  entriesAfter: `select ${entryColumns} from entries e ${entryJoins} where e.position > ? order by e.position limit ?`,
  entryAt: `select ${entryColumns} from entries e ${entryJoins} where e.position = ?`,
  positionsInLane: `select position from entries
    where channel_key = ? and lane = ? and position > ? and position <= ? order by position limit ?`,
  positionsAbout: 'select position from entries where about_key = ? and position > ? order by position limit ?',
  positionsAboutIn: 'select position from entries where about_key = ? and channel_key = ? and position > ? order by position limit ?',

  leavingUser: `select ${userColumns} from users where leaving = 1 and user_key > 0 limit 1`,
  channelsToLeave: `select c.channel_id from participations p join channels c on c.channel_key = p.channel_key
    where p.user_key = ? and p.status is not null and p.closed_position is null and c.deleted_position is null
      and c.ruleset in (select value from json_each(?)) order by p.channel_key limit ?`,
  closingChannel: `select ${channelColumns} from channels c where c.closing = 1 and c.channel_key > 0 order by c.channel_key limit 1`,
  membersToClose: `select user_key from participations
    where channel_key = ? and status is not null and closed_position is null limit ?`,
  erasingChannel: `select ${channelColumns} from channels c where c.erasing = 1 and c.channel_key > 0 order by c.channel_key limit 1`,
  messagesToErase: 'select position from entries where channel_key = ? and lane = 0 and position <= ? order by position limit ?',
  repliesBefore: 'select actor, key from idempotency where at < ? limit ?',
  noncesBefore: 'select nonce from nonces where at < ? limit ?',
  tokensEndedBefore: 'select token_id from tokens where expires_at is not null and expires_at < ? limit ?',
  atPosition: 'select at from entries where position = ?',
  entriesToRemove: `select e.position, e.kind, original.lane as original_lane, original.edit_position as newest_edit
    from entries e left join entries original on original.position = e.message_position
    where e.position > ? and e.position <= ? order by e.position limit ?`,
  endedInterval: 'select 1 from intervals where until_position is not null and until_position <= ? limit 1',
  channelToRemove: `select channel_key from channels
    where deleted_position is not null and deleted_position <= ? and erasing = 0 and closing = 0 order by deleted_position limit 1`,
  membersOf: 'select user_key from participations where channel_key = ? limit ?',
  eventsOf: 'select position from entries where channel_key = ? and lane = 1 and position <= ? order by position limit ?'
}
