/** A connection that becomes an event stream is taken out of the HTTP server's hands: of its request nothing is kept. */
import { validateHeaderValue, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply } from 'fastify'
import { isLastOn } from './envelope.ts'

export const eventStreamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  // Nothing comes on it after the stream.
  connection: 'close'
}

/** Probes of the kernel's on a silent connection, in milliseconds. */
const KEEP_ALIVE_MS = 30_000

/**
 * Answers 200 with the headers that plugins have set (CORS); what follows is the caller's to write, and the socket too. The
 * headers leave with the first that is written in this turn of the loop.
 * @returns undefined where the client has gone
 */
export function takeConnection (reply: FastifyReply): { socket: Socket, chunked: boolean } | undefined {
  reply.hijack()
  const { raw: response } = reply
  const { socket } = response
  if (socket === null || socket.destroyed) return undefined
  const { httpVersionMajor, httpVersionMinor } = response.req
  const chunked = httpVersionMajor === 1 && httpVersionMinor >= 1
  const head = headOf(reply.getHeaders(), chunked)
  release(response, socket)
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  socket.cork()
  socket.write(head, 'latin1')
  process.nextTick(() => socket.uncork())
  return { socket, chunked }
}

/** Nearly all of every head. */
const heads = [false, true].map(chunked => textOf({ ...eventStreamHeaders, ...(chunked ? { 'transfer-encoding': 'chunked' } : {}) }))

const headOf = (others: Record<string, unknown>, chunked: boolean): string =>
  `HTTP/1.1 200 OK\r\n${heads[Number(chunked)]}${textOf(others)}date: ${new Date().toUTCString()}\r\n\r\n`

function textOf (headers: Record<string, unknown>): string {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().map(value => {
    validateHeaderValue(name, String(value))
    return `${name}: ${String(value)}\r\n`
  })).join('')
}

/**
 * Node's server is told that the answer was given and the connection closed, and so lets go of both, and of the parser, which
 * is most of what an idle connection keeps. Where requests were sent behind this one, their answers wait for its, and it
 * stays as it is: they would be written into the stream.
 */
function release (response: ServerResponse, socket: Socket): void {
  if (isLastOn(socket, response)) {
    response.emit('finish')
    socket.emit('close', false)
    socket.removeAllListeners()
    socket.on('data', ignore) // whatever a client still says: it is read, so that its end is heard
  }
  socket.removeAllListeners('timeout')
  socket.setTimeout(0)
  socket.on('error', ignore) // `close` follows
  socket.once('end', destroy)
}

function ignore (): void {}

function destroy (this: Socket): void {
  this.destroy()
}
