/** Timeline events (contract 5). */
import { Type, type Static } from 'typebox'
import { audits, ref, Reference, ReferenceInput, Time } from './common.ts'

/** Characters of a type of the caller's own. */
export const LONGEST_EVENT_TYPE = 128

const type = Type.String({
  minLength: 1,
  maxLength: LONGEST_EVENT_TYPE,
  description: 'What happened: a standard type (io.mitter.types.timeline.CreationTime, mitter.mtet.SentTime, .ReceivedTime, .DeliveredTime, .ReadTime, .DeletedTime) or one of your own, up to 128 characters, which may not begin with io.mitter',
  examples: ['mitter.mtet.ReadTime']
})
const eventTimeMs = Time('When it happened')

export const TimelineEvent = Type.Object({
  identifier: Type.String({ description: 'The id of the event', examples: ['8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21'] }),
  eventId: Type.String({ description: 'The same as identifier', examples: ['8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21'] }),
  type,
  eventTimeMs,
  subject: ref(Reference, 'The user whom it concerns'),
  ...audits
}, {
  $id: 'TimelineEvent',
  description: 'Something that happened to a channel or a message, at a time, concerning a user',
  examples: [{
    identifier: '8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21',
    eventId: '8d7c7f0e-3b7e-4a52-9c33-5f0f2c1f7b21',
    type: 'mitter.mtet.SentTime',
    eventTimeMs: 1732240000000,
    subject: { identifier: '@amy' },
    audit: { createdAt: 1732240000000, updatedAt: 1732240000000 },
    auditInfo: { createdAt: 1732240000000, updatedAt: 1732240000000 }
  }]
})
export type TimelineEvent = Static<typeof TimelineEvent>

export const NewTimelineEvent = Type.Object({
  eventId: Type.Optional(Type.String({ description: 'The id it is to have, 8 to 72 characters. Left out: a UUID', examples: ['read-by-amy-1'] })),
  type,
  eventTimeMs,
  subject: ref(ReferenceInput, 'The user whom it concerns: yourself; the application may name anyone')
}, {
  $id: 'NewTimelineEvent',
  description: 'A timeline event to add',
  examples: [{ type: 'mitter.mtet.SentTime', eventTimeMs: 1732240000000, subject: '@amy' }]
})
export type NewTimelineEvent = Static<typeof NewTimelineEvent>

/** A checked `NewTimelineEvent`, its references resolved to plain ids. */
export interface TimelineEventInput {
  eventId?: string
  type: string
  /** Milliseconds since the epoch. */
  eventTimeMs: number
  subject: string
}
