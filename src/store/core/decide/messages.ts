/** Messages are sent, edited and deleted (relay.md, "send"). */
import { refuse } from '../../../errors.ts'
import { decide, decideOfMessage } from '../../../rules/access.ts'
import { mustBeAllowed, refusalOf } from '../../../rules/access-refusals.ts'
import { namedIn } from '../../../rules/audience.ts'
import { SENT_TIME } from '../../../rules/timelines.ts'
import type { CheckedTimelineEvent } from '../../../../schemas/timeline.ts'
import { SYSTEM, type Actor, type DeleteMessages, type EditMessage, type SendMessage } from '../../contract/commands.ts'
import type { Position } from '../../contract/log.ts'
import type { Draft } from '../draft.ts'
import { isPresent, lanes, type ChannelRecord, type EntryView, type MessageRecord, type UserRecord } from '../records.ts'
import { subjectsOf } from '../render/message.ts'
import { addressAbout, countListed, countRecipients, laneOf, listNewMessage, listsOf, mayRead } from './audiences.ts'
import { mustBeNameable } from './lists.ts'
import { callerIn } from './members.ts'
import { mustBeNewEvents, newEvent, subjectKeys, takeEventIds } from './timelines.ts'
import { isGone } from './users.ts'

export interface Sent {
  view: EntryView
  recipientsCount: number
}

export function sendMessage (draft: Draft, command: SendMessage): Sent {
  const { channelId, messageId, actor, acls } = command
  const channel = draft.channel(channelId)
  const sender = senderOf(draft, channel, command)
  mustBeNameable(draft, actor, acls, undefined, channel)
  mustBeNewEvents(draft, command.timelineEvents, actor)
  if (draft.get('message', messageId) !== undefined) throw refuse('messageExists', messageId)

  const reference = { userKey: sender.userKey, userId: sender.userId, deleted: false }
  const subjects = subjectKeys(draft, command.timelineEvents).filter(userKey => userKey !== sender.userKey)
  takeEventIds(draft, command.timelineEvents)
  countListed(draft, channel.channelKey, acls, 1)
  const listed = acls === undefined ? {} : { acls }
  const body = contentOf(command, draft.at)
  const view = draft.write({
    kind: 'message', lane: laneOf(acls), senderKey: sender.userKey, messageId, body, ...(subjects.length === 0 ? {} : { subjects }), ...listed
  }, { channel: draft.channelByKey(channel.channelKey), sender: reference, ...listsOf(listed) })
  const message: MessageRecord = {
    position: view.record.position, messageId, channelKey: channel.channelKey, sender: reference, at: draft.at, present: true, ...listed
  }
  draft.putMessage(message, body)
  listNewMessage(draft, message)
  return { view, recipientsCount: countRecipients(draft, channel, acls) }
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
  const sent: CheckedTimelineEvent = { type: SENT_TIME, eventTimeMs: at, subject: senderId }
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
  const others = subjectsOf(before).filter(userId => userId !== sender.userId && draft.user(userId) !== undefined)
  const subjects = others.map(userId => draft.user(userId)!.userKey)
  const view = draft.write({
    kind: 'message-updated',
    lane: lanes.event,
    senderKey: sender.userKey,
    messageId,
    messagePosition: message.position,
    ...(subjects.length === 0 ? {} : { subjects }),
    body
  }, { channel, sender, message, ...listsOf(message), gone: [...others, ...namedIn(message.acls)].filter(userId => isGone(draft, userId)) })
  addressAbout(draft, message)
  draft.putMessage({ ...message, sender, editPosition: view.record.position }, body)
  return view
}

export function deleteMessages (draft: Draft, { channelId, messageIds, actor }: DeleteMessages): void {
  const { channelKey } = draft.channel(channelId)
  for (const messageId of messageIds) {
    const message = deletableMessage(draft, draft.channelByKey(channelKey), messageId, actor)
    erase(draft, message.position)
    draft.put('message', messageId, { ...message, present: false })
    countListed(draft, channelKey, message.acls, -1)
    draft.write({ kind: 'message-deleted', lane: lanes.event, messageId, messagePosition: message.position }, {
      channel: draft.channelByKey(channelKey), ...listsOf(message)
    })
    addressAbout(draft, message)
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

/** A message of this channel that the actor may change: what its sender said, which it may do also where it may not read it. */
function ownMessage (draft: Draft, channel: ChannelRecord, messageId: string, actor: Actor): MessageRecord {
  const message = draft.get('message', messageId)
  if (isPresent(message, channel) && (actor === SYSTEM || message.sender.userId === actor)) return message
  mustBeReadable(draft, message, channel, messageId, actor)
  throw refuse('missingPrivilege', 'Only the sender of a message, and the application, may change it')
}

/** A message of this channel that the actor may delete, whether it may read it or not. */
function deletableMessage (draft: Draft, channel: ChannelRecord, messageId: string, actor: Actor): MessageRecord {
  const message = draft.get('message', messageId)
  const caller = callerIn(draft, channel, actor)
  if (!isPresent(message, channel)) return mustBeReadable(draft, message, channel, messageId, actor)
  const decision = decideOfMessage('delete_message', { senderId: message.sender.userId, lists: message.acls, channelLists: channel.acls }, caller)
  if (decision.allowed || decide('delete_messages_from_channel', channel.acls, caller).allowed) return message
  mustBeReadable(draft, message, channel, messageId, actor)
  throw refusalOf('delete_message', decision, () => refuse('missingPrivilege', 'Only the sender of a message, and the application, may delete it'))
}

/** Whoever may not read it does not learn whether it exists; a stranger to the channel neither. */
function mustBeReadable (draft: Draft, message: MessageRecord | undefined, channel: ChannelRecord, messageId: string, actor: Actor): MessageRecord {
  if (isPresent(message, channel) && mayRead(draft, message, channel, actor, true)) return message
  mustBeAllowed('read_from_channel', channel, callerIn(draft, channel, actor))
  throw refuse('messageNotFound', messageId)
}
