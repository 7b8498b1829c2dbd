/** Timelines (protocol 5): who may write what about whom. */
import { refuse } from '../errors.ts'
import type { Caller } from './access.ts'
import { mustBeAllowed, type ListedChannel } from './access-refusals.ts'

/** When a message was sent: the service adds one where the sender gave none. */
export const SENT_TIME = 'mitter.mtet.SentTime'

/** What happens to messages; a muted member may say these. */
export const MESSAGE_EVENT_TYPES = [
  SENT_TIME, 'mitter.mtet.ReceivedTime', 'mitter.mtet.DeliveredTime', 'mitter.mtet.ReadTime', 'mitter.mtet.DeletedTime'
]

/** The one standard type with mitter's own prefix. */
const CREATION_TIME = 'io.mitter.types.timeline.CreationTime'

/** Whether a type may be used at all: custom ones stay out of mitter's own names. */
export function isEventType (type: string): boolean {
  return !type.startsWith('io.mitter') || type === CREATION_TIME
}

/** Throws where a user's event is about another: receipts could be forged. */
export function mustBeOwnEvent (userId: string, { subject }: { subject: string }): void {
  if (subject !== userId) throw refuse('missingPrivilege', 'The subject of a user\'s timeline event is the user itself: name yourself')
}

/** Throws where a user may not add this event to a channel's timeline. Whoever is in it and may read it may say what happened to messages. */
export function mustAddEvent (channel: ListedChannel, caller: Caller, event: { type: string, subject: string }): void {
  mustBeAllowed('read_from_channel', channel, caller)
  mustBeOwnEvent(caller.userId, event)
  mustBeSaying(channel, caller, event)
}

/**
 * As `mustAddEvent`, to the timelines of messages of the channel that the user may read.
 * @param named each of the messages names the user
 */
export function mustAddMessageEvent (channel: ListedChannel, caller: Caller, event: { type: string, subject: string }, named: boolean): void {
  if (!named) mustBeAllowed('read_from_channel', channel, caller)
  mustBeOwnEvent(caller.userId, event)
  if (!named || !isReceipt(event)) mustBeSaying(channel, caller, event)
}

const isReceipt = ({ type }: { type: string }): boolean => MESSAGE_EVENT_TYPES.includes(type)

function mustBeSaying (channel: ListedChannel, caller: Caller, event: { type: string }): void {
  if (!isReceipt(event)) return mustBeAllowed('send_to_channel', channel, caller)
  if (caller.standing === undefined) throw refuse('actorNotInGroup', channel.channelId)
}
