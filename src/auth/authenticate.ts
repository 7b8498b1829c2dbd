/** Who is calling (protocol 2): from headers and query to a principal. */
import { hash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { refuse, refuseWith } from '../errors.ts'
import { SYSTEM, type Actor } from '../store/contract/commands.ts'
import type { TokenState } from '../store/contract/reads.ts'
import type { Store } from '../store/contract/store.ts'
import type { Credentials } from './credentials.ts'
import type { Principal, UserPrincipal } from './principal.ts'
import { mustBeInTime, signatureVerifier, type Signature, type SignedRequest } from './signature.ts'
import { createStandings, type Standing } from './standing.ts'
import { mustNotHaveEnded, type Claims, type Tokens } from './tokens.ts'

/** What a request says about its caller. `eventStream`: it asks for a stream, where event tokens are good. */
export interface Shown extends SignedRequest {
  query: unknown
  eventStream: boolean
}

/** Headers that say who calls. An empty one, or a second one, is a mistake of its sender's: 401. */
export const CREDENTIAL_HEADERS = ['Authorization', 'X-Issued-Mitter-User-Authorization', 'X-Mitter-Application-Id', 'X-Mitter-Application-Access-Key']

export const NOBODY = ''

/** Who a request says that it is, as far as what it shows vouches for that by itself: no store was asked. */
export interface Identity {
  /** In whose name it is made. `NOBODY`: it shows nothing good. */
  caller: Actor | typeof NOBODY
  /** What each of its credentials vouches for; they name the same caller. */
  vouched: readonly Vouched[]
  /** Where one of them is a signature. */
  signature?: Signature
  /** As it was sent: the user whom the application acts as. */
  sudo: string | undefined
  /** Why it shows nothing good. */
  refusal?: unknown
}

type Vouched = { kind: 'application', signature?: Signature } | { kind: 'user', claims: Claims }

/** Never throws: whether the caller may be told, and when, others decide. */
export type Identify = (request: Shown) => Identity

export interface Call {
  /**
   * It comes to a command, or asks again without this before anything is told: whether its token, or the user that the
   * application acts as, is still good, may be left to that.
   */
  command?: boolean
  /**
   * Called, in the place of taking it, with a signature whose nonce is to be taken: before sudo, so that a replay learns
   * nothing about users, and after all else, so that no call with bad credentials uses a nonce up.
   */
  later?: (signature: Signature) => void
}

/** Throws `noCredentials`, `claimRejected`, and for sudo `invalidAttribute`, `missingPrivilege` and `userNotFound`. */
export type Authenticate = (identity: Identity, call?: Call) => Promise<Principal>

/** Throws `claimRejected` where what a caller has shown is good no more: a token was revoked, the user deleted. */
export type StillHolds = (principal: Principal) => Promise<void>

export interface IdentifyOptions {
  credentials: Credentials
  tokens: Pick<Tokens, 'verify'>
  /** Milliseconds since the epoch. */
  now?: () => number
}

export interface AuthenticateOptions {
  store: Pick<Store, 'userExists' | 'getToken' | 'append' | 'onCommitted' | 'onlyWriter'>
  /** Milliseconds since the epoch. */
  now?: () => number
}

export function createIdentify (options: IdentifyOptions): Identify {
  const { applicationId } = options.credentials
  const vouchedBy = createVouchedBy(options)

  function vouchedFor (request: Shown): Vouched[] {
    const { headers } = request
    mustNotBeEmpty(headers)
    const named = header(headers, 'x-mitter-application-id')
    if (named !== undefined && named !== applicationId) {
      throw refuse('claimRejected', 'X-Mitter-Application-Id names another application: send this one\'s id, or leave the header out')
    }
    const vouched = credentialsOf(request).map(shown => vouchedBy(shown, request))
    const [first] = vouched
    if (first === undefined) throw refuse('noCredentials')
    if (!vouched.every(other => isSame(first, other))) throw refuse('claimRejected', 'The credentials of this call name different callers: send one of them only')
    return vouched
  }

  return request => {
    const sudo = header(request.headers, 'x-mitter-sudo-user-id')
    try {
      const vouched = vouchedFor(request)
      const [first] = vouched as [Vouched]
      if (first.kind === 'user') return { caller: first.claims.userId, vouched, sudo }
      const { signature } = first
      return { caller: sudo ?? SYSTEM, vouched, sudo, ...(signature === undefined ? {} : { signature }) }
    } catch (refusal) {
      return { caller: NOBODY, vouched: [], sudo, refusal }
    }
  }
}

export function createAuthenticate ({ store, now = Date.now }: AuthenticateOptions): Authenticate {
  const standings = createStandings(store)

  return async function authenticate ({ vouched, signature, sudo, refusal }, { command = false, later } = {}) {
    if (refusal !== undefined) throw refusal
    const standing = command ? standings.beforeCommand : standings.now
    let principal: Principal | undefined
    for (const one of vouched) {
      const found = one.kind === 'application' ? APPLICATION : await userBy(one.claims, standing)
      principal ??= found
    }
    if (signature !== undefined) {
      if (later !== undefined) later(signature)
      else await takeNonce(store, signature, now())
    }
    return sudo === undefined ? principal! : await actingAs(principal!, sudo, standing)
  }

  /** Throws where the token has ended: it may have waited since it was identified. */
  async function userBy (claims: Claims, standing: Standing): Promise<Principal> {
    mustNotHaveEnded(claims, now())
    const lineage = lineageOf(standing, claims)
    return userOf(claims, lineage instanceof Promise ? await lineage : lineage)
  }

  /** Acting as a user is for the application, and needs no token of that user. */
  async function actingAs (principal: Principal, userId: string, standing: Standing): Promise<Principal> {
    // Taken for none, it would make a user's call the application's.
    if (userId === '') throw refuseWith('invalidAttribute', { diagnostics: { field: 'headers/x-mitter-sudo-user-id' } }, 'X-Mitter-Sudo-User-Id is empty: name the user, or leave the header out')
    if (principal.kind === 'user') throw refuse('missingPrivilege', 'X-Mitter-Sudo-User-Id is for the application only: leave it out')
    if (!await standing.userExists(userId)) throw refuse('userNotFound', userId)
    return { kind: 'user', userId, lineage: [], receiveOnly: false }
  }
}

const APPLICATION: Principal = { kind: 'application' }

/** Takes the nonce of a signed call that comes to no command which would. Throws `claimRejected` where it was used before. */
export async function takeNonce (store: Pick<Store, 'append'>, signature: Signature, now: number): Promise<void> {
  mustBeInTime(signature, now)
  await store.append({ type: 'take-nonce', actor: SYSTEM, nonce: signature.nonce })
}

function createVouchedBy ({ credentials, tokens, now = Date.now }: IdentifyOptions) {
  const ownBasic = digest(`${credentials.accessKey}:${credentials.accessSecret}`)
  const verifySignature = signatureVerifier(credentials)

  /** Throws `claimRejected`. */
  return (shown: Credential, request: Shown): Vouched => {
    const { headers, eventStream } = request
    if (shown.kind === 'signature') return { kind: 'application', signature: verifySignature(request, shown.value, now()) }
    if (shown.kind === 'basic') {
      if (!isFromOwnPageOrNone(headers)) throw refuse('claimRejected', 'The access key is not for web pages: call with a user token there')
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

/** Asks the store itself: a stream is begun once, and lasts. */
export function createStillHolds (store: Pick<Store, 'userExists' | 'getToken'>): StillHolds {
  return async principal => {
    if (principal.kind === 'user') await lineageOf(store, { userId: principal.userId, userTokenId: principal.lineage[0] })
  }
}

type Holder = Pick<Claims, 'userId'> & { userTokenId?: string | undefined }

/** The tokens that must stay unrevoked; throws where one of them is revoked, or the user is gone. */
function lineageOf (standing: Standing, { userTokenId, userId }: Holder): string[] | Promise<string[]> {
  if (userTokenId === undefined) return lineageOfNone(standing, userId)
  const state = standing.getToken(userTokenId)
  return state instanceof Promise ? state.then(state => liveLineage(state, userId)) : liveLineage(state, userId)
}

function liveLineage (state: TokenState | undefined, userId: string): string[] {
  if (!state?.live || state.userId !== userId) throw refuse('claimRejected', 'The token was revoked: ask for a new one')
  return state.lineage
}

/** Of an event token that the application had made, without a record of its own. */
async function lineageOfNone (standing: Standing, userId: string): Promise<string[]> {
  if (!await standing.userExists(userId)) throw refuse('claimRejected', 'The user of this token was deleted')
  return []
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

/**
 * Whether no page has sent a request, as far as browsers tell, or one of the service itself: /docs.
 *
 * Any other page that holds the application's secret was given it by mistake. A page of a name that an attacker has had
 * resolved to this service (DNS rebinding) looks like its own, and gains nothing by that: no browser adds the key by
 * itself, as it is never challenged for, so that only who knows the secret already can send it.
 */
function isFromOwnPageOrNone (headers: IncomingHttpHeaders): boolean {
  const origin = header(headers, 'origin')
  if (origin === undefined) return true
  // A page cannot set either of the two. What the browser says of schemes too, it says only over TLS and to this machine.
  const site = header(headers, 'sec-fetch-site')
  const host = URL.parse(origin)?.host
  return (site === undefined || site === 'same-origin') && host !== undefined && host !== '' && host === headers.host
}

/** Schemes are compared without regard to case (RFC 9110, 11.1). */
function schemeOf (authorization: string): { scheme: string, value: string } {
  const end = authorization.indexOf(' ')
  if (end === -1) return { scheme: authorization.toLowerCase(), value: '' }
  return { scheme: authorization.slice(0, end).toLowerCase(), value: authorization.slice(end + 1).replace(/^ +/, '') }
}

function userOf (claims: Claims, lineage: string[]): UserPrincipal {
  const receiveOnly = claims.use === 'events'
  const end = receiveOnly ? claims.parentExp : claims.exp
  return { kind: 'user', userId: claims.userId, lineage, receiveOnly, ...(end === undefined ? {} : { expiresAt: end * 1000 }) }
}

function isSame (one: Vouched, other: Vouched): boolean {
  return one.kind === 'user' ? other.kind === 'user' && one.claims.userId === other.claims.userId : other.kind === 'application'
}

const credentialNames = CREDENTIAL_HEADERS.map(name => name.toLowerCase())

function mustNotBeEmpty (headers: IncomingHttpHeaders): void {
  const empty = credentialNames.findIndex(name => headers[name] === '')
  if (empty !== -1) throw refuse('claimRejected', `${CREDENTIAL_HEADERS[empty]} is empty: give it its value, or leave it out`)
}

function header (headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return value === undefined ? undefined : String(value)
}

/** Digests have one length, which a comparison in constant time needs. */
function digest (content: string | Buffer): Buffer {
  return hash('sha256', content, 'buffer')
}
