/** From rows to records: each table's columns are named once, beside what is made of them. */
import type { Standing } from '../contract/log.ts'
import type {
  ChannelRecord, EntryRecord, EntryView, MemberRecord, MessageRecord, TokenRecord, UserRecord, UserReference
} from '../core/records.ts'

type Row = Record<string, any>

/** Absent values of a row are left out of a record. */
const given = <K extends string, T>(key: K, value: T | null): { [Key in K]?: T } => (value === null ? {} : { [key]: value }) as { [Key in K]?: T }

export const userColumns = 'user_key, user_id, profile, created_at, updated_at, deleted_at, leaving'

export function userOfRow (row: Row): UserRecord {
  return {
    userKey: row.user_key,
    userId: row.user_id,
    profile: row.profile,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    ...given('deletedAt', row.deleted_at),
    leaving: row.leaving === 1
  }
}

export const tokenColumns = 't.token_id, t.user_key, t.parent_id, t.created_at, t.expires_at, t.revoked_at'

export function tokenOfRow (row: Row): TokenRecord {
  return {
    tokenId: row.token_id,
    userKey: row.user_key,
    ...given('parentId', row.parent_id),
    createdAt: row.created_at,
    ...given('expiresAt', row.expires_at),
    ...given('revokedAt', row.revoked_at)
  }
}

export const channelColumns = `
  c.channel_key, c.channel_id, c.ruleset, c.group_type, c.created_at, c.updated_at, c.created_position, c.deleted_position,
  c.truncated_position, c.last_position, c.erasing, c.closing, c.admin_vacant, c.receiving_count, c.active_admin_count, c.message_count
`

export function channelOfRow (row: Row): ChannelRecord {
  return {
    channelKey: row.channel_key,
    channelId: row.channel_id,
    ruleset: row.ruleset,
    groupType: row.group_type,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdPosition: row.created_position,
    ...given('deletedPosition', row.deleted_position),
    truncatedPosition: row.truncated_position,
    lastPosition: row.last_position,
    erasing: row.erasing === 1,
    closing: row.closing === 1,
    adminVacant: row.admin_vacant === 1,
    receivingCount: row.receiving_count,
    activeAdminCount: row.active_admin_count,
    messageCount: row.message_count
  }
}

export const memberColumns = `
  p.channel_key, p.user_key, p.participation_id, p.status, p.held, p.admin, p.joined_at, p.since_position, p.active_position,
  p.closed_position, p.created_at, p.updated_at
`

export function memberOfRow (row: Row): MemberRecord {
  return {
    channelKey: row.channel_key,
    userKey: row.user_key,
    userId: row.user_id,
    participationId: row.participation_id,
    ...given('status', row.status),
    held: row.held,
    admin: row.admin === 1,
    joinedAt: row.joined_at,
    sincePosition: row.since_position,
    ...given('activePosition', row.active_position),
    ...given('closedPosition', row.closed_position),
    createdAt: row.created_at,
    updatedAt: row.updated_at
  }
}

/** Which of the users that a column of keys (a JSON array) names were deleted: a JSON array of their ids. */
export const goneAmong = (column: string): string => `
  case when ${column} is null then null else (select json_group_array(gone.user_id) from json_each(${column}) named
    join users gone on gone.user_key = named.value where gone.deleted_at is not null) end`

export const goneOfRow = (json: string | null): string[] => json === null ? [] : JSON.parse(json) as string[]

/** `e` an entry, its channel, its sender, whom it is about, and the message that it is about. */
export const entryColumns = `
  e.position, e.tag, e.at, e.kind, e.lane, e.channel_key, e.sender_key, e.about_key, e.message_id, e.message_position,
  e.event_id, e.timeline_type, e.members, e.body, ${goneAmong('e.subjects')} as gone,
  c.channel_id, c.truncated_position, c.deleted_position,
  sender.user_id as sender_id, sender.deleted_at as sender_deleted_at,
  about.user_id as about_id, about.deleted_at as about_deleted_at,
  original.at as original_at, original.lane as original_lane
`
export const entryJoins = `
  left join channels c on c.channel_key = e.channel_key
  left join users sender on sender.user_key = e.sender_key
  left join users about on about.user_key = e.about_key
  left join entries original on original.position = e.message_position
`

export function viewOfRow (row: Row): EntryView {
  const record: EntryRecord = {
    position: row.position,
    tag: row.tag,
    at: row.at,
    kind: row.kind,
    lane: row.lane,
    ...given('channelKey', row.channel_key),
    ...given('senderKey', row.sender_key),
    ...given('aboutKey', row.about_key),
    ...given('messageId', row.message_id),
    ...given('messagePosition', row.message_position),
    ...given('eventId', row.event_id),
    ...given('eventType', row.timeline_type),
    ...(row.members === null ? {} : { members: JSON.parse(row.members) as Standing[] }),
    ...given('body', row.body)
  }
  return {
    record,
    ...given('channel', channelOfEntry(row)),
    ...(row.sender_id === null ? {} : { sender: userReference(row.sender_key, row.sender_id, row.sender_deleted_at) }),
    ...(row.about_id === null ? {} : { about: userReference(row.about_key, row.about_id, row.about_deleted_at) }),
    ...(row.original_at === null ? {} : { message: { at: row.original_at, present: row.original_lane === 0 } }),
    gone: goneOfRow(row.gone)
  }
}

function channelOfEntry (row: Row): NonNullable<EntryView['channel']> | null {
  if (row.channel_id === null) return null
  return { channelId: row.channel_id, truncatedPosition: row.truncated_position, ...given('deletedPosition', row.deleted_position) }
}

export function userReference (userKey: number, userId: string, deletedAt: number | null): UserReference {
  return { userKey, userId, deleted: deletedAt !== null }
}

/** `e` a message's entry. */
export const messageColumns = `
  e.position, e.message_id, e.channel_key, e.at, e.lane, e.edit_position, e.sender_key,
  sender.user_id as sender_id, sender.deleted_at as sender_deleted_at
`

export function messageOfRow (row: Row): MessageRecord {
  return {
    position: row.position,
    messageId: row.message_id,
    channelKey: row.channel_key,
    sender: userReference(row.sender_key, row.sender_id, row.sender_deleted_at),
    at: row.at,
    present: row.lane === 0,
    ...given('editPosition', row.edit_position)
  }
}
