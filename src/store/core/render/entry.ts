/** Entries of the log as the hub takes them: rights that follow from them, and the data that clients see. */
import type { Channel } from '../../../../schemas/channel.ts'
import type { AccessLists } from '../../../rules/access.ts'
import { formatCursor } from '../cursor.ts'
import type { Entry, Standing } from '../../contract/log.ts'
import type { RelayStatus } from '../../../rules/relay.ts'
import { lanes, type EntryRecord, type EntryView } from '../records.ts'
import { appliedAcls } from './lists.ts'
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
  const { position, tag, channelKey, messageId, members, body } = view.record
  const kind = view.record.kind === 'message-acls-changed' ? 'message-updated' : view.record.kind
  const entry: Entry = { position, cursor: formatCursor(epoch, position, tag), kind }
  if (channelKey !== undefined) entry.channelKey = channelKey
  if (messageId !== undefined) entry.messageId = messageId
  if (members !== undefined) entry.members = members
  if (kind === 'participation' || kind === 'participation-deleted') entry.standing = standingOf(view)
  if (kind === 'user-deleted') entry.userId = view.about!.userId
  if (kind === 'token-revoked') entry.tokenId = (JSON.parse(body!) as { tokenId: string }).tokenId
  const payload = payloadOf(view)
  if (payload !== undefined) entry.payload = payload
  if (view.lists !== undefined || view.record.change !== undefined || view.channelLists !== undefined) addLists(entry, view)
  return entry
}

/** What rights follow from, where there are access control lists. */
function addLists (entry: Entry, { record, lists, channelLists, channel }: EntryView): void {
  const { kind, change } = record
  const here = `"channelId":${reference(channel!.channelId)}`
  if (kind === 'message-acls-changed') {
    entry.access = { lists: change!.after, before: { lists: change!.before } }
    entry.otherwise = { ...told(entry, 'message-deleted', `{${here},"messageId":${reference(record.messageId!)}}`), messageId: record.messageId!, access: entry.access }
  } else if (kind === 'channel-acls-changed') {
    if (change!.after !== undefined) entry.channelLists = change!.after
    entry.otherwise = told(entry, kind, `{${here}}`)
  } else if (kind === 'channel' || entry.standing !== undefined) {
    if (channelLists !== undefined) entry.channelLists = channelLists
    if (kind === 'channel' && channelLists !== undefined && entry.payload !== undefined) entry.otherwise = { ...entry, payload: withoutTimeline(entry.payload) }
  } else if (lists !== undefined) {
    entry.access = { lists: lists.then }
  }
}

/** A new channel, for those who may not read what it began with. */
function withoutTimeline (payload: string): string {
  const { channel } = JSON.parse(payload) as { channel: Channel }
  return JSON.stringify({ channel: { ...channel, timelineEvents: [] } })
}

const told = ({ position, cursor, channelKey }: Entry, kind: Entry['kind'], payload: string): Entry =>
  ({ position, cursor, kind, ...(channelKey === undefined ? {} : { channelKey }), payload })

function standingOf ({ record, about }: EntryView): Standing {
  const { relayStatus, roles } = JSON.parse(record.body!) as ParticipationBody
  return { userId: about!.userId, ...(relayStatus === undefined ? {} : { status: relayStatus }), admin: roles?.includes('admin') === true }
}

const MESSAGE_KEY = ',"message":'

/** The message within the payload of its entry, or of an edit's: no text within JSON has those characters in it. */
export function messageIn (payload: string): string {
  return payload.slice(payload.indexOf(MESSAGE_KEY) + MESSAGE_KEY.length, -1)
}

/** What clients see of an entry, or nothing where nothing is left of it, or never was to be seen. */
function payloadOf (view: EntryView): string | undefined {
  const { record, channel, gone } = view
  if (record.lane === lanes.nothing || channel === undefined) return undefined
  const here = `"channelId":${reference(channel.channelId)}`
  switch (record.kind) {
    case 'message':
    case 'message-updated':
    case 'message-acls-changed':
      return record.body === undefined || isDeleted(view) ? undefined : `{${here}${MESSAGE_KEY}${messageOfEntry(view, record.body)}}`
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
      return `{"channel":${withoutUsers(record.body!, gone)}}`
    case 'channel-acls-changed':
      return `{${here},"appliedAcls":${JSON.stringify(appliedAcls(record.change!.after, channel.channelId, gone))}}`
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
export function messageOfEntry ({ record, channel, sender, message, lists, gone }: EntryView, content: string): string {
  return messageText({
    messageId: record.messageId!,
    channelId: channel!.channelId,
    sender: sender!,
    content,
    gone,
    acls: listsOf(record, lists),
    createdAt: message?.at ?? record.at,
    ...editedOf(record)
  })
}

/** A change of its lists is none of what it says. */
function editedOf ({ kind, at, change }: EntryRecord): { editedAt?: number } {
  if (kind === 'message-updated') return { editedAt: at }
  return change?.editedAt === undefined ? {} : { editedAt: change.editedAt }
}

const listsOf = ({ change }: EntryRecord, lists: EntryView['lists']): AccessLists | undefined => change === undefined ? lists?.then : change.after

/** A timeline entry's event, its subject named `.deleted` where that user is. */
export function eventText ({ record, sender }: { record: Pick<EntryRecord, 'body'>, sender?: { deleted: boolean } }): string {
  const body = record.body!
  if (sender?.deleted !== true) return body
  return JSON.stringify({ ...JSON.parse(body) as object, subject: { identifier: DELETED_USER } })
}
