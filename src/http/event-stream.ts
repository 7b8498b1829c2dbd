/** Event streams over HTTP: from a request to a running stream (protocol 8). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { StillHolds } from '../auth/authenticate.ts'
import { refuse } from '../errors.ts'
import { byeFrame, type EndReason, type Format } from '../relay/frames.ts'
import type { Streams } from '../relay/streams.ts'
import type { Resume, StreamRequest, StreamStart } from '../store/contract/log.ts'
import type { Store } from '../store/contract/store.ts'
import { eventStreamHeaders, takeConnection } from './connection.ts'

/** What a cursor may look like, anybody's: what does not is not repeated in a frame. */
const echoable = /^[\x21-\x7e]{1,64}$/

export interface EventStreams {
  /** Answers with an event stream. Throws `Refusal` where the client shall not come back (401, 403, 404, 406). */
  serve (request: FastifyRequest, reply: FastifyReply, what: StreamRequest): Promise<void>
  /**
   * What a failure answers on a stream's route. The service's own is a 200 with `bye`, because an `EventSource`
   * gives up for ever on any other status (protocol 8, promise 8); any other is thrown on.
   */
  answerError (err: Error, request: FastifyRequest, reply: FastifyReply): void
}

export interface EventStreamsOptions {
  store: Pick<Store, 'openStream'>
  streams: Streams
  /** Throws where a caller's credentials have ended since. */
  stillHolds: StillHolds
}

export function eventStreams ({ store, streams, stillHolds }: EventStreamsOptions): EventStreams {
  return {
    async serve (request, reply, what) {
      mustAccept(request)
      const format = formatOf(request)
      if (streams.closedFor !== undefined) return sendAway(reply, streams.closedFor, format)
      const { principal } = request
      const asked = askedPlace(request)
      const start = await store.openStream(what, resumeOf(asked))
      const { lineage, expiresAt } = principal.kind === 'user' ? principal : { lineage: [], expiresAt: undefined }
      const stream = streams.attach({ interest: start.interest, format, lineage, expiresAt })
      try {
        // Asked again now that the hub would tell: between the first check and here the right may have ended.
        await stillHolds(principal)
        if (stream.ended === 'expired') throw refuse('claimRejected', 'The token was revoked: ask for a new one')
        const connection = stream.ended === undefined ? takeConnection(reply) : undefined
        if (connection !== undefined) return stream.run(connection, start, readyIdOf(start, asked))
      } catch (err) {
        stream.abandon()
        throw err
      }
      const { ended } = stream
      stream.abandon()
      if (ended !== undefined && ended !== 'gone') sendAway(reply, ended, format)
    },

    answerError (err, request, reply) {
      if (!isTemporary(err)) throw err
      const { closedFor } = streams
      if (closedFor === undefined) request.log.error({ err }, 'a stream could not be opened')
      sendAway(reply, closedFor ?? 'unavailable', formatOf(request))
    }
  }
}

/** Answers, with the headers that plugins have set (CORS), and asks to come back. */
function sendAway (reply: FastifyReply, reason: EndReason, format: Format): void {
  reply.hijack()
  const { raw: response } = reply
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) response.setHeader(name, value)
  response.writeHead(200, eventStreamHeaders).end(byeFrame(reason, format))
}

/** Of what was asked for; a name that is none was refused before (schemas/stream.ts). */
function formatOf (request: FastifyRequest): Format {
  return (request.query as { format?: unknown }).format === 'compact' ? 'compact' : 'mitter'
}

/** Of the ranges that match, the most specific one decides, whatever the others say (RFC 9110, 12.5.1). */
function mustAccept (request: FastifyRequest): void {
  const ranges = (request.headers.accept ?? '*/*').split(',').map(range => range.toLowerCase().split(';').map(part => part.trim()))
  const decisive = ['text/event-stream', 'text/*', '*/*'].map(type => ranges.filter(range => range[0] === type)).find(matching => matching.length > 0) ?? []
  if (decisive.every(([, ...parameters]) => parameters.some(parameter => /^q\s*=\s*0(\.0*)?$/.test(parameter)))) {
    throw refuse('notAcceptable', 'This route answers text/event-stream only: send that, or nothing, as Accept')
  }
}

/** The place a client goes on from: the header that an `EventSource` sends by itself wins. */
function askedPlace (request: FastifyRequest): string | undefined {
  const query = request.query as Record<string, unknown>
  const header = request.headers['last-event-id']
  const candidates = [header, query.after, query.lastEventId, query.last_event_id].flat()
  return candidates.find((place): place is string => typeof place === 'string' && place !== '')
}

/**
 * The id of `ready`: the place itself, or what was asked for where that was a gap, so that a client which is
 * cut before it reads of the gap still learns of it. None after `earliest`: a client comes back with that.
 */
function readyIdOf ({ place, gap }: StreamStart, asked: string | undefined): string | undefined {
  if (gap === undefined) return asked === 'earliest' ? undefined : place.cursor
  return asked !== undefined && echoable.test(asked) ? asked : undefined
}

function resumeOf (asked: string | undefined): Resume {
  if (asked === undefined) return { from: 'head' }
  return asked === 'earliest' ? { from: 'earliest' } : { from: 'cursor', cursor: asked }
}

/** Whether a failure is the service's own, on which a stream's client shall come back. */
function isTemporary (err: Error & { status?: number, statusCode?: number }): boolean {
  return (err.status ?? err.statusCode ?? 500) >= 500
}
