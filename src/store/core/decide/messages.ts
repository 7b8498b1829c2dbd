/** Messages are sent, edited and deleted (relay.md, "send"). */
import { refuse } from '../../../errors.ts'
import { mustBeAllowed } from '../../../rules/access-refusals.ts'
import { SENT_TIME } from '../../../rules/timelines.ts'
import type { TimelineEventInput } from '../../../../schemas/timeline.ts'
import { SYSTEM, type Actor, type DeleteMessages, type EditMessage, type SendMessage } from '../../contract/commands.ts'
import type { Position } from '../../contract/log.ts'
import type { Draft } from '../draft.ts'
import { isPresent, lanes, type ChannelRecord, type EntryView, type MessageRecord, type UserRecord } from '../records.ts'
import { subjectsOf } from '../render/message.ts'
import { callerIn } from './members.ts'
import { mustBeNewEvents, newEvent, subjectKeys, takeEventIds } from './timelines.ts'

export interface Sent {
  view: EntryView
  recipientsCount: number
}

export function sendMessage (draft: Draft, command: SendMessage): Sent {
  const { channelId, messageId, actor } = command
  const channel = draft.channel(channelId)
  const sender = senderOf(draft, channel, command)
  mustBeNewEvents(draft, command.timelineEvents, actor)
  if (draft.get('message', messageId) !== undefined) throw refuse('messageExists', messageId)

  const reference = { userKey: sender.userKey, userId: sender.userId, deleted: false }
  const subjects = subjectKeys(draft, command.timelineEvents).filter(userKey => userKey !== sender.userKey)
  takeEventIds(draft, command.timelineEvents)
  draft.changeChannel(channel.channelKey, { messageCount: channel.messageCount + 1 })
  const body = contentOf(command, draft.at)
  const view = draft.write({
    kind: 'message', lane: lanes.message, senderKey: sender.userKey, messageId, body, ...(subjects.length === 0 ? {} : { subjects })
  }, { channel: draft.channelByKey(channel.channelKey), sender: reference })
  draft.putMessage({
    position: view.record.position, messageId, channelKey: channel.channelKey, sender: reference, at: draft.at, present: true
  }, body)
  return { view, recipientsCount: channel.receivingCount }
}

function senderOf (draft: Draft, channel: ChannelRecord, { actor, senderId }: SendMessage): UserRecord {
  if (actor === SYSTEM) return senderId === SYSTEM ? draft.user(SYSTEM)! : draft.existingUser(senderId)
  const caller = callerIn(draft, channel, actor)
  mustBeAllowed('send_to_channel', channel, caller)
  if (senderId !== actor) mustBeAllowed('send_as_other_to_channel', channel, caller)
  return draft.existingUser(senderId)
}

/** What is stored of a message, an event that says when it was sent put in front where it brings none (protocol 6). */
function contentOf ({ messageType, payloadType, textPayload, messageData, timelineEvents: given, senderId }: SendMessage, at: number): string {
  const sent: TimelineEventInput = { type: SENT_TIME, eventTimeMs: at, subject: senderId }
  const events = given.some(({ type }) => type === SENT_TIME) ? given : [sent, ...given]
  return JSON.stringify({
    messageType,
    payloadType,
    textPayload,
    messageData,
    timelineEvents: events.map(event => newEvent(event, at))
  })
}

/** An edit is an entry of its own with the whole new content. */
export function editMessage (draft: Draft, { channelId, messageId, actor, textPayload, messageData }: EditMessage): EntryView {
  const channel = draft.channel(channelId)
  const message = ownMessage(draft, channel, messageId, actor)
  mustBeAllowed('send_to_channel', channel, callerIn(draft, channel, actor))

  const before = draft.content(message)!
  const body = JSON.stringify({
    ...JSON.parse(before) as object,
    ...(textPayload === undefined ? {} : { textPayload }),
    ...(messageData === undefined ? {} : { messageData })
  })
  // Retention keeps the newest edit of a message only.
  if (message.editPosition !== undefined && message.editPosition <= draft.log.floor.position) draft.remove([message.editPosition])
  const sender = { ...message.sender, deleted: isGone(draft, message.sender.userId) }
  const named = subjectsOf(before).filter(userId => userId !== sender.userId && draft.user(userId) !== undefined)
  const subjects = named.map(userId => draft.user(userId)!.userKey)
  const view = draft.write({
    kind: 'message-updated',
    lane: lanes.event,
    senderKey: sender.userKey,
    messageId,
    messagePosition: message.position,
    ...(subjects.length === 0 ? {} : { subjects }),
    body
  }, { channel, sender, message, gone: named.filter(userId => isGone(draft, userId)) })
  draft.putMessage({ ...message, sender, editPosition: view.record.position }, body)
  return view
}

export function isGone (draft: Draft, userId: string): boolean {
  return draft.user(userId)?.deletedAt !== undefined
}

export function deleteMessages (draft: Draft, { channelId, messageIds, actor }: DeleteMessages): void {
  const { channelKey } = draft.channel(channelId)
  for (const messageId of messageIds) {
    const message = ownMessage(draft, draft.channelByKey(channelKey), messageId, actor)
    erase(draft, message.position)
    draft.put('message', messageId, { ...message, present: false })
    draft.changeChannel(channelKey, { messageCount: draft.channelByKey(channelKey).messageCount - 1 })
    draft.write({ kind: 'message-deleted', lane: lanes.event, messageId }, { channel: draft.channelByKey(channelKey) })
  }
}

/** With all that hangs on it, where that is no more than is left of the batch's step: otherwise that goes in steps, in the background. */
function erase (draft: Draft, message: Position): void {
  draft.erase(message)
  const { edits, events, bytes, more } = draft.remains(message, draft.log.floor.position, draft.step)
  const rows = edits.length + events.length
  if (more || rows > draft.step.rows || bytes > draft.step.bytes) return
  draft.step.rows -= rows
  draft.step.bytes -= bytes
  draft.empty([message, ...edits])
  draft.remove(events)
}

/** A message of this channel that the actor may change. A stranger to the channel does not learn whether it exists. */
function ownMessage (draft: Draft, channel: ChannelRecord, messageId: string, actor: Actor): MessageRecord {
  const message = draft.get('message', messageId)
  const here = isPresent(message, channel)
  if (!(here && message.sender.userId === actor)) mustBeAllowed('read_from_channel', channel, callerIn(draft, channel, actor))
  if (!here) throw refuse('messageNotFound', messageId)
  if (actor !== SYSTEM && message.sender.userId !== actor) {
    throw refuse('missingPrivilege', 'Only the sender of a message, and the application, may change or delete it')
  }
  return message
}
