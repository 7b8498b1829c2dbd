/** Who is calling (protocol 2): from headers and query to a principal. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { refuse, refuseWith } from '../errors.ts'
import { SYSTEM, type Actor } from '../store/contract/commands.ts'
import type { Store } from '../store/contract/store.ts'
import type { Credentials } from './credentials.ts'
import type { Principal, UserPrincipal } from './principal.ts'
import { verifySignature, type SignedRequest } from './signature.ts'
import type { Claims, Tokens } from './tokens.ts'

/** What a request says about its caller. `eventStream`: it asks for a stream, where event tokens are good. */
export interface Shown extends SignedRequest {
  query: unknown
  eventStream: boolean
}

/** Headers that say who calls. An empty one, or a second one, is a mistake of its sender's: 401. */
export const CREDENTIAL_HEADERS = ['Authorization', 'X-Issued-Mitter-User-Authorization', 'X-Mitter-Application-Id', 'X-Mitter-Application-Access-Key']

/** Throws `noCredentials`, `claimRejected`, and for sudo `invalidAttribute`, `missingPrivilege` and `userNotFound`. */
export type Authenticate = (request: Shown) => Promise<Principal>

/** Throws `claimRejected` where what a caller has shown is good no more: a token was revoked, the user deleted. */
export type StillHolds = (principal: Principal) => Promise<void>

/** In whose name a request is made, as far as what it shows vouches for that by itself: no store is asked. `NOBODY`: it shows nothing good. */
export type Identify = (request: Shown) => Actor | typeof NOBODY

export const NOBODY = ''

export interface IdentifyOptions {
  credentials: Credentials
  tokens: Pick<Tokens, 'verify'>
  /** Milliseconds since the epoch. */
  now?: () => number
}

export interface AuthenticateOptions extends IdentifyOptions {
  store: Pick<Store, 'userExists' | 'getToken' | 'append'>
}

export function createIdentify (options: IdentifyOptions): Identify {
  const vouchedBy = createVouchedBy(options)
  return request => {
    try {
      const [shown] = credentialsOf(request)
      if (shown === undefined) return NOBODY
      const vouched = vouchedBy(shown, request)
      return vouched.kind === 'user' ? vouched.claims.userId : header(request.headers, 'x-mitter-sudo-user-id') ?? SYSTEM
    } catch {
      return NOBODY // it will be told why
    }
  }
}

export function createAuthenticate ({ store, ...options }: AuthenticateOptions): Authenticate {
  const vouchedBy = createVouchedBy(options)

  return async function authenticate (request) {
    mustNotBeEmpty(request.headers)
    const applicationId = header(request.headers, 'x-mitter-application-id')
    if (applicationId !== undefined && applicationId !== options.credentials.applicationId) {
      throw refuse('claimRejected', 'X-Mitter-Application-Id names another application: send this one\'s id, or leave the header out')
    }
    const principals: Principal[] = []
    let nonce: string | undefined
    for (const shown of credentialsOf(request)) {
      const vouched = vouchedBy(shown, request)
      if (vouched.kind === 'application') nonce ??= vouched.nonce
      principals.push(vouched.kind === 'application' ? { kind: 'application' } : userOf(vouched.claims, await lineageOf(store, vouched.claims)))
    }
    const [first, ...others] = principals
    if (first === undefined) throw refuse('noCredentials')
    if (others.some((other) => !same(first, other))) {
      throw refuse('claimRejected', 'The credentials of this call name different callers: send one of them only')
    }
    // Last, so that no refused call uses its nonce up; before sudo, so that a replay learns nothing about users.
    if (nonce !== undefined) await store.append({ type: 'take-nonce', actor: SYSTEM, nonce })
    return await sudo(first, header(request.headers, 'x-mitter-sudo-user-id'))
  }

  /** Acting as a user is for the application, and needs no token of that user. */
  async function sudo (principal: Principal, userId: string | undefined): Promise<Principal> {
    if (userId === undefined) return principal
    // Taken for none, it would make a user's call the application's.
    if (userId === '') throw refuseWith('invalidAttribute', { diagnostics: { field: 'headers/x-mitter-sudo-user-id' } }, 'X-Mitter-Sudo-User-Id is empty: name the user, or leave the header out')
    if (principal.kind === 'user') throw refuse('missingPrivilege', 'X-Mitter-Sudo-User-Id is for the application only: leave it out')
    if (!await store.userExists(userId)) throw refuse('userNotFound', userId)
    return { kind: 'user', userId, lineage: [], receiveOnly: false }
  }
}

/** What a credential vouches for by itself. `nonce`: of a signature, good for one call. */
type Vouched = { kind: 'application', nonce?: string | undefined } | { kind: 'user', claims: Claims }

function createVouchedBy ({ credentials, tokens, now = Date.now }: IdentifyOptions) {
  const ownBasic = digest(`${credentials.accessKey}:${credentials.accessSecret}`)

  /** Throws `claimRejected`. */
  return (shown: Credential, request: Shown): Vouched => {
    const { headers, eventStream } = request
    if (shown.kind === 'signature') return { kind: 'application', nonce: verifySignature(request, shown.value, credentials, now()) }
    if (shown.kind === 'basic') {
      // A browser page holds no application's secret: where one sends it, something has gone wrong.
      if (header(headers, 'origin') !== undefined) throw refuse('claimRejected', 'The access key is not for browsers: call with a user token there')
      if (!timingSafeEqual(digest(Buffer.from(shown.value, 'base64')), ownBasic)) throw refuse('claimRejected', 'The access key or its secret is wrong')
      return { kind: 'application' }
    }
    const claims = tokens.verify(shown.value)
    if (shown.kind === 'query' && claims.use !== 'events') {
      throw refuse('claimRejected', 'A user token does not belong in a URL: get an event token with POST /v1/users/me/event-tokens and send that as access_token')
    }
    if (claims.use === 'events' && !eventStream) throw refuse('claimRejected', 'An event token is good for event streams only: send a user token')
    return { kind: 'user', claims }
  }
}

type Standing = Pick<Store, 'userExists' | 'getToken'>

export function createStillHolds (store: Standing): StillHolds {
  return async principal => {
    if (principal.kind === 'user') await lineageOf(store, { userId: principal.userId, userTokenId: principal.lineage[0] })
  }
}

/** The tokens that must stay unrevoked; throws where one of them is revoked, or the user is gone. */
async function lineageOf (store: Standing, { userTokenId, userId }: Pick<Claims, 'userId'> & { userTokenId?: string | undefined }): Promise<string[]> {
  if (userTokenId === undefined) {
    if (!await store.userExists(userId)) throw refuse('claimRejected', 'The user of this token was deleted')
    return []
  }
  const state = await store.getToken(userTokenId)
  if (!state?.live || state.userId !== userId) throw refuse('claimRejected', 'The token was revoked: ask for a new one')
  return state.lineage
}

/** One credential as it was sent; `query` is a token too, from the URL. */
interface Credential {
  kind: 'token' | 'query' | 'basic' | 'signature'
  value: string
}

/** All that the request shows; a second one must agree with the first. */
function credentialsOf ({ headers, query, eventStream }: Shown): Credential[] {
  const found: Credential[] = []
  const authorization = header(headers, 'authorization')
  if (authorization !== undefined) found.push(authorizationOf(authorization))
  const issued = header(headers, 'x-issued-mitter-user-authorization')
  if (issued !== undefined) found.push({ kind: 'token', value: issued })
  // Elsewhere it is an unknown query parameter, and ignored as such (protocol 1, rule 3).
  const inUrl = (query as { access_token?: unknown } | undefined)?.access_token
  if (eventStream && inUrl !== undefined) {
    if (typeof inUrl !== 'string') throw refuse('claimRejected', 'access_token is given more than once: send one')
    found.push({ kind: 'query', value: inUrl })
  }
  return found
}

function authorizationOf (authorization: string): Credential {
  const { scheme, value } = schemeOf(authorization)
  switch (scheme) {
    case 'bearer': return { kind: 'token', value }
    case 'basic': return { kind: 'basic', value }
    case 'auth': return { kind: 'signature', value }
    default: throw refuse('claimRejected', 'Authorization must be "Bearer <user token>", Basic with the access key and its secret, or a signature "Auth <access key>:<digest>"')
  }
}

/** Schemes are compared without regard to case (RFC 9110, 11.1). */
function schemeOf (authorization: string): { scheme: string, value: string } {
  const [, scheme = '', value = ''] = /^(\S*) *(.*)$/s.exec(authorization) ?? []
  return { scheme: scheme.toLowerCase(), value }
}

/** The `Content-Md5` that an authenticated call's signature vouches for; undefined: the call is not signed. */
export function signedMd5Of (headers: IncomingHttpHeaders): string | undefined {
  const authorization = header(headers, 'authorization')
  if (authorization === undefined || schemeOf(authorization).scheme !== 'auth') return undefined
  return header(headers, 'content-md5')
}

function userOf (claims: Claims, lineage: string[]): UserPrincipal {
  const receiveOnly = claims.use === 'events'
  const end = receiveOnly ? claims.parentExp : claims.exp
  return { kind: 'user', userId: claims.userId, lineage, receiveOnly, ...(end === undefined ? {} : { expiresAt: end * 1000 }) }
}

function same (one: Principal, other: Principal): boolean {
  return one.kind === 'user' ? other.kind === 'user' && one.userId === other.userId : other.kind === 'application'
}

function mustNotBeEmpty (headers: IncomingHttpHeaders): void {
  for (const name of CREDENTIAL_HEADERS) {
    if (header(headers, name.toLowerCase()) === '') throw refuse('claimRejected', `${name} is empty: give it its value, or leave it out`)
  }
}

function header (headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return value === undefined ? undefined : String(value)
}

/** Digests have one length, which a comparison in constant time needs. */
function digest (content: string | Buffer): Buffer {
  return createHash('sha256').update(content).digest()
}
