/**
 * Every statement of the embedded store. test/store/query-plans.test.ts reads the plan of each and fails
 * where one scans a table that grows: the cost of a command does not depend on how much there is.
 */

/** What a row needs to become an entry, an event, or a message (rows.ts). */
const entryColumns = `
  e.position, e.tag, e.at, e.kind, e.lane, e.channel_key, e.message_id, e.body, original.lane as original_lane,
  c.channel_id, c.truncated_position, c.deleted_position, e.message_position,
  sender.user_id as sender_id, sender.deleted_at as sender_deleted_at,
  about.user_id as about_id, original.at as original_at
`
const entryJoins = `
  left join channels c on c.channel_key = e.channel_key
  left join users sender on sender.user_key = e.sender_key
  left join users about on about.user_key = e.about_key
  left join entries original on original.position = e.message_position
`

const messageColumns = `
  e.position, e.at, e.message_id, e.body, c.channel_id,
  sender.user_id as sender_id, sender.deleted_at as sender_deleted_at,
  edit.at as edited_at, edit.body as edited_body
`
const messageJoins = `
  join channels c on c.channel_key = e.channel_key
  left join users sender on sender.user_key = e.sender_key
  left join entries edit on edit.position = e.edit_position
`

const channelColumns = `
  channel_key, channel_id, ruleset, group_type, system_channel, timeline_events, created_at, updated_at,
  created_position, truncated_position, admin_vacant, receiving_count, active_admin_count, message_count
`

const participationColumns = `
  u.user_id, u.deleted_at, u.profile, p.participation_id, p.status, p.held, p.admin, p.joined_at, p.created_at, p.updated_at
`

export const sharedSql = {
  meta: 'select value from meta where name = ?',
  head: 'select position, tag from entries where position > 0 order by position desc limit 1',
  tagAt: 'select tag from entries where position = ?',
  channelById: `select ${channelColumns} from channels where channel_id = ? and deleted_position is null`,
  userById: 'select user_key, user_id, profile, created_at, updated_at, deleted_at from users where user_id = ?',
  memberOf: `select ${participationColumns} from users u
    join participations p on p.channel_key = ? and p.user_key = u.user_key where u.user_id = ?`,
  entryAt: `select ${entryColumns} from entries e ${entryJoins} where e.position = ?`,
  messageAt: `select ${messageColumns} from entries e ${messageJoins} where e.position = ?`
}

export const writerSql = {
  ...sharedSql,
  putMeta: 'insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
  count: 'update counters set value = value + ? where name = ?',

  insertUser: 'insert into users (user_id, profile, created_at, updated_at) values (?, ?, ?, ?)',
  markUserDeleted: 'update users set deleted_at = ?, leaving = 1, profile = \'{}\' where user_key = ?',
  markUserGone: 'update users set leaving = 0 where user_key = ?',
  usersLeaving: 'select user_key, user_id from users where leaving = 1 and user_key > 0 limit 1',
  channelsToLeave: `select c.channel_id from participations p join channels c on c.channel_key = p.channel_key
    where p.user_key = ? and p.status is not null and p.closed_position is null and c.deleted_position is null
      and c.ruleset = 'io.mitter.ruleset.chats.GroupChat' order by p.channel_key limit ?`,

  insertToken: 'insert into tokens (token_id, user_key, parent_id, created_at, expires_at) values (?, ?, ?, ?, ?)',
  tokenOfUser: `select t.token_id from users u join tokens t on t.user_key = u.user_key
    where u.user_id = ? and t.token_id = ? and t.revoked_at is null`,
  revokeToken: 'update tokens set revoked_at = ? where token_id = ?',
  deleteExpiredTokens: `delete from tokens where token_id in
    (select token_id from tokens where expires_at is not null and expires_at < ? limit ?)`,

  insertChannel: `insert into channels (channel_id, shard, ruleset, group_type, system_channel, timeline_events,
    created_at, updated_at, created_position) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  markChannelDeleted: 'update channels set deleted_position = ?, erasing = 1, closing = 1, updated_at = ? where channel_key = ?',
  truncateChannel: `update channels set truncated_position = ?, erasing = 1, message_count = 0, updated_at = ?
    where channel_key = ?`,
  countMembers: `update channels set member_count = member_count + ?, receiving_count = receiving_count + ?,
    active_admin_count = active_admin_count + ?, admin_vacant = case when ? > 0 then 0 else admin_vacant end
    where channel_key = ?`,
  vacateAdmin: 'update channels set admin_vacant = 1 where channel_key = ?',
  countMessages: 'update channels set message_count = message_count + ?, last_position = ? where channel_key = ?',
  touchChannel: 'update channels set last_position = ? where channel_key = ?',

  longestActive: `select u.user_id, p.status, p.held, p.admin from participations p
    join users u on u.user_key = p.user_key
    where p.channel_key = ? and p.active_position is not null and p.user_key <> ?
    order by p.active_position limit 1`,
  putParticipation: `insert into participations (channel_key, user_key, participation_id, status, held, admin,
      joined_at, since_position, active_position, created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (channel_key, user_key) do update set participation_id = excluded.participation_id,
      status = excluded.status, held = excluded.held, admin = excluded.admin, joined_at = excluded.joined_at,
      since_position = excluded.since_position, active_position = excluded.active_position,
      created_at = excluded.created_at, updated_at = excluded.updated_at`,
  changeParticipation: `update participations set status = ?, held = ?, admin = ?, active_position = ?, updated_at = ?
    where channel_key = ? and user_key = ?`,
  activePosition: 'select active_position from participations where channel_key = ? and user_key = ?',
  leaveHeld: `update participations set status = null, held = ?, admin = 0, active_position = null, updated_at = ?
    where channel_key = ? and user_key = ?`,
  deleteParticipation: 'delete from participations where channel_key = ? and user_key = ?',
  openEntitlement: 'insert into entitlements (user_key, channel_key, from_position) values (?, ?, ?)',
  closeEntitlement: `update entitlements set until_position = ?
    where user_key = ? and channel_key = ? and until_position is null`,

  insertEntry: `insert into entries (position, tag, at, kind, lane, shard, channel_key, sender_key, about_key,
    message_id, message_position, edit_position, event_id, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  messageById: `select e.position, e.message_id, e.channel_key, e.lane, e.edit_position, sender.user_id as sender_id,
      c.truncated_position, c.deleted_position
    from entries e join channels c on c.channel_key = e.channel_key left join users sender on sender.user_key = e.sender_key
    where e.message_id = ? and e.kind = 'message'`,
  messageIdTaken: 'select 1 from entries where message_id = ? and kind = \'message\'',
  eventIdTaken: 'select 1 from entries where event_id = ? union all select 1 from created_events where event_id = ?',
  recordEvent: 'insert into created_events (event_id) values (?)',
  editOf: 'select at, body, edit_position from entries where position = ?',
  setNewestEdit: 'update entries set edit_position = ? where position = ?',
  eraseEntry: 'update entries set body = null, lane = 2 where position = ?',

  idempotent: 'select fingerprint, outcome from idempotency where actor = ? and key = ? and at > ?',
  remember: 'insert or replace into idempotency (actor, key, fingerprint, outcome, at) values (?, ?, ?, ?, ?)',
  forget: 'delete from idempotency where (actor, key) in (select actor, key from idempotency where at < ? limit ?)',

  nonce: 'select at from nonces where nonce = ?',
  takeNonce: 'insert or replace into nonces (nonce, at) values (?, ?)',
  forgetNonces: 'delete from nonces where nonce in (select nonce from nonces where at < ? limit ?)',

  channelClosing: `select channel_key, ruleset, deleted_position from channels
    where closing = 1 and channel_key > 0 order by channel_key limit 1`,
  membersToClose: `select user_key from participations
    where channel_key = ? and status is not null and closed_position is null limit ?`,
  closeMember: 'update participations set closed_position = ? where channel_key = ? and user_key = ?',
  markClosed: 'update channels set closing = 0 where channel_key = ?',
  countMembership: `insert into memberships (user_key, ruleset, count) values (?, ?, ?)
    on conflict (user_key, ruleset) do update set count = count + excluded.count`,

  channelErasing: `select channel_key, truncated_position, deleted_position from channels
    where erasing = 1 and channel_key > 0 order by channel_key limit 1`,
  messagesToErase: `select position, edit_position from entries
    where channel_key = ? and lane = 0 and position <= ? order by position limit ?`,
  markErased: 'update channels set erasing = 0 where channel_key = ?',

  atPosition: 'select at from entries where position = ?',
  entriesToRemove: `select e.position, e.kind, original.lane as original_lane, original.edit_position as newest_edit
    from entries e left join entries original on original.position = e.message_position
    where e.position > ? and e.position <= ? order by e.position limit ?`,
  deleteEntry: 'delete from entries where position = ?',
  deleteEndedEntitlements: `delete from entitlements where (user_key, channel_key, from_position) in
    (select user_key, channel_key, from_position from entitlements where until_position is not null and until_position <= ? limit ?)`,
  channelToRemove: `select channel_key from channels
    where deleted_position is not null and deleted_position <= ? and erasing = 0 and closing = 0 order by deleted_position limit 1`,
  eventsToRemove: `select position from entries
    where channel_key = ? and lane = 1 and position <= ? order by position limit ?`,
  deleteOldEvents: `delete from entries where position in
    (select position from entries where message_position = ? and kind = 'message-timeline' and position <= ?)`,
  membersToRemove: 'select user_key from participations where channel_key = ? limit ?',
  deleteEntitlementsOf: 'delete from entitlements where user_key = ? and channel_key = ?',
  deleteChannel: 'delete from channels where channel_key = ?'
}

export const readerSql = {
  ...sharedSql,
  counter: 'select value from counters where name = ?',
  userKey: 'select user_key from users where user_id = ? and deleted_at is null and user_key > 0',
  usersBefore: `select user_key, user_id, profile, created_at, updated_at from users
    where user_key < ? and user_key > 0 and deleted_at is null order by user_key desc limit ? offset ?`,
  usersAfter: `select user_key, user_id, profile, created_at, updated_at from users
    where user_key > ? and deleted_at is null order by user_key limit ? offset ?`,
  token: `select t.token_id, t.parent_id, t.revoked_at, u.user_id, u.deleted_at from tokens t
    join users u on u.user_key = t.user_key where t.token_id = ?`,
  tokensOfUser: `select t.token_id, t.created_at, t.expires_at from users u
    join tokens t on t.user_key = u.user_key and t.revoked_at is null
    where u.user_id = ? order by t.created_at`,
  channelsBefore: `select ${channelColumns} from channels
    where channel_key < ? and deleted_position is null order by channel_key desc limit ? offset ?`,
  channelsAfter: `select ${channelColumns} from channels
    where channel_key > ? and deleted_position is null order by channel_key limit ? offset ?`,
  listedChannelsBefore: `select ${channelColumns} from channels
    where channel_key < ? and deleted_position is null and system_channel = 0 order by channel_key desc limit ? offset ?`,
  listedChannelsAfter: `select ${channelColumns} from channels
    where channel_key > ? and deleted_position is null and system_channel = 0 order by channel_key limit ? offset ?`,
  channelKeysOfBefore: `select p.channel_key from participations p join channels c on c.channel_key = p.channel_key
    where p.user_key = ? and p.channel_key < ? and p.status is not null and p.closed_position is null
      and c.deleted_position is null and (? or c.system_channel = 0) and (? = '' or c.ruleset = ?)
    order by p.channel_key desc limit ? offset ?`,
  channelKeysOfAfter: `select p.channel_key from participations p join channels c on c.channel_key = p.channel_key
    where p.user_key = ? and p.channel_key > ? and p.status is not null and p.closed_position is null
      and c.deleted_position is null and (? or c.system_channel = 0) and (? = '' or c.ruleset = ?)
    order by p.channel_key limit ? offset ?`,
  participationIn: `select c.channel_id, c.ruleset, c.group_type, c.system_channel, c.timeline_events, c.created_at, c.updated_at,
      p.participation_id, p.status from participations p join channels c on c.channel_key = p.channel_key
    where p.channel_key = ? and p.user_key = ?`,
  membershipCounts: 'select ruleset, count from memberships where user_key = ?',
  channelsClosing: 'select channel_key, ruleset from channels where closing = 1 and channel_key > 0',
  isClosing: `select 1 from participations
    where channel_key = ? and user_key = ? and status is not null and closed_position is null`,

  eventsOfChannel: `select e.body, sender.user_id as sender_id, sender.deleted_at as sender_deleted_at from entries e
    left join users sender on sender.user_key = e.sender_key
    where e.channel_key = ? and e.kind = 'channel-timeline' order by e.position limit ?`,
  eventsOfMessage: `select e.body, sender.user_id as sender_id, sender.deleted_at as sender_deleted_at from entries e
    left join users sender on sender.user_key = e.sender_key
    where e.message_position = ? and e.kind = 'message-timeline' order by e.position limit ?`,

  participations: `select ${participationColumns} from participations p join users u on u.user_key = p.user_key
    where p.channel_key = ? and p.status = ? order by p.since_position limit ?`,
  messageByIdLive: `select e.position, e.channel_key from entries e join channels c on c.channel_key = e.channel_key
    where e.message_id = ? and e.kind = 'message' and e.lane = 0 and e.position > c.truncated_position
      and c.deleted_position is null`,
  messagesBefore: `select ${messageColumns} from entries e ${messageJoins}
    where e.channel_key = ? and e.lane = 0 and e.position < ? and e.position > ?
    order by e.position desc limit ? offset ?`,
  messagesAfter: `select ${messageColumns} from entries e ${messageJoins}
    where e.channel_key = ? and e.lane = 0 and e.position > ?
    order by e.position limit ? offset ?`,

  entriesAfter: `select ${entryColumns} from entries e ${entryJoins}
    where e.position > ? order by e.position limit ?`,
  positionsInLane: `select position from entries
    where channel_key = ? and lane = ? and position > ? and position <= ? order by position limit ?`,
  positionsAbout: `select position, channel_key from entries
    where about_key = ? and position > ? order by position limit ?`,
  memberships: `select p.channel_key, p.status, p.since_position, c.created_position, c.deleted_position, c.last_position
    from participations p join channels c on c.channel_key = p.channel_key
    where p.user_key = ? and p.status is not null and p.closed_position is null`,
  closedMemberships: `select closed_position as position from participations
    where user_key = ? and closed_position > ?`,
  membership: `select p.channel_key, p.status, p.since_position, c.created_position, c.deleted_position, c.last_position
    from participations p join channels c on c.channel_key = p.channel_key
    where p.channel_key = ? and p.user_key = ? and p.status is not null`,
  channelByKey: 'select channel_key, created_position, deleted_position from channels where channel_key = ?',
  intervals: `select from_position, until_position from entitlements
    where user_key = ? and channel_key = ? and from_position <= ?`
}
