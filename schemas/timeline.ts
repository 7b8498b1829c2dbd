/** Timeline events (protocol 5). */
import { Type, type Static } from 'typebox'
import { audits, Id, LONGEST_FORWARD_PAGE, ref, Reference, ReferenceInput, Time } from './common.ts'

/** Timeline events that a channel or a message may come with (protocol 1, rule 9). */
export const MOST_CREATION_EVENTS = 64

/** Characters of a type of the caller's own. */
export const LONGEST_EVENT_TYPE = 128

const type = Type.String({
  minLength: 1,
  maxLength: LONGEST_EVENT_TYPE,
  description: 'What happened: a standard type (io.mitter.types.timeline.CreationTime, mitter.mtet.SentTime, .ReceivedTime, .DeliveredTime, .ReadTime, .DeletedTime) or one of your own, up to 128 characters, which may not begin with io.mitter',
  examples: ['mitter.mtet.ReadTime']
})
const eventTimeMs = Time('When it happened')

const exampleEvent = {
  identifier: '8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21',
  eventId: '8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21',
  type: 'mitter.mtet.SentTime',
  eventTimeMs: 1732240000000,
  subject: { identifier: '@amy' },
  audit: { createdAt: 1732240000000, updatedAt: 1732240000000 },
  auditInfo: { createdAt: 1732240000000, updatedAt: 1732240000000 }
}

export const TimelineEvent = Type.Object({
  identifier: Id('The id of the event', '8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21'),
  eventId: Id('The same as identifier', '8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21'),
  type,
  eventTimeMs,
  subject: ref(Reference, 'The user whom it concerns'),
  ...audits
}, {
  $id: 'TimelineEvent',
  description: 'Something that happened to a channel or a message, at a time, concerning a user',
  examples: [exampleEvent]
})
export type TimelineEvent = Static<typeof TimelineEvent>

export const TimelineEventInput = Type.Object({
  eventId: Type.Optional(Id('The id it is to have, 8 to 72 characters, and no UUID of version 8. Left out: one of those', 'read-by-amy-1')),
  type,
  eventTimeMs,
  subject: ref(ReferenceInput, 'The user whom it concerns: yourself; the application may name anyone')
}, {
  $id: 'TimelineEventInput',
  description: 'A timeline event to add',
  examples: [{ type: 'mitter.mtet.SentTime', eventTimeMs: 1732240000000, subject: '@amy' }]
})
export type TimelineEventInput = Static<typeof TimelineEventInput>

export const TimelineQuery = Type.Object({
  eventTypeFilter: Type.Optional(Type.String({ description: 'Only events of these types, comma-separated', examples: ['mitter.mtet.ReadTime,mitter.mtet.DeliveredTime'] })),
  after: Type.Optional(Type.String({ description: 'Those after the event with this id; of one channel or message only', examples: ['read-by-amy-1'] })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LONGEST_FORWARD_PAGE, default: LONGEST_FORWARD_PAGE, description: 'Events of each channel or message at most, 1 to 1,000', examples: [20] }))
})
export type TimelineQuery = Static<typeof TimelineQuery>

export const ChannelTimelineEntry = Type.Object({
  channelId: ref(Reference, 'The channel'),
  timelineEvent: ref(TimelineEvent)
}, {
  $id: 'ChannelTimelineEntry',
  description: 'An event on the timeline of a channel',
  examples: [{ channelId: { identifier: 'football-fans' }, timelineEvent: exampleEvent }]
})
export type ChannelTimelineEntry = Static<typeof ChannelTimelineEntry>

export const MessageTimelineEntry = Type.Object({
  messageId: ref(Reference, 'The message'),
  channelId: ref(Reference, 'The channel'),
  timelineEvent: ref(TimelineEvent)
}, {
  $id: 'MessageTimelineEntry',
  description: 'An event on the timeline of a message',
  examples: [{ messageId: { identifier: '3f0d8a52-0b4c-4f7e-8d53-2b7f0e6f6a11' }, channelId: { identifier: 'football-fans' }, timelineEvent: exampleEvent }]
})
export type MessageTimelineEntry = Static<typeof MessageTimelineEntry>

/** A checked `TimelineEventInput`, its references resolved to plain ids. */
export interface CheckedTimelineEvent {
  eventId?: string
  type: string
  /** Milliseconds since the epoch. */
  eventTimeMs: number
  subject: string
}
