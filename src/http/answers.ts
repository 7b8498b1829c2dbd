/** What answers have in common: ready-made JSON, cursors, counts, and how the OpenAPI document tells of them. */
import type { FastifyReply } from 'fastify'
import { RelayStatus } from '../../schemas/participation.ts'
import { Type, type Static, type TSchema, type TUnsafe } from 'typebox'

export { refusals, refuses } from './refusals.ts'

export const CURSOR_HEADER = 'x-event-cursor'
export const COUNT_HEADER = 'x-mitter-paginated-estimated-count'

const headerSchemas = {
  'X-Event-Cursor': { type: 'string', description: 'The cursor of the log at the moment of reading: a stream opened after it continues from here', examples: ['k3f9x2ab10qz-2a-9f3kq1'] },
  'X-Mitter-Paginated-Estimated-Count': { type: 'integer', format: 'int64', minimum: 0, description: 'How many there are, whatever the page holds', examples: [120] },
  Link: { type: 'string', description: 'Where more follows: the next page, as <URL>; rel="next" (RFC 8288)', examples: ['</v1/channels?before=football-fans>; rel="next"'] },
  'X-Relay-Status': { type: 'string', enum: RelayStatus.enum, description: 'The status that resulted', examples: ['active'] },
  'Preference-Applied': { type: 'string', description: 'return=representation, where Prefer asked for it', examples: ['return=representation'] }
}
type HeaderName = keyof typeof headerSchemas

/** Headers of the answer of a list that is counted. */
export const countedList = ['X-Event-Cursor', 'X-Mitter-Paginated-Estimated-Count', 'Link'] as const

/** A response schema: a named schema, or none, with a description and headers of its own. */
export function answer<Schema extends TSchema> (schema: Schema, description: string, ...headers: HeaderName[]): TUnsafe<Static<Schema>> {
  return Type.Unsafe<Static<Schema>>({ ...schema, description, ...documented(headers) })
}

/** A response without a body. */
export function noContent (description: string, ...headers: HeaderName[]): TUnsafe<void> {
  return Type.Unsafe<void>({ type: 'null', description, ...documented(headers) })
}

function documented (headers: HeaderName[]): object {
  return headers.length === 0 ? {} : { headers: Object.fromEntries(headers.map(name => [name, headerSchemas[name]])) }
}

/** How callers show who they are (protocol 2), on every route behind authentication. */
export const security = [{ bearer: [] }, { userToken: [] }, { basic: [] }, { signature: [] }]

/** Sends JSON text that is ready already, as it is. */
export function sendText (reply: Pick<FastifyReply, 'type'>, text: string): void {
  reply.type('application/json; charset=utf-8').send(text)
}

/** JSON text of an array of ready-made texts. */
export function arrayText (texts: string[]): string {
  return `[${texts.join(',')}]`
}

/** The answer of the routes that stream. */
export const eventStream = Type.Unsafe<never>({
  description: 'Frames, until either side ends it: id, the cursor to go on after; event, one of message, message-updated, message-deleted, ' +
    'messages-truncated, message-timeline, channel, channel-deleted, channel-timeline, participation, participation-deleted, channel-acls-changed, and of the stream ' +
    'itself ready, caught-up, checkpoint, gap, bye; data, one line of JSON. With format=compact an event without a name is a message, and data says each thing once: {"channel":"football-fans","id":"greeting-1","sender":"@amy","text":"Hello","at":1795485807092}. After a silence of 15,000 ms (HEARTBEAT_MS) a comment.',
  content: { 'text/event-stream': { schema: { type: 'string', examples: ['id: k3f9x2ab10qz-2a-9f3kq1\nevent: message\ndata: {"@type":"new-message-payload"}\n\n'] } } }
})
