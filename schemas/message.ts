/** Messages (protocol 6). */
import { Type, type Static } from 'typebox'
import { AppliedAcls, AppliedAclsInput } from './access.ts'
import { audits, Id, ref, Reference, ReferenceInput, Time, unsupportedInput } from './common.ts'
import { MOST_CREATION_EVENTS, TimelineEvent, TimelineEventInput } from './timeline.ts'

/** Bytes of UTF-8 that a text may take, and items of data (protocol 1, rule 9). */
export const LONGEST_TEXT_BYTES = 65_536
export const MOST_MESSAGE_DATA = 64
/** Characters of a name of a kind of payload, or of data. */
const LONGEST_TYPE = 256

const exampleId = '3f0d8a52-0b4c-4f7e-8d53-2b7f0e6f6a11'
const exampleAudit = { createdAt: 1732240000000, updatedAt: 1732240000000 }

export const MessageDatum = Type.Object({
  dataType: Type.String({ maxLength: LONGEST_TYPE, description: 'What the data is, for its readers', examples: ['com.example.location'] }),
  data: Type.Unknown({ description: 'Any JSON. Numbers are IEEE 754 doubles, as everywhere in JavaScript: what has more than 15 digits is sent as a string', examples: [{ latitude: 52.5, longitude: 13.4 }] })
}, {
  $id: 'MessageDatum',
  description: 'Structured data that a message carries beside its text',
  examples: [{ dataType: 'com.example.location', data: { latitude: 52.5, longitude: 13.4 } }]
})
export type MessageDatum = Static<typeof MessageDatum>

export const MessageType = Type.Enum(['Standard', 'Notification', 'OutOfBand'], { type: 'string', $id: 'MessageType', description: 'How clients are to treat a message', examples: ['Standard'] })
export type MessageType = Static<typeof MessageType>

const payloadType = Type.String({ maxLength: LONGEST_TYPE, description: 'What the payload is', examples: ['mitter.mt.Text'] })
const textPayload = Type.String({
  'x-max-bytes': LONGEST_TEXT_BYTES,
  description: 'The text, up to 65,536 bytes of UTF-8',
  examples: ['Good morning!']
})
const messageData = Type.Array(ref(MessageDatum), {
  maxItems: MOST_MESSAGE_DATA, description: 'Structured data, up to 64 items', examples: [[]]
})

const exampleMessage = {
  messageId: exampleId,
  identifier: exampleId,
  channelId: { identifier: 'football-fans' },
  senderId: { identifier: '@amy' },
  messageType: 'Standard',
  payloadType: 'mitter.mt.Text',
  textPayload: 'Good morning!',
  messageData: [],
  timelineEvents: [],
  audit: exampleAudit,
  auditInfo: exampleAudit
}

export const Message = Type.Object({
  messageId: Id('The id of the message', exampleId),
  identifier: Id('The same as messageId', exampleId),
  channelId: ref(Reference, 'The channel it was sent to'),
  senderId: ref(Reference, 'The user who sent it; .system for the application, .deleted for a user who was deleted since'),
  messageType: ref(MessageType),
  payloadType,
  textPayload,
  messageData,
  timelineEvents: Type.Array(ref(TimelineEvent), { maxItems: MOST_CREATION_EVENTS + 1, description: 'What happened to it; the first says when it was sent', examples: [[]] }),
  editedAt: Type.Optional(Time('When its content was last changed; absent if it never was')),
  appliedAcls: Type.Optional(ref(AppliedAcls, 'Its own access control lists; absent where it has none')),
  ...audits
}, {
  $id: 'Message',
  description: 'A message of a channel',
  examples: [exampleMessage]
})
export type Message = Static<typeof Message>

export const MessageInput = Type.Object({
  messageId: Type.Optional(Id('The id it is to have, 8 to 72 characters. Left out: a UUID', 'greeting-1')),
  messageType: Type.Optional(ref(MessageType)),
  payloadType: Type.Optional(payloadType),
  senderId: Type.Optional(ref(ReferenceInput, 'Who sends it: yourself, which is the default; the application may name anyone')),
  textPayload,
  messageData: Type.Optional(messageData),
  timelineEvents: Type.Optional(Type.Array(ref(TimelineEventInput), { maxItems: MOST_CREATION_EVENTS, description: 'What happened to it already, up to 64', examples: [[]] })),
  appliedAcls: Type.Optional(ref(AppliedAclsInput, 'Its access control lists: who may read it, and delete it')),
  ...unsupportedInput
}, { $id: 'MessageInput', description: 'A message to send', examples: [{ textPayload: 'Good morning!' }] })
export type MessageInput = Static<typeof MessageInput>

export const MessageEdit = Type.Object({
  textPayload: Type.Optional(textPayload),
  messageData: Type.Optional(messageData)
}, { $id: 'MessageEdit', description: 'What to put in the place of a message\'s content: at least one of both', examples: [{ textPayload: 'Good evening!' }] })
export type MessageEdit = Static<typeof MessageEdit>

export const RelayOutcome = Type.Object({
  status: Type.Literal('relayed', { description: 'The message was stored and handed to every stream', examples: ['relayed'] }),
  recipientsCount: Type.Integer({ format: 'int64', minimum: 0, description: 'Members who receive it, the sender included, connected or not', examples: [2] }),
  cursor: Type.String({ maxLength: 64, description: 'The cursor of the message on event streams', examples: ['k3f9x2ab10qz-2a-9f3kq1'] })
}, { $id: 'RelayOutcome', description: 'What became of a message', examples: [{ status: 'relayed', recipientsCount: 2, cursor: 'k3f9x2ab10qz-2a-9f3kq1' }] })
export type RelayOutcome = Static<typeof RelayOutcome>

export const SentMessage = Type.Object({
  ...Message.properties,
  relay: ref(RelayOutcome, 'What became of it')
}, {
  $id: 'SentMessage',
  description: 'A message as stored, and what became of it',
  examples: [{ ...exampleMessage, relay: { status: 'relayed', recipientsCount: 2, cursor: 'k3f9x2ab10qz-2a-9f3kq1' } }]
})
export type SentMessage = Static<typeof SentMessage>
