/**
 * Compact frames (protocol 8): the data of an event with each thing said once, from the same data as mitter's clients read
 * it. Nothing is decided here: what a reader is told is the same in both forms.
 */
import type { AppliedAcls } from '../../schemas/access.ts'
import type { Channel } from '../../schemas/channel.ts'
import type { Message } from '../../schemas/message.ts'
import type { TimelineEvent } from '../../schemas/timeline.ts'
import { isOwnEventId } from '../rules/identifiers.ts'
import { SENT_TIME } from '../rules/timelines.ts'
import type { EntryKind } from '../store/contract/log.ts'

interface Reference {
  identifier: string
}

/** What the data of events holds, of all kinds. */
interface Payload {
  channelId: Reference
  messageId: Reference
  message: Message
  timelineEvent: TimelineEvent
  channel: Channel
  participantId: Reference
  relayStatus?: string
  oldStatus?: string
  roles?: string[]
  appliedAcls?: AppliedAcls
}

/** What a message is where its sender says nothing else. */
const ordinary = { messageType: 'Standard', payloadType: 'mitter.mt.Text' }

/** @param payload JSON text of an object: an entry's data as mitter's clients read it */
export function compactData (kind: EntryKind, payload: string): string {
  return JSON.stringify(compact(kind, JSON.parse(payload) as Payload))
}

function compact (kind: EntryKind, data: Payload): object {
  switch (kind) {
    case 'message':
    case 'message-updated':
      return compactMessage(data.message)
    case 'message-deleted':
      return { channel: data.channelId.identifier, id: data.messageId.identifier }
    case 'message-timeline':
      return { channel: data.channelId.identifier, id: data.messageId.identifier, ...added(data.timelineEvent) }
    case 'channel-timeline':
      return { channel: data.channelId.identifier, ...added(data.timelineEvent) }
    case 'channel':
      return compactChannel(data.channel)
    case 'participation':
      return {
        channel: data.channelId.identifier,
        user: data.participantId.identifier,
        status: data.relayStatus,
        oldStatus: data.oldStatus,
        ...(data.roles?.length === 0 ? {} : { roles: data.roles })
      }
    case 'participation-deleted':
      return { channel: data.channelId.identifier, user: data.participantId.identifier }
    case 'channel-acls-changed':
      return { channel: data.channelId.identifier, appliedAcls: data.appliedAcls }
    default:
      return { channel: data.channelId.identifier }
  }
}

function compactMessage (message: Message): object {
  const { channelId, messageId, senderId, textPayload: text, audit, editedAt, messageType, payloadType, messageData, timelineEvents, appliedAcls } = message
  const events = timelineEvents.filter(event => !isOfSending(event, message))
  return {
    channel: channelId.identifier,
    id: messageId,
    sender: senderId.identifier,
    text,
    at: audit.createdAt,
    editedAt,
    ...(messageType === ordinary.messageType ? {} : { messageType }),
    ...(payloadType === ordinary.payloadType ? {} : { payloadType }),
    ...(messageData.length === 0 ? {} : { messageData }),
    ...(events.length === 0 ? {} : { events: events.map(compactEvent) }),
    appliedAcls
  }
}

/** The event that the service put in front of the sender's own: it says again who sent the message, and when. */
function isOfSending ({ eventId, type, eventTimeMs, subject }: TimelineEvent, { senderId, audit }: Message): boolean {
  return type === SENT_TIME && isOwnEventId(eventId) && eventTimeMs === audit.createdAt && subject.identifier === senderId.identifier
}

function compactChannel ({ channelId, defaultRuleSet: ruleset, groupType, timelineEvents, appliedAcls, audit }: Channel): object {
  return {
    channel: channelId,
    ruleset,
    groupType,
    at: audit.createdAt,
    ...(timelineEvents.length === 0 ? {} : { events: timelineEvents.map(compactEvent) }),
    appliedAcls
  }
}

/** An event, and when it was added. */
const added = (event: TimelineEvent): object => ({ event: compactEvent(event), at: event.audit.createdAt })

const compactEvent = ({ eventId: id, type, subject, eventTimeMs: time }: TimelineEvent): object => ({ id, type, subject: subject.identifier, time })
