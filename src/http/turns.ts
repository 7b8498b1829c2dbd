/**
 * Whose turn it is to be answered with content, or to have a large body read. Either blocks the event loop for up to 50 ms:
 * however many come at once, they have only so much of one turn of the loop, and between two turns everybody else is served,
 * senders and streams above all. What is left waits, and all who wait are let on one after the other, however much one of them
 * asks for. A caller's right to read is looked at when its turn has come, and so is whether there is room for the answer
 * (unread.ts). Replays have turns of their own (src/relay/turns.ts).
 */
import { setImmediate as nextTurnOfLoop } from 'node:timers/promises'
import type { FastifyInstance, onRequestHookHandler } from 'fastify'
import { NOBODY, type Identify, type Identity } from '../auth/authenticate.ts'
import { refuse } from '../errors.ts'
import { FairQueue } from '../fair-queue.ts'
import { isRead, shownBy } from './callers.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** In whose name it is made, before it is known whether it may be: for what is shared out among callers. */
    caller: Identity['caller']
  }
}

/** Of one turn of the loop, in milliseconds. What has begun is finished. */
const TURN_MS = 3

/** As a share of the time that a stop may take: who has waited for longer is told to come back. */
const WAITING_SHARE = 1 / 3

export class Turns {
  /** When the first of this turn of the loop began; undefined: there was none. */
  #since: number | undefined
  readonly #waiting = new FairQueue<() => void>()
  #lettingOn = false

  /**
   * Resolves when there is time: what follows without waiting for anything is the caller's turn.
   * @param caller of all who wait, one after the other has one of its turns
   */
  next (caller: string): Promise<void> {
    return new Promise(resolve => {
      this.#waiting.push(caller, resolve)
      if (!this.#lettingOn) this.#letOn()
    })
  }

  async #letOn (): Promise<void> {
    this.#lettingOn = true
    while (this.#waiting.length > 0) {
      while (!this.#hasTime()) await nextTurnOfLoop()
      this.#waiting.shift()!()
      await allThatFollows()
    }
    this.#lettingOn = false
  }

  #hasTime (): boolean {
    if (this.#since !== undefined) return performance.now() - this.#since < TURN_MS
    this.#since = performance.now()
    // Not at the end of this one: what waits goes on there, and that would be the same turn still.
    setImmediate(() => setImmediate(() => { this.#since = undefined }))
    return true
  }
}

/** Resolves when what was just resolved has led to all that it leads to without waiting. */
const allThatFollows = (): Promise<void> => new Promise(resolve => process.nextTick(resolve))

/**
 * Gives every request its `identity` and its `caller`.
 * @param turns also those of large bodies (body.ts)
 * @param closeWithinMs how long a stop may take, in milliseconds
 * @returns an `onRequest` hook, for routes whose GETs answer with content: call before the hooks that look at the caller
 */
export function takeTurns (app: FastifyInstance, turns: Turns, identify: Identify, closeWithinMs: number): onRequestHookHandler {
  app.decorateRequest('caller', NOBODY)
  app.decorateRequest('identity')
  let closingSince: number | undefined
  app.addHook('preClose', done => {
    closingSince = performance.now()
    done()
  })
  return (request, reply, done) => {
    const { method, raw: { socket } } = request
    request.identity = identify(shownBy(request))
    request.caller = request.identity.caller
    if (!isRead(method) || request.routeOptions.config.eventStream === true) return done()
    turns.next(request.caller).then(() => {
      if (socket.destroyed) return // nobody is there to be answered
      const late = closingSince !== undefined && performance.now() - closingSince > closeWithinMs * WAITING_SHARE
      done(late ? refuse('unavailable') : undefined)
    }, done)
  }
}
