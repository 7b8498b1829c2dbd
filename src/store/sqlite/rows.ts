/** From rows to what goes over the wire. A message is rendered as JSON text, once, for answers and frames alike. */
import type { Channel } from '../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../schemas/participation.ts'
import type { User } from '../../../schemas/user.ts'
import { statusTable, type GroupType, type Held, type RelayStatus, type Ruleset } from '../../rules/relay.ts'
import { formatCursor } from '../cursor.ts'
import type { Entry, EntryKind } from '../store.ts'

/** In the place of a deleted user's id (contract 7). */
export const DELETED_USER = '.deleted'

export interface EntryRow {
  position: number
  tag: number
  at: number
  kind: EntryKind
  lane: number
  channel_key: number | null
  message_id: string | null
  body: string | null
  channel_id: string | null
  truncated_position: number | null
  deleted_position: number | null
  message_position: number | null
  sender_id: string | null
  sender_deleted_at: number | null
  about_id: string | null
  original_at: number | null
  original_lane: number | null
}

export interface MessageRow {
  position: number
  at: number
  message_id: string
  body: string | null
  channel_id: string
  sender_id: string
  sender_deleted_at: number | null
  edited_at: number | null
  edited_body: string | null
}

export interface ChannelRow {
  channel_key: number
  channel_id: string
  ruleset: Ruleset
  group_type: GroupType
  system_channel: number
  timeline_events: string
  created_at: number
  updated_at: number
  created_position: number
  truncated_position: number
  admin_vacant: number
  receiving_count: number
  active_admin_count: number
  message_count: number
}

export interface ParticipationRow {
  user_id: string
  deleted_at: number | null
  profile: string
  participation_id: string
  status: RelayStatus | null
  held: Held
  admin: number
  joined_at: number
  created_at: number
  updated_at: number
}

export interface UserRow {
  user_key: number
  user_id: string
  profile: string
  created_at: number
  updated_at: number
}

/**
 * A stored participation entry's body: the event's data without the channel, and what rights follow
 * from it, which no client sees.
 */
export interface ParticipationBody {
  participantId: { identifier: string }
  newStatus?: string
  oldStatus?: string
  relayStatus?: RelayStatus
  roles?: string[]
}

/** The message itself, its content (a JSON object's text) already chosen among its edits. */
interface MessageParts {
  messageId: string
  channelId: string
  senderId: string
  senderDeleted: boolean
  content: string
  createdAt: number
  editedAt?: number
}

/** Content of a message that was deleted since: what a repeated send still answers with. */
const erasedContent = '{"messageType":"Standard","payloadType":"mitter.mt.Text","textPayload":"","messageData":[],"timelineEvents":[]}'

export function messageText (parts: MessageParts): string {
  const id = JSON.stringify(parts.messageId)
  const sender = JSON.stringify(parts.senderDeleted ? DELETED_USER : parts.senderId)
  const content = parts.senderDeleted ? withoutSender(parts.content, parts.senderId) : parts.content
  const audit = `{"createdAt":${parts.createdAt},"updatedAt":${parts.editedAt ?? parts.createdAt}}`
  return `{"messageId":${id},"identifier":${id},"channelId":${reference(parts.channelId)},"senderId":{"identifier":${sender}},` +
    `${content.slice(1, -1)},"audit":${audit},"auditInfo":${audit}` +
    (parts.editedAt === undefined ? '}' : `,"editedAt":${parts.editedAt}}`)
}

/** The message as it is now. */
export function messageOfRow (row: MessageRow): string {
  return messageText({
    messageId: row.message_id,
    channelId: row.channel_id,
    senderId: row.sender_id,
    senderDeleted: row.sender_deleted_at !== null,
    content: row.edited_body ?? row.body ?? erasedContent,
    createdAt: row.at,
    ...(row.edited_at === null ? {} : { editedAt: row.edited_at })
  })
}

/** The message as an entry (its sending, or an edit) had it; without content where that is gone. */
export function messageOfEntry (row: EntryRow): string {
  return messageText({
    messageId: row.message_id ?? '',
    channelId: row.channel_id ?? '',
    senderId: row.sender_id ?? DELETED_USER,
    senderDeleted: row.sender_deleted_at !== null,
    content: row.body ?? erasedContent,
    createdAt: row.original_at ?? row.at,
    ...(row.kind === 'message-updated' ? { editedAt: row.at } : {})
  })
}

/** A deleted sender is named nowhere in its messages, their timeline events included. */
function withoutSender (content: string, senderId: string): string {
  const parsed = JSON.parse(content) as { timelineEvents?: Array<{ subject: { identifier: string } }> }
  for (const event of parsed.timelineEvents ?? []) {
    if (event.subject.identifier === senderId) event.subject.identifier = DELETED_USER
  }
  return JSON.stringify(parsed)
}

/** The entry of a row. Rights that follow from it (`receives`, `member`) come from the stored body. */
export function entryOfRow (row: EntryRow, epoch: string): Entry {
  const payload = payloadOf(row)
  const entry: Entry = { position: row.position, cursor: formatCursor(epoch, row.position, row.tag), kind: row.kind }
  if (row.channel_key !== null) entry.channelKey = row.channel_key
  if (payload !== undefined) entry.payload = payload
  if (row.kind === 'participation' || row.kind === 'participation-deleted') {
    const { relayStatus } = JSON.parse(row.body ?? '{}') as ParticipationBody
    entry.receives = relayStatus !== undefined && statusTable[relayStatus].receives
    entry.member = relayStatus !== undefined
  }
  if (row.about_id !== null) entry.concerns = row.about_id
  if (row.kind === 'token-revoked' && row.body !== null) entry.tokenId = (JSON.parse(row.body) as { tokenId: string }).tokenId
  return entry
}

function payloadOf (row: EntryRow): string | undefined {
  if (row.lane === 2 || row.channel_id === null) return undefined
  const channel = `"channelId":${reference(row.channel_id)}`
  switch (row.kind) {
    case 'message':
    case 'message-updated':
      return row.body === null || isTruncated(row) ? undefined : `{${channel},"message":${messageOfEntry(row)}}`
    case 'channel-timeline':
      return `{${channel},"timelineEvent":${eventText(row)}}`
    case 'message-timeline':
      if (row.original_lane !== 0 || isTruncated(row)) return undefined
      return `{${channel},"messageId":${reference(row.message_id ?? '')},"timelineEvent":${eventText(row)}}`
    case 'message-deleted':
      return `{${channel},"messageId":${reference(row.message_id ?? '')}}`
    case 'messages-truncated':
    case 'channel-deleted':
      return `{${channel}}`
    case 'channel':
      return `{"channel":${row.body}}`
    case 'participation':
    case 'participation-deleted':
      return `{${channel},${row.body?.slice(1) ?? '}'}`
    default:
      return undefined
  }
}

/** Marked deleted with the rest of its channel's messages, or with the channel, before its row was cleared. */
function isTruncated (row: EntryRow): boolean {
  return row.deleted_position !== null || (row.message_position ?? row.position) <= (row.truncated_position ?? 0)
}

export function channelOfRow (row: ChannelRow): Channel {
  const audit = { createdAt: row.created_at, updatedAt: row.updated_at }
  return {
    identifier: row.channel_id,
    channelId: row.channel_id,
    defaultRuleSet: row.ruleset,
    groupType: row.group_type,
    participation: [],
    systemChannel: row.system_channel === 1,
    timelineEvents: JSON.parse(row.timeline_events) as Channel['timelineEvents'],
    audit,
    auditInfo: audit
  }
}

export function participationOfRow (row: ParticipationRow & { status: RelayStatus }, channelId: string): ChannelParticipation {
  const { screenName } = JSON.parse(row.profile) as { screenName?: string }
  const userId = row.deleted_at === null ? row.user_id : DELETED_USER
  const audit = { createdAt: row.created_at, updatedAt: row.updated_at }
  return {
    channelParticipationId: row.participation_id,
    participantId: { identifier: userId },
    participant: { userId, identifier: userId, ...(screenName === undefined ? {} : { screenName: { screenName } }) },
    participationStatus: statusTable[row.status].participationStatus,
    relayStatus: row.status,
    roles: row.admin === 1 ? ['admin'] : [],
    joinedAt: row.joined_at,
    channelId: { identifier: channelId },
    audit,
    auditInfo: audit
  }
}

/** A timeline entry's event, its subject named `.deleted` where that user is. */
export function eventText (row: Pick<EntryRow, 'body' | 'sender_id' | 'sender_deleted_at'>): string {
  if (row.sender_deleted_at === null) return row.body ?? '{}'
  return JSON.stringify({ ...JSON.parse(row.body ?? '{}') as object, subject: { identifier: DELETED_USER } })
}

export function userOfRow (row: UserRow): User {
  const profile = JSON.parse(row.profile) as { screenName?: string, userLocators?: User['userLocators'], systemUser?: boolean }
  const audit = { createdAt: row.created_at, updatedAt: row.updated_at }
  return {
    userId: row.user_id,
    identifier: row.user_id,
    ...(profile.screenName === undefined ? {} : { screenName: { screenName: profile.screenName } }),
    userLocators: profile.userLocators ?? [],
    systemUser: profile.systemUser ?? false,
    synthetic: false,
    audit,
    auditInfo: audit
  }
}

function reference (id: string): string {
  return `{"identifier":${JSON.stringify(id)}}`
}
