/** Every error, wherever it comes from, in the one envelope (protocol 1, rules 6 and 10). */
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionError, FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Refusal, refuse } from '../errors.ts'
import type { ErrorEnvelope } from '../../schemas/common.ts'
import { LARGEST_BODY_BYTES } from './body.ts'

type Fault = Pick<Refusal, 'status' | 'code' | 'message'> & Partial<Pick<Refusal, 'reason' | 'diagnostics'>>

export function envelopeOf (fault: Fault, instanceId: string): ErrorEnvelope {
  return {
    error: STATUS_CODES[fault.status]!,
    message: fault.message,
    errorCode: fault.code,
    error_code: fault.code,
    ...(fault.reason === undefined ? {} : { reason: fault.reason }),
    instanceId,
    ...(fault.diagnostics === undefined ? {} : { diagnostics: fault.diagnostics }),
    timestamp: Date.now()
  }
}

/** Has the app answer unknown paths and whatever is thrown. */
export function answerErrors (app: FastifyInstance): void {
  // Node would answer an Expect that it cannot meet by itself: refuseBrokenRequests does.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response))
  noteAnswers(app.server)
  app.setErrorHandler(answerError)
  app.setNotFoundHandler((request, reply) =>
    answerError(refuse('notFound', `There is nothing at ${request.method} ${JSON.stringify(pathOf(request.url))}`), request, reply))
}

/** The path of a URL. Its query stays out of answers and logs: a token may stand in it. */
export function pathOf (url: string): string {
  const end = url.search(/[?#]/)
  return end === -1 ? url : url.slice(0, end)
}

/** Also Fastify's `frameworkErrors`: what goes wrong before there is a route. */
export function answerError (error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const refusal = refusalOf(error)
  if (refusal.refusal === 'unknownError') request.log.error({ err: error, req: request }, 'request failed')
  if (refusal.status === 503) reply.header('retry-after', '1')
  reply.code(refusal.status).type('application/json; charset=utf-8').send(JSON.stringify(envelopeOf(refusal, request.id)))
}

/** What Fastify refuses by itself, in our words. */
const frameworkRefusals: Record<string, () => Refusal> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () => refuse('limitExceeded', `The body is larger than ${LARGEST_BODY_BYTES} bytes: send less`),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () => refuse('unsupportedMediaType', 'Send the body as JSON, with Content-Type: application/json'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => refuse('badRequest', 'The body is not as long as Content-Length says: send all of it'),
  FST_ERR_BAD_URL: () => refuse('badRequest', 'The URL cannot be read: write a percent sign as %25, and other characters percent-encoded as UTF-8'),
  FST_ERR_MAX_PARAM_LENGTH: () => refuse('uriTooLong', 'A part of the path is too long: an id has at most 72 characters, a list at most 45 ids')
}

function refusalOf (error: unknown): Refusal {
  if (error instanceof Refusal) return error
  const { code, statusCode = 500 } = (error ?? {}) as Partial<FastifyError>
  const known = frameworkRefusals[code ?? '']
  if (known !== undefined) return known()
  return statusCode >= 400 && statusCode < 500 ? refuse('badRequest', 'The request could not be read: send it again, whole') : refuse('unknownError')
}

/** Told once of each request. */
const REQUEST_LATE = 'ERR_HTTP_REQUEST_TIMEOUT'

/** What Node refuses before there is a request, by its error code; anything else is a 400. */
const connectionFaults: Record<string, Fault> = {
  [REQUEST_LATE]: { status: 408, code: 'bad_request', message: 'The request took too long to arrive: send it again, faster' },
  HPE_HEADER_OVERFLOW: { status: 431, code: 'limit_exceeded', message: 'The URL and the headers are larger than 16 KiB together, or there are more than 1,000 headers: send less' },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: { status: 413, code: 'limit_exceeded', message: 'The extensions of a chunk are too large: leave them out' }
}
const unreadableRequest: Fault = { status: 400, code: 'bad_request', message: 'This is not a readable HTTP/1.1 request' }

/** By connection: the answer to the request that came last, given already or not. */
const lastAnswers = new WeakMap<Duplex, ServerResponse>()

/** By connection: a request that was late behind an answer that is under way; its own answer, once its headers are there. */
const lateRequests = new WeakMap<Duplex, { answer?: ServerResponse }>()

function noteAnswers (server: Server): void {
  server.prependListener('request', ({ socket }, response) => {
    lastAnswers.set(socket, response)
    const late = lateRequests.get(socket)
    if (late !== undefined) late.answer ??= response
  })
}

/**
 * Fastify's `clientErrorHandler`: answers on the bare socket, then closes it.
 * @param arrivalMs how long a request may take to arrive, in milliseconds
 */
export function answerConnectionErrors (arrivalMs: number) {
  const answerLate = (socket: Duplex): void => {
    if (!isHeldUp(socket)) return answerBare(socket, connectionFaults[REQUEST_LATE]!)
    // What comes behind answers that are under way could not come sooner (unread.ts): it has its time from the last of them on.
    const last = lastAnswers.get(socket)!
    const late = last.req.complete ? {} : { answer: last }
    lateRequests.set(socket, late)
    whenFree(socket, () => {
      const over = setTimeout(() => {
        if (late.answer?.req.complete !== true) answerBare(socket, connectionFaults[REQUEST_LATE]!)
      }, arrivalMs)
      socket.once('close', () => clearTimeout(over))
    })
  }
  return (error: ConnectionError, socket: Socket): void => {
    if (error.code === 'ECONNRESET') socket.destroy()
    else if (error.code === REQUEST_LATE) answerLate(socket)
    else answerBare(socket, connectionFaults[error.code] ?? unreadableRequest)
  }
}

const tunnelAsked: Fault = { status: 400, code: 'bad_request', message: 'CONNECT asks for a tunnel, and this is no proxy: ask for a path, with GET, POST, PATCH or DELETE' }

/** CONNECT has no route and no response: Node hands over the bare socket, or just closes it. */
export function answerTunnels (server: Server): void {
  server.on('connect', (request, socket) => {
    socket.on('error', () => {}) // the client went away
    answerBare(socket, tunnelAsked)
  })
}

/** The first answer that has not been written out to a connection yet; undefined where all requests so far were answered. */
export const answerUnderWay = (socket: Duplex): ServerResponse | undefined => (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined

/** Whether a whole request is still to be answered, or its answer to be taken: no more is read meanwhile. */
const isHeldUp = (socket: Duplex): boolean => answerUnderWay(socket)?.req.complete === true

/** Calls back once that is over, unless the connection is. */
function whenFree (socket: Duplex, free: () => void): void {
  if (socket.destroyed) return
  if (isHeldUp(socket)) answerUnderWay(socket)!.once('close', () => whenFree(socket, free))
  else free()
}

function answerBare (socket: Duplex, fault: Fault): void {
  if (!socket.writable || isAnswered(socket)) {
    socket.destroy()
    return
  }
  const body = JSON.stringify(envelopeOf(fault, randomUUID()))
  const head = `HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status]}\r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}

/**
 * Whether what is wrong with a connection has its answer already. One that has begun, an event stream above all, must not have
 * another written into it; nor may a request that is being carried out be answered with what is wrong behind it; and the rest
 * of one that was answered early has none of its own.
 */
function isAnswered (socket: Duplex): boolean {
  const underWay = answerUnderWay(socket)
  if (underWay !== undefined) return underWay.headersSent || underWay.req.complete
  return lastAnswers.get(socket)?.req.complete === false
}
