/** What an event stream is asked with (protocol 8). */
import { Type, type Static } from 'typebox'

const cursor = 'k3f9x2ab10qz-2a-9f3kq1'

export const StreamQuery = Type.Object({
  after: Type.Optional(Type.String({ description: 'Go on after this cursor; "earliest": from where retention begins. Left out: from now on. lastEventId and last_event_id are other names of it', examples: [cursor] })),
  lastEventId: Type.Optional(Type.String({ description: 'The same as after', examples: [cursor] })),
  last_event_id: Type.Optional(Type.String({ description: 'The same as after', examples: [cursor] })),
  format: Type.Optional(Type.Enum(['mitter', 'compact'], { type: 'string', description: 'What the data of events looks like: as mitter\'s clients read it, or with each thing said once. Left out: mitter', examples: ['compact'] })),
  access_token: Type.Optional(Type.String({ description: 'An event token, for clients that cannot set headers', examples: ['eyJhbGciOiJIUzUxMiJ9.e30.c2ln'] }))
})
export type StreamQuery = Static<typeof StreamQuery>

export const StreamHeaders = Type.Object({
  'last-event-id': Type.Optional(Type.String({ description: 'Go on after this cursor; wins over the query', examples: [cursor] })),
  accept: Type.Optional(Type.String({ description: 'Must allow text/event-stream', examples: ['text/event-stream'] }))
})
export type StreamHeaders = Static<typeof StreamHeaders>
