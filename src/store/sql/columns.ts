/**
 * From rows to records: each table's columns are named once, beside the type of their row and what is made of it.
 * Here are users, tokens, channels and members; log-columns.ts has the log.
 */
import type { AccessLists } from '../../rules/access.ts'
import type { GroupType, Held, RelayStatus, Ruleset } from '../../rules/relay.ts'
import type { Position } from '../contract/log.ts'
import type { ChannelDetails } from '../core/read/queries.ts'
import type { ChannelRecord, ListedCounts, MemberRecord, TokenRecord, UserRecord } from '../core/records.ts'
import type { Dialect } from './dialect.ts'
import { given, parsed, type Flag } from './rows.ts'

export interface UserRow {
  user_key: number
  user_id: string
  profile: string
  created_at: number
  updated_at: number
  deleted_at: number | null
  leaving: Flag
}

export const userColumns = 'user_key, user_id, profile, created_at, updated_at, deleted_at, leaving'

export function userOfRow (row: UserRow): UserRecord {
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

export interface TokenRow {
  token_id: string
  user_key: number
  parent_id: string | null
  created_at: number
  expires_at: number | null
  revoked_at: number | null
}

/** `t` a token. */
export const tokenColumns = 't.token_id, t.user_key, t.parent_id, t.created_at, t.expires_at, t.revoked_at'

export function tokenOfRow (row: TokenRow): TokenRecord {
  return {
    tokenId: row.token_id,
    userKey: row.user_key,
    ...given('parentId', row.parent_id),
    createdAt: row.created_at,
    ...given('expiresAt', row.expires_at),
    ...given('revokedAt', row.revoked_at)
  }
}

export interface ChannelRow {
  channel_key: number
  channel_id: string
  ruleset: Ruleset
  group_type: GroupType
  created_at: number
  updated_at: number
  created_position: Position
  deleted_position: Position | null
  truncated_position: Position
  last_position: Position
  erasing: Flag
  closing: Flag
  admin_vacant: Flag
  receiving_count: number
  muted_count: number
  pending_count: number
  disabled_count: number
  active_admin_count: number
  message_count: number
  listed_counts: string | null
  acls: string | null
  acls_position: Position | null
}

/** `c` a channel. */
export const channelColumns = `
  c.channel_key, c.channel_id, c.ruleset, c.group_type, c.created_at, c.updated_at, c.created_position, c.deleted_position,
  c.truncated_position, c.last_position, c.erasing, c.closing, c.admin_vacant, c.receiving_count, c.muted_count, c.pending_count, c.disabled_count,
  c.active_admin_count, c.message_count, c.listed_counts, c.acls, c.acls_position
`

export function channelOfRow (row: ChannelRow): ChannelRecord {
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
    mutedCount: row.muted_count,
    pendingCount: row.pending_count,
    disabledCount: row.disabled_count,
    activeAdminCount: row.active_admin_count,
    messageCount: row.message_count,
    ...parsed<'listedCounts', ListedCounts>('listedCounts', row.listed_counts),
    ...parsed<'acls', AccessLists>('acls', row.acls),
    ...given('aclsPosition', row.acls_position)
  }
}

/** Which of the users that a column of keys (a JSON array) names were deleted: a JSON array of their ids. */
export const goneAmong = ({ elements, arrayOf }: Dialect, column: string): string => `
  case when ${column} is null then null else (select ${arrayOf('gone.user_id')} from (
    select (select user_id from users where user_key = cast(named.value as bigint) and deleted_at is not null) as user_id from ${elements(column)} named
  ) gone where gone.user_id is not null) end`

export const goneOfRow = (json: string | null): string[] => json === null ? [] : JSON.parse(json) as string[]

/** A channel with what it was created with; without events there is no such row. */
export interface ChannelDetailsRow extends ChannelRow {
  creation_events: string | null
  creation_gone: string | null
}

export const channelDetailsColumns = (dialect: Dialect): string => `
  ${channelColumns}, creation.events as creation_events, ${goneAmong(dialect, 'creation.subjects')} as creation_gone
`
export const channelDetailsJoin = 'left join channel_creations creation on creation.channel_key = c.channel_key'

export function channelDetailsOfRow (row: ChannelDetailsRow): ChannelDetails {
  if (row.creation_events === null) return channelOfRow(row)
  return { ...channelOfRow(row), creation: { events: row.creation_events, gone: goneOfRow(row.creation_gone) } }
}

export interface MemberRow {
  channel_key: number
  user_key: number
  user_id: string
  participation_id: string
  status: RelayStatus | null
  held: Held
  admin: Flag
  joined_at: number
  since_position: Position
  active_position: Position | null
  closed_position: Position | null
  created_at: number
  updated_at: number
}

/** `p` a participation, `u` its user. */
export const memberColumns = `
  p.channel_key, p.user_key, u.user_id, p.participation_id, p.status, p.held, p.admin, p.joined_at, p.since_position, p.active_position,
  p.closed_position, p.created_at, p.updated_at
`

export function memberOfRow (row: MemberRow): MemberRecord {
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
