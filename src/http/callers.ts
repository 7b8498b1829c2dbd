/** Who is calling, and what only some may do where the store does not decide it (protocol 7). */
import type { FastifyRequest } from 'fastify'
import { signedMd5Of, type Authenticate, type Shown } from '../auth/authenticate.ts'
import { rightOf, type Principal } from '../auth/principal.ts'
import { refuse } from '../errors.ts'
import type { GivenBy } from '../store/contract/commands.ts'
import { pathOf } from './envelope.ts'
import { idempotencyOf } from './idempotency.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Present on every route behind authentication. */
    principal: Principal
  }
  interface FastifyContextConfig {
    /** The route answers an event stream: event tokens are good here. */
    eventStream?: boolean
  }
}

/** What a request says about its caller. */
export function shownBy ({ method, url, headers, query, routeOptions: { config } }: FastifyRequest): Shown {
  return { method, path: pathOf(url), headers, query, eventStream: config.eventStream === true }
}

/** An `onRequest` hook that finds out who calls, or refuses. */
export function authenticated (authenticate: Authenticate) {
  return async (request: FastifyRequest): Promise<void> => {
    request.principal = await authenticate(shownBy(request))
    // The body has not been read yet: whether it is the one that was signed, http/body.ts sees to.
    request.signedMd5 = signedMd5Of(request.headers)
  }
}

/** An `onRequest` hook: an empty segment of a path (`/v1/channels/`) names nothing (protocol 1, rule 5). */
export async function refuseEmptySegments (request: FastifyRequest): Promise<void> {
  if (Object.values(request.params as Record<string, string>).includes('')) {
    throw refuse('notFound', 'The path has an empty id in it: write a # in an id as %23, and leave a slash at the end out')
  }
}

/** What every command says of its caller: in whose name, by what right, and under which `Idempotency-Key`. */
export function givenBy (request: FastifyRequest): GivenBy {
  return { ...rightOf(request.principal), ...idempotencyOf(request) }
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
