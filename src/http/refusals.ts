/** How the OpenAPI document tells of errors: one response for each status, and which of them a route may answer. */
import { Type, type TUnsafe } from 'typebox'
import { ErrorEnvelope } from '../../schemas/common.ts'
import { refuse, refuseWith, type Refusal } from '../errors.ts'
import { envelopeOf } from './envelope.ts'

interface Told {
  /** The name of the component. */
  name: string
  description: string
  example: Refusal
  headers?: Response['headers']
}

/** Of the document, as the document's own types have it. */
interface Response {
  description: string
  headers?: Record<string, { description: string, schema: { type: 'integer', examples: number[] } }>
  content: { 'application/json': { schema: { $ref: string }, example: ErrorEnvelope } }
}

const channel = 'football-fans'

const told = {
  400: {
    name: 'BadRequest',
    description: 'The request is not as it is described here: the message says what would be right, diagnostics.field where it is',
    example: refuseWith('invalidAttribute', { diagnostics: { field: 'body/groupType' } }, 'body/groupType must be one of public, private, strict_private')
  },
  401: {
    name: 'Unauthorized',
    description: 'There are no credentials, or they are wrong, revoked or expired',
    example: refuse('noCredentials')
  },
  403: {
    name: 'Forbidden',
    description: 'The caller may not do this; where it is about a channel, reason says why',
    example: refuse('notAdmin', channel)
  },
  404: {
    name: 'NotFound',
    description: 'What the path, the query, the body or X-Mitter-Sudo-User-Id names is not there',
    example: refuse('channelNotFound', channel)
  },
  406: {
    name: 'NotAcceptable',
    description: 'Accept does not allow text/event-stream',
    example: refuse('notAcceptable', 'This route answers text/event-stream only: send that, or nothing, as Accept')
  },
  409: {
    name: 'Conflict',
    description: 'The id is taken, or what is there already does not allow this; reason says why',
    example: refuse('channelExists', channel)
  },
  413: {
    name: 'ContentTooLarge',
    description: 'The body has more than 262,144 bytes, a text more than 65,536 bytes, or a list too many items',
    example: refuse('limitExceeded', 'The body is larger than 262144 bytes: send less')
  },
  414: {
    name: 'UriTooLong',
    description: 'A segment of the path has more than 9,855 characters',
    example: refuse('uriTooLong', 'A part of the path is too long: an id has at most 72 characters, a list at most 45 ids')
  },
  415: {
    name: 'UnsupportedMediaType',
    description: 'The body is not sent as application/json',
    example: refuse('unsupportedMediaType', 'Send the body as JSON, with Content-Type: application/json')
  },
  422: {
    name: 'IdempotencyMismatch',
    description: 'The Idempotency-Key was used for another request',
    example: refuse('idempotencyMismatch')
  },
  500: {
    name: 'UnknownError',
    description: 'Something went wrong in the service; the instanceId finds it in its log',
    example: refuse('unknownError')
  },
  501: {
    name: 'NotImplemented',
    description: 'The request asks for something of mitter\'s API that this service does not have yet',
    example: refuse('notImplemented', 'Finding channels by metadata')
  },
  503: {
    name: 'Unavailable',
    description: 'The service cannot do it now, or cannot confirm that it has: a write that is repeated under its Idempotency-Key is settled',
    example: refuse('unavailable'),
    headers: { 'Retry-After': { description: 'When to try again, in seconds', schema: { type: 'integer', examples: [1] } } }
  }
} satisfies Record<number, Told>

export type RefusalStatus = keyof typeof told

/** For a route's `response`: statuses that it may refuse with, besides those that follow from what it takes. */
export function refuses<const Statuses extends RefusalStatus[]> (...statuses: Statuses): { [Status in Statuses[number]]: TUnsafe<ErrorEnvelope> } {
  const entries = statuses.map(status => [status, Type.Unsafe<ErrorEnvelope>({ description: told[status].description })])
  return Object.fromEntries(entries)
}

/** What every route behind authentication may answer. */
export const refusals = refuses(400, 401, 403, 404, 500, 503)

/** What of a route its statuses follow from. */
interface Taking {
  method: string | string[]
  params?: unknown
  headers?: unknown
}

/** Statuses that follow from what a route takes, so that no route has to name them. */
export function impliedStatuses ({ method, params, headers }: Taking): RefusalStatus[] {
  // Fastify reads the body of any other method, whether the route wants one or not.
  const readsBodies = method !== 'GET'
  const takesKeys = Object.hasOwn((headers as { properties?: object } | undefined)?.properties ?? {}, 'idempotency-key')
  return [...(readsBodies ? [413, 415] as const : []), ...(params === undefined ? [] : [414] as const), ...(takesKeys ? [422] as const : [])]
}

/** The document's `components.responses`. */
export function refusalComponents (): Record<string, Response> {
  return Object.fromEntries(Object.values<Told>(told).map(({ name, description, example, headers }) => [name, {
    description,
    ...(headers === undefined ? {} : { headers }),
    content: { 'application/json': { schema: { $ref: '#/components/schemas/ErrorEnvelope' }, example: exampleOf(example) } }
  }]))
}

/** The component that stands for a status, or nothing where the status is not one of ours. */
export function refusalReference (status: string): { $ref: string } | undefined {
  const entry = told[Number(status) as RefusalStatus] as Told | undefined
  return entry && { $ref: `#/components/responses/${entry.name}` }
}

/** As it would be answered; the same in every run. */
function exampleOf (refusal: Refusal): ErrorEnvelope {
  return { ...envelopeOf(refusal, '0a1b5d7e-58a1-4d3c-9a57-8f1c2f4f9a10'), timestamp: 1732240000000 }
}
