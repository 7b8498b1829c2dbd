/**
 * Answers that nobody reads. What a reader does not take stays in this process, so whoever asks for much and reads nothing
 * could fill it. Hence three bounds (protocol 1, rule 9):
 *
 * - Of the requests on one connection one is under way. Node reads all that are sent ahead (pipelining) at once; each begins
 *   when the answer before it has been written out to the socket, and meanwhile no more are read.
 * - An answer of which its reader takes nothing for a while is cut, and its connection with it. What can be seen is what the
 *   kernel takes, in steps of up to several MiB: a large answer has as much longer as it takes to read all of it steadily.
 * - What waits on all connections is bounded in sum, and of that what waits for one user. Beyond either, what would be
 *   answered with content is refused before any work is done, and answers that have waited for some seconds are cut, so that
 *   there is room for whoever comes next.
 *
 * An answer counts from when it is sent. Those being read from the store come on top: that is one at a time, with the
 * embedded one, because each is begun in a turn of its own (turns.ts) and reads wait for nothing. Event streams have a rule
 * of their own (src/relay/stream.ts).
 */
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { refuse } from '../errors.ts'
import { untakenOf } from '../untaken.ts'
import { SYSTEM } from '../store/contract/commands.ts'

export interface UnreadBounds {
  /** Bytes that wait on all connections together: 256 MiB unless given. */
  mostBytes?: number
  /** A small answer of which nothing is taken for this long is cut, in milliseconds: 30 s unless given. */
  stalledMs?: number
  /** Whoever reads as many bytes a second is never cut: 64 KiB unless given. */
  leastRate?: number
  /** Where there is no room, one that has waited for this long is cut, in milliseconds: 5 s unless given. */
  spareMs?: number
}

/** Of what may wait on all connections together, how much may wait for one user. */
const USERS_SHARE = 1 / 4

/** Requests that may wait on one connection. Each costs a few KiB; who sends more ahead is cut. */
const MOST_WAITING = 256

/** How often it is looked which answers are taken, in milliseconds at most. */
const LOOK_MS = 1_000

/** Characters from which on a text is turned into bytes here. */
const LONG_TEXT = 16 * 1024

/** What one connection is doing. */
interface Connection {
  /** To the request that came last. */
  last: FastifyReply
  /** Requests that wait for their turn. */
  waiting: number
}

/** The header may be the route's, or Fastify's, which puts it there while it closes. */
function endsConnection (reply: FastifyReply): boolean {
  return !reply.raw.shouldKeepAlive || reply.getHeader('connection') === 'close' || reply.raw.getHeader('connection') === 'close'
}

/** Call before any other hook is added. Returns an `onRequest` hook, for the routes that answer with content. Throws `overloaded`. */
export function boundUnread (app: FastifyInstance, bounds: UnreadBounds = {}): (request: FastifyRequest, reply: unknown, done: () => void) => void {
  const { mostBytes = 256 * 1024 * 1024, stalledMs = 30_000, leastRate = 64 * 1024, spareMs = 5_000 } = bounds
  const connections = new WeakMap<Socket, Connection>()
  const unread = new UnreadAnswers()
  // Not a socket's own time, which begins anew with whatever its client says.
  const looking = setInterval(() => unread.cutStalled(), Math.min(LOOK_MS, stalledMs / 4)).unref()
  app.addHook('onClose', async () => clearInterval(looking))

  app.addHook('onRequest', ({ raw: { socket } }, reply, done) => {
    const connection = connections.get(socket)
    if (connection === undefined) {
      connections.set(socket, { last: reply, waiting: 0 })
      socket.once('close', () => connections.delete(socket))
      return done()
    }
    const before = connection.last
    connection.last = reply
    if (before.raw.closed) return done()
    if (++connection.waiting > MOST_WAITING) {
      socket.destroy()
      return
    }
    socket.pause()
    before.raw.once('close', () => {
      socket.pause() // Node has resumed it, to read the rest of the request before
      // In a turn of its own: what was sent ahead on one connection is not to hold up the others.
      setImmediate(() => {
        // Nobody is there to be answered, or the answer before was the last one (RFC 9112, 9.6).
        if (socket.destroyed || endsConnection(before)) return
        if (--connection.waiting === 0) socket.resume()
        socket.setTimeout(0)
        done()
      })
    })
  })

  app.addHook('onSend', (request, { raw: response }, payload, done) => {
    // Nobody is there to take it, and nothing more would be heard of it.
    if (response.closed || response.destroyed) return done(null, payload)
    // A long text takes up to three times its bytes while Node writes it; what is bytes already takes just those.
    const sent = typeof payload === 'string' && payload.length > LONG_TEXT ? Buffer.from(payload) : payload
    done(null, sent)
    // Most answers are taken at once, by the kernel: they wait for nobody.
    if (response.writableEnded && response.writableLength === 0) return
    const bytes = typeof sent === 'string' || Buffer.isBuffer(sent) ? Buffer.byteLength(sent) : 0
    unread.add(response, bytes, request.caller, stalledMs + Math.round(bytes / leastRate * 1_000))
    response.once('finish', () => unread.delete(response))
    response.once('close', () => unread.delete(response))
  })

  return (request, _reply, done) => {
    const { method, caller } = request
    const share = caller === SYSTEM ? mostBytes : mostBytes * USERS_SHARE
    const isFull = unread.bytes >= mostBytes
    if (!isFull && unread.bytesOf(caller) < share) return done()
    // What takes something away, a right above all, answers nothing.
    if (method === 'DELETE' || request.routeOptions.config.eventStream === true) return done()
    if (isFull) unread.cut(unread.bytes - mostBytes, spareMs)
    else unread.cut(unread.bytesOf(caller) - share, spareMs, caller)
    throw refuse('overloaded')
  }
}

interface Unread {
  bytes: number
  caller: string
  since: number
  /** How long nothing of it may be taken, in milliseconds. */
  patienceMs: number
  /** When something was last, and what was left then, in bytes. */
  takenAt: number
  untaken: number | undefined
}

/** Answers that their readers have not taken yet. */
class UnreadAnswers {
  /** The oldest first. */
  readonly #answers = new Map<ServerResponse, Unread>()
  readonly #byCaller = new Map<string, number>()
  /** Of all together. */
  bytes = 0

  bytesOf (caller: string): number {
    return this.#byCaller.get(caller) ?? 0
  }

  add (response: ServerResponse, bytes: number, caller: string, patienceMs: number): void {
    const now = performance.now()
    this.#answers.set(response, { bytes, caller, since: now, patienceMs, takenAt: now, untaken: undefined })
    this.#count(caller, bytes)
  }

  delete (response: ServerResponse): void {
    const answer = this.#answers.get(response)
    if (answer === undefined) return
    this.#answers.delete(response)
    this.#count(answer.caller, -answer.bytes)
  }

  #count (caller: string, more: number): void {
    this.bytes += more
    const bytes = this.bytesOf(caller) + more
    if (bytes > 0) this.#byCaller.set(caller, bytes)
    else this.#byCaller.delete(caller)
  }

  /** Cuts those of which nothing was taken for too long. */
  cutStalled (): void {
    const now = performance.now()
    for (const [{ socket }, answer] of this.#answers) {
      const untaken = socket === null ? undefined : untakenOf(socket)
      if (untaken !== answer.untaken) Object.assign(answer, { untaken, takenAt: now })
      else if (now - answer.takenAt > answer.patienceMs) socket?.destroy()
    }
  }

  /**
   * Cuts as many as it takes of those that have waited for long. What they hold is free when their connections are closed.
   * @param tooMuch bytes
   * @param spareMs those that have waited for less are left, in milliseconds
   * @param caller absent: of anybody
   */
  cut (tooMuch: number, spareMs: number, caller?: string): void {
    const now = performance.now()
    let left = tooMuch
    for (const [response, answer] of this.#answers) {
      if (left < 0 || now - answer.since < spareMs) return
      if (caller !== undefined && answer.caller !== caller) continue
      response.socket?.destroy()
      left -= answer.bytes
    }
  }
}
