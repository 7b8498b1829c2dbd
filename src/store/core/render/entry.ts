/** Entries of the log as the hub takes them: rights that follow from them, and the data that clients see. */
import { formatCursor } from '../cursor.ts'
import type { Entry, Standing } from '../../contract/log.ts'
import type { RelayStatus } from '../../../rules/relay.ts'
import { lanes, type EntryRecord, type EntryView } from '../records.ts'
import { DELETED_USER, messageText, reference, withoutUsers } from './message.ts'

/** A stored participation entry's body: the event's data without the channel. */
export interface ParticipationBody {
  participantId: { identifier: string }
  newStatus?: string
  oldStatus?: string
  relayStatus?: RelayStatus
  roles?: string[]
}

export function entryOf (view: EntryView, epoch: string): Entry {
  const { position, tag, kind, channelKey, messageId, members, body } = view.record
  const entry: Entry = { position, cursor: formatCursor(epoch, position, tag), kind }
  if (channelKey !== undefined) entry.channelKey = channelKey
  if (messageId !== undefined) entry.messageId = messageId
  if (members !== undefined) entry.members = members
  if (kind === 'participation' || kind === 'participation-deleted') entry.standing = standingOf(view)
  if (kind === 'user-deleted') entry.userId = view.about!.userId
  if (kind === 'token-revoked') entry.tokenId = (JSON.parse(body!) as { tokenId: string }).tokenId
  const payload = payloadOf(view)
  if (payload !== undefined) entry.payload = payload
  return entry
}

function standingOf ({ record, about }: EntryView): Standing {
  const { relayStatus, roles } = JSON.parse(record.body!) as ParticipationBody
  return { userId: about!.userId, ...(relayStatus === undefined ? {} : { status: relayStatus }), admin: roles?.includes('admin') === true }
}

/** What clients see of an entry, or nothing where nothing is left of it, or never was to be seen. */
function payloadOf (view: EntryView): string | undefined {
  const { record, channel } = view
  if (record.lane === lanes.nothing || channel === undefined) return undefined
  const here = `"channelId":${reference(channel.channelId)}`
  switch (record.kind) {
    case 'message':
    case 'message-updated':
      return record.body === undefined || isDeleted(view) ? undefined : `{${here},"message":${messageOfEntry(view, record.body)}}`
    case 'channel-timeline':
      return `{${here},"timelineEvent":${eventText(view)}}`
    case 'message-timeline':
      return view.message === undefined || isDeleted(view) ? undefined : `{${here},"messageId":${reference(record.messageId!)},"timelineEvent":${eventText(view)}}`
    case 'message-deleted':
      return `{${here},"messageId":${reference(record.messageId!)}}`
    case 'messages-truncated':
    case 'channel-deleted':
      return `{${here}}`
    case 'channel':
      return `{"channel":${withoutUsers(record.body!, view.gone)}}`
    case 'participation':
    case 'participation-deleted':
      return `{${here},${record.body!.slice(1)}`
    default:
      return undefined
  }
}

/** What is a message, or about one, that was deleted by itself, with the rest of its channel's, or with the channel, before its row was cleared. */
export function isDeleted ({ record, channel, message }: EntryView): boolean {
  return message?.present === false || channel?.deletedPosition !== undefined || (record.messagePosition ?? record.position) <= (channel?.truncatedPosition ?? 0)
}

/** The message as an entry (its sending, or an edit) had it. */
export function messageOfEntry ({ record, channel, sender, message, gone }: EntryView, content: string): string {
  return messageText({
    messageId: record.messageId!,
    channelId: channel!.channelId,
    sender: sender!,
    content,
    gone,
    createdAt: message?.at ?? record.at,
    ...(record.kind === 'message-updated' ? { editedAt: record.at } : {})
  })
}

/** A timeline entry's event, its subject named `.deleted` where that user is. */
export function eventText ({ record, sender }: { record: Pick<EntryRecord, 'body'>, sender?: { deleted: boolean } }): string {
  const body = record.body!
  if (sender?.deleted !== true) return body
  return JSON.stringify({ ...JSON.parse(body) as object, subject: { identifier: DELETED_USER } })
}
