/** Who is calling, and what only some may do where the store does not decide it (protocol 7). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { takeNonce, type Authenticate, type Identity, type Shown } from '../auth/authenticate.ts'
import { rightOf, type Principal } from '../auth/principal.ts'
import { mustBeInTime, type Signature } from '../auth/signature.ts'
import { refuse } from '../errors.ts'
import type { GivenBy } from '../store/contract/commands.ts'
import type { Store } from '../store/contract/store.ts'
import { answerError, pathOf } from './envelope.ts'
import { idempotencyOf } from './idempotency.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who it says it is (turns.ts). */
    identity: Identity
    /** Present on every route behind authentication. */
    principal: Principal
    /** Of a signed request, as long as its nonce is to be taken. */
    unspent: Signature | undefined
    /** Its command is to ask whether its caller's right still holds, and was not given yet. */
    unasked: boolean
  }
  interface FastifyContextConfig {
    /** The route answers an event stream: event tokens are good here. */
    eventStream?: boolean
  }
}

/** What a request says about its caller. */
export function shownBy (request: FastifyRequest): Shown {
  const { method, url, headers, query } = request
  // Asked of a GET alone: Fastify makes up a route's options anew for each who asks.
  const eventStream = method === 'GET' && request.routeOptions.config.eventStream === true
  return { method, path: pathOf(url), headers, query, eventStream }
}

/** Requests that answer with content, and change nothing. */
export const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'

/**
 * Finds out who calls, or refuses: an `onRequest` hook, for routes whose requests are identified (turns.ts).
 *
 * The nonce of a signed request is taken once, before anything comes of it. Of one that reads, here. Of one that changes
 * something, by its command (`givenBy`), in the transaction that carries it out: that is one commit less. And where it comes
 * to no command, before its refusal is told: a replay is told that it is one, whatever is wrong with it besides. So it is with
 * tokens that were revoked, and with users that are gone: a command finds that out by itself, which is one read less.
 */
export function authenticated (callers: FastifyInstance, authenticate: Authenticate, store: Pick<Store, 'append'>) {
  callers.decorateRequest('principal')
  callers.decorateRequest('unspent')
  callers.decorateRequest('unasked', false)
  callers.setErrorHandler((err, request, reply) => answerAsked(authenticate, store, err, request, reply))

  return async (request: FastifyRequest): Promise<void> => {
    const { identity, method } = request
    const { signature } = identity
    if (isRead(method)) request.principal = await authenticate(identity)
    else {
      request.principal = await authenticate(identity, { command: true, later: signature => { request.unspent = signature } })
      request.unasked = true
    }
    // The body has not been read yet: whether it is the one that was signed, http/body.ts sees to.
    request.signedMd5 = signature?.md5
  }
}

/** Answers with an error: where no command has seen to it, when the nonce was taken, and the caller's right was found to hold. */
function answerAsked (authenticate: Authenticate, store: Pick<Store, 'append'>, err: unknown, request: FastifyRequest, reply: FastifyReply): void | Promise<void> {
  const { unspent, unasked, identity } = request
  if (unspent === undefined && !unasked) return answerError(err, request, reply)
  request.unspent = undefined
  request.unasked = false
  const asked = async () => {
    if (unspent !== undefined) await takeNonce(store, unspent, Date.now())
    if (unasked) await authenticate(identity, { later: () => {} })
  }
  return asked().then(() => answerError(err, request, reply), refusal => answerError(refusal, request, reply))
}

/** An `onRequest` hook: an empty segment of a path (`/v1/channels/`) names nothing (protocol 1, rule 5). */
export function refuseEmptySegments ({ params }: FastifyRequest, _reply: unknown, done: () => void): void {
  for (const name in params as Record<string, string>) {
    if ((params as Record<string, string>)[name] === '') throw refuse('notFound', 'The path has an empty id in it: write a # in an id as %23, and leave a slash at the end out')
  }
  done()
}

/**
 * What every command says of its caller: in whose name, by what right, and what makes it happen once. The command it is for
 * must be given at once: its nonce is the command's from here on.
 */
export function givenBy (request: FastifyRequest): GivenBy {
  return { ...rightOf(request.principal), ...onceOf(request) }
}

/** What makes a request happen once: its `Idempotency-Key`, and its nonce where it is signed. As `givenBy`. */
export function onceOf (request: FastifyRequest): Pick<GivenBy, 'idempotency' | 'nonce'> {
  const { unspent } = request
  const once = idempotencyOf(request)
  if (unspent !== undefined) mustBeInTime(unspent, Date.now())
  request.unspent = undefined
  request.unasked = false
  return unspent === undefined ? once : { ...once, nonce: unspent.nonce }
}

/** The user whom a path names: `me` is whoever calls. */
export function userOf (principal: Principal, userId: string): string {
  if (userId !== 'me') return userId
  if (principal.kind === 'user') return principal.userId
  throw refuse('missingContext', 'The application is not a user: name one in the place of "me", or add X-Mitter-Sudo-User-Id')
}

/** `what` as in `create users`. */
export function mustBeApplication (principal: Principal, what: string): void {
  if (principal.kind !== 'application') throw refuse('missingPrivilege', `Only the application may ${what}: call with its access key`)
}

/** The user whom a path names, if it is the caller or the application calls. `what` as in `read a user`. */
export function ownUserOf (principal: Principal, userId: string, what: string): string {
  const named = userOf(principal, userId)
  if (principal.kind === 'user' && principal.userId !== named) {
    throw refuse('missingPrivilege', `Only the user itself and the application may ${what}: name "me"`)
  }
  return named
}
