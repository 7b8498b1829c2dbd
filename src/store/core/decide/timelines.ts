/** Timeline events: those that come with a channel or a message, and those that are added. */
import { randomUUID } from 'node:crypto'
import { refuse } from '../../../errors.ts'
import { ownEventId, SYSTEM } from '../../../rules/identifiers.ts'
import { readersNamedIn } from '../../../rules/audience.ts'
import { mustAddEvent, mustAddMessageEvent, mustBeOwnEvent } from '../../../rules/timelines.ts'
import type { CheckedTimelineEvent, TimelineEvent } from '../../../../schemas/timeline.ts'
import type { Actor, AddChannelEvent, AddMessageEvent } from '../../contract/commands.ts'
import type { Draft } from '../draft.ts'
import { isPresent, lanes, type ChannelRecord, type MessageRecord } from '../records.ts'
import { timelineEventOf } from '../render/entities.ts'
import { addressAbout, listsOf, mayRead } from './audiences.ts'
import { callerIn } from './members.ts'

/** Events whose subjects there are, a user's its own only, and whose ids nobody has taken. */
export function mustBeNewEvents (draft: Draft, events: CheckedTimelineEvent[], actor: Actor): void {
  for (const event of events) {
    if (actor !== SYSTEM) mustBeOwnEvent(actor, event)
    else if (event.subject !== SYSTEM) draft.existingUser(event.subject)
    if (event.eventId !== undefined && draft.get('event', event.eventId) !== undefined) throw refuse('eventExists', event.eventId)
  }
}

/** As it is stored; one that brings no id gets one that no caller can have taken (rules/identifiers.ts). */
export function newEvent (event: CheckedTimelineEvent, at: number): TimelineEvent {
  return timelineEventOf({ ...event, eventId: event.eventId ?? ownEventId(randomUUID()) }, at)
}

/** The ids of events that have no entries of their own are kept apart. */
export function takeEventIds (draft: Draft, events: CheckedTimelineEvent[]): void {
  for (const { eventId } of events) if (eventId !== undefined) draft.put('event', eventId, { eventId, entry: false })
}

/** Keys of those whom events are about; the application, which is never deleted, apart. */
export function subjectKeys (draft: Draft, events: CheckedTimelineEvent[]): number[] {
  const others = new Set(events.map(({ subject }) => subject).filter(subject => subject !== SYSTEM))
  return [...others].map(subject => draft.existingUser(subject).userKey)
}

export function addChannelEvent (draft: Draft, { channelId, actor, event }: AddChannelEvent): string {
  const channel = draft.channel(channelId)
  if (actor !== SYSTEM) mustAddEvent(channel, callerIn(draft, channel, actor), event)
  mustBeNewEvents(draft, [event], actor)
  return addEvent(draft, channel, undefined, event)
}

/** The id of the first. */
export function addMessageEvent (draft: Draft, { channelId, messageIds, actor, event }: AddMessageEvent): string {
  const channel = draft.channel(channelId)
  const caller = callerIn(draft, channel, actor)
  const found = messageIds.map(messageId => {
    const message = draft.get('message', messageId)
    return isPresent(message, channel) && mayRead(draft, message, channel, actor, false) ? message : undefined
  })
  if (actor !== SYSTEM) mustAddMessageEvent(channel, caller, event, found.every(message => readersNamedIn(message?.acls).includes(actor)))
  mustBeNewEvents(draft, [event], actor)
  const messages = found.map((message, index) => {
    if (message === undefined) throw refuse('messageNotFound', messageIds[index]!)
    return message
  })
  return messages.map(message => addEvent(draft, channel, message, event))[0]!
}

function addEvent (draft: Draft, channel: ChannelRecord, message: MessageRecord | undefined, input: CheckedTimelineEvent): string {
  const event = newEvent(input, draft.at)
  const subject = draft.user(input.subject)!
  draft.put('event', event.eventId, { eventId: event.eventId, entry: true })
  draft.write({
    kind: message === undefined ? 'channel-timeline' : 'message-timeline',
    lane: lanes.event,
    senderKey: subject.userKey,
    eventId: event.eventId,
    eventType: event.type,
    ...(message === undefined ? {} : { messageId: message.messageId, messagePosition: message.position }),
    body: JSON.stringify(event)
  }, {
    channel: draft.channelByKey(channel.channelKey),
    sender: { userKey: subject.userKey, userId: subject.userId, deleted: false },
    ...(message === undefined ? {} : { message, ...listsOf(message) })
  })
  if (message !== undefined) addressAbout(draft, message)
  return event.eventId
}
