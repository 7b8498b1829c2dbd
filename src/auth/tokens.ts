/** User tokens and event tokens (protocol 2): what they say, and how they are made and checked. */
import { createHash, randomUUID } from 'node:crypto'
import { createSigner, createVerifier, TOKEN_ERROR_CODES } from 'fast-jwt'
import { Type, type Static } from 'typebox'
import { Compile } from 'typebox/compile'
import { Refusal, refuse } from '../errors.ts'
import type { GivenBy } from '../store/contract/commands.ts'
import type { Store } from '../store/contract/store.ts'
import type { Credentials } from './credentials.ts'
import { LatelyUsed } from '../lately-used.ts'
import { rightOf, type Principal, type UserPrincipal } from './principal.ts'

const ISSUER = 'mitter-io'
const ALGORITHM = 'HS512'
/** How long an event token is good for connects and reconnects (protocol 2), in milliseconds. */
const EVENT_TOKEN_MS = 12 * 3_600_000

/** Of so many tokens it is remembered what their signatures vouch for, which never changes: a check costs 30 µs, and each takes about 1 KB. */
const VERIFIED_TOKENS = 32_768

/** As long as mitter's. */
const USERTOKEN_CHARACTERS = 32

/** All values are ASCII without > ? ~, so that the payload decodes with `atob` (protocol 2). Times are in seconds. */
const Claims = Type.Object({
  iss: Type.Literal(ISSUER),
  applicationId: Type.String(),
  userId: Type.String(),
  /** The stored token; of an event token: its maker. Absent where the application made an event token for a user. */
  userTokenId: Type.Optional(Type.String()),
  /** Follows from the token's id: mitter's clients expect it, nothing is decided by it. */
  usertoken: Type.Optional(Type.String()),
  /** Present on event tokens: good for event streams only. */
  use: Type.Optional(Type.Literal('events')),
  exp: Type.Optional(Type.Integer()),
  /** When an event token's maker ends, and with it the streams that the event token opened. */
  parentExp: Type.Optional(Type.Integer())
})
export type Claims = Static<typeof Claims>
const claimsCheck = Compile(Claims)

/** What makes a request happen once: the commands that issue tokens take it along. */
type Once = Pick<GivenBy, 'idempotency' | 'nonce'>

export interface Tokens {
  /**
   * A new token for a user, stored so that it can be revoked. One that a user asks for itself ends no later
   * than, and is revoked with, the token that asks. A repeat under an `Idempotency-Key` gets the very same.
   * Throws `userNotFound`, `missingPrivilege`.
   */
  issueUserToken (principal: Principal, userId: string, once?: Once): Promise<{ signedToken: string, tokenId: string }>
  /**
   * A receive-only child of the token that asks, stored nowhere; where the application asks as a user, one with a record
   * of its own among the user's tokens. `expiresAt` is in milliseconds. Throws `missingPrivilege`.
   */
  issueEventToken (principal: UserPrincipal, once?: Once): Promise<{ eventToken: string, expiresAt: number }>
  /** The claims of a token that is ours and has not expired; whether it was revoked only the store knows. Throws `claimRejected`. */
  verify (token: string): Claims
}

export interface TokensOptions {
  credentials: Pick<Credentials, 'applicationId' | 'tokenSecret'>
  store: Pick<Store, 'append'>
  /** 0: tokens do not end. */
  ttlSeconds: number
  /** Milliseconds since the epoch. */
  now?: () => number
}

export function createTokens ({ credentials, store, ttlSeconds, now = Date.now }: TokensOptions): Tokens {
  const { applicationId, tokenSecret } = credentials
  const sign = createSigner<Claims>({ key: tokenSecret, algorithm: ALGORITHM, noTimestamp: true })
  // Expiry is checked below, by our clock and with a message that helps.
  const verifySignature = createVerifier<string>({ key: tokenSecret, algorithms: [ALGORITHM], allowedIss: ISSUER, ignoreExpiration: true })
  const verified = new LatelyUsed<string, Claims>(VERIFIED_TOKENS)

  function claimsOf (token: string): Claims {
    const known = verified.get(token)
    if (known !== undefined) return known
    const claims = trusted(() => verifySignature(token))
    verified.set(token, claims)
    return claims
  }

  return {
    async issueUserToken (principal, userId, once) {
      const parent = principal.kind === 'user' ? principal : undefined
      mustNotBeEventToken(parent)
      const ownEnd = ttlSeconds === 0 ? undefined : now() + ttlSeconds * 1000
      const end = seconds(earlier(ownEnd, parent?.expiresAt))
      const parentId = parent?.lineage[0]
      // Of a repeat, the outcome is the first one's: the token is signed again from that.
      const { tokenId, expiresAt } = await store.append({
        type: 'issue-token',
        ...rightOf(principal),
        userId,
        tokenId: randomUUID(),
        ...(parentId === undefined ? {} : { parentId }),
        ...(end === undefined ? {} : { expiresAt: end * 1000 }),
        ...under(once, parentId)
      })
      const exp = seconds(expiresAt)
      const usertoken = createHash('sha256').update(tokenId).digest('hex').slice(0, USERTOKEN_CHARACTERS)
      const signedToken = sign({ iss: ISSUER, userTokenId: tokenId, usertoken, applicationId, userId, ...(exp === undefined ? {} : { exp }) })
      return { signedToken, tokenId }
    },

    async issueEventToken (principal, once) {
      mustNotBeEventToken(principal)
      const { userId, lineage: [userTokenId] } = principal
      const by = { ...rightOf(principal), ...under(once, userTokenId) }
      const expiresAt = seconds(earlier(now() + EVENT_TOKEN_MS, principal.expiresAt))! * 1000
      const signed = (claims: Pick<Claims, 'userTokenId' | 'parentExp'>, expiresAt: number) => ({
        eventToken: sign({ iss: ISSUER, applicationId, userId, use: 'events', exp: seconds(expiresAt)!, ...claims }), expiresAt
      })
      if (userTokenId === undefined) {
        // The application asks for it, as the user: there is no token whose revocation would end it, so that it has a record of its own.
        const made = await store.append({ type: 'issue-token', ...by, userId, tokenId: randomUUID(), expiresAt })
        return signed({ userTokenId: made.tokenId }, made.expiresAt!)
      }
      const ends = { expiresAt, ...(principal.expiresAt === undefined ? {} : { parentExpiresAt: principal.expiresAt }) }
      const made = await store.append({ type: 'issue-event-token', ...by, ...ends })
      const parentExp = seconds(made.parentExpiresAt)
      return signed({ userTokenId, ...(parentExp === undefined ? {} : { parentExp }) }, made.expiresAt)
    },

    verify (token) {
      const claims = claimsOf(token)
      if (claims.applicationId !== applicationId) throw refuse('claimRejected', 'The token is for another application: ask this one for a token')
      mustNotHaveEnded(claims, now())
      return claims
    }
  }
}

/** `now` in milliseconds since the epoch. Throws `claimRejected`. */
export function mustNotHaveEnded ({ exp }: Claims, now: number): void {
  if (exp !== undefined && now >= exp * 1000) throw refuse('claimRejected', `The token expired at ${new Date(exp * 1000).toISOString()}: ask for a new one`)
}

function mustNotBeEventToken (principal: UserPrincipal | undefined): void {
  if (principal?.receiveOnly) throw refuse('missingPrivilege', 'An event token is good for event streams only: ask for further tokens with a user token')
}

/** A repeat with another of the caller's tokens is another request: what the first one made ends with the first token. */
function under (once: Once = {}, tokenId: string | undefined): Once {
  const { idempotency } = once
  if (idempotency === undefined) return once
  const { key, fingerprint } = idempotency
  return { ...once, idempotency: { key, fingerprint: `${fingerprint} ${tokenId ?? ''}` } }
}

/** What the signature vouches for, in the shape of claims; every other outcome is a 401. */
function trusted (verifySignature: () => unknown): Claims {
  let claims: unknown
  try {
    claims = verifySignature()
  } catch (err) {
    throw unreadable((err as { code?: string }).code)
  }
  // A user token is a stored one; only an event token may name none.
  if (!claimsCheck.Check(claims) || (claims.use === undefined && claims.userTokenId === undefined)) {
    throw unreadable(TOKEN_ERROR_CODES.invalidPayload)
  }
  return claims
}

function unreadable (code: string | undefined): Refusal {
  return code === TOKEN_ERROR_CODES.malformed
    ? refuse('claimRejected', 'The token is malformed: send the whole signedToken, three parts with dots between them')
    : refuse('claimRejected', 'The token was not made by this service, or was changed: ask this service for a token')
}

/** The earlier of two times; undefined: never. */
function earlier (one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined) return other
  return other === undefined ? one : Math.min(one, other)
}

/** Whole seconds, as JWT has times. */
function seconds (ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / 1000)
}
