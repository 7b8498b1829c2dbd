/** Users and their tokens (protocol 7). */
import { refuse } from '../../../errors.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import type { Actor, CreateUser, DeleteUser, GivenBy, IssueToken, RevokeTokens } from '../../contract/commands.ts'
import type { Draft } from '../draft.ts'
import { lanes } from '../records.ts'
import type { Profile } from '../render/entities.ts'
import { mustBeAllowedHere } from './application.ts'

/**
 * For how long a nonce may not recur (protocol 2), in milliseconds: longer than twice the skew that a signature may have, and
 * what a signed call may take until its nonce is taken (src/auth/signature.ts).
 */
export const NONCE_MS = 120_000

/** Tokens in a line, each made with the one before: far more than anybody has a use for; no longer one is made, or live. */
export const LINEAGE_MAX = 64

export function createUser (draft: Draft, { actor, userId, screenName, userLocators, systemUser }: CreateUser): void {
  mustBeAllowedHere(draft, 'create_user', actor)
  if (systemUser) mustBeApplication(actor, 'create system users')
  if (draft.user(userId) !== undefined) throw refuse('userExists', userId)
  const profile: Profile = { ...(screenName === undefined ? {} : { screenName }), userLocators: userLocators as NonNullable<Profile['userLocators']>, systemUser }
  draft.put('user', userId, {
    userKey: draft.nextUserKey(), userId, profile: JSON.stringify(profile), createdAt: draft.at, updatedAt: draft.at, leaving: false
  })
  draft.count('users', 1)
}

/** Its tokens end with it; it leaves its channels by commands of their own (chores.ts). */
export function deleteUser (draft: Draft, { actor, userId }: DeleteUser): void {
  mustBeApplication(actor, 'delete users')
  const user = draft.existingUser(userId)
  draft.put('user', userId, { ...user, profile: '{}', updatedAt: draft.at, deletedAt: draft.at, leaving: true })
  draft.count('users', -1)
  draft.write({ kind: 'user-deleted', lane: lanes.event, aboutKey: user.userKey, body: '{}' }, {
    about: { userKey: user.userKey, userId, deleted: true }
  })
}

export function issueToken (draft: Draft, { actor, lineage = [], userId, tokenId, parentId, expiresAt }: IssueToken): void {
  mustBeOwn(actor, userId, 'make tokens for a user')
  if (lineage.length >= LINEAGE_MAX) {
    throw refuse('missingPrivilege', `This token is the last of a line of ${LINEAGE_MAX}, each made with the one before: call with an earlier one, or have the application make a token`)
  }
  const { userKey } = draft.existingUser(userId)
  draft.put('token', tokenId, {
    tokenId, userKey, createdAt: draft.at, ...(parentId === undefined ? {} : { parentId }), ...(expiresAt === undefined ? {} : { expiresAt })
  })
}

/** All or none. */
export function revokeTokens (draft: Draft, { actor, userId, tokenIds }: RevokeTokens): void {
  mustBeOwn(actor, userId, 'revoke its tokens')
  const { userKey } = draft.existingUser(userId)
  for (const tokenId of tokenIds) {
    const token = draft.get('token', tokenId)
    if (token === undefined || token.userKey !== userKey || token.revokedAt !== undefined) throw refuse('tokenNotFound', tokenId)
    draft.put('token', tokenId, { ...token, revokedAt: draft.at })
    draft.write({ kind: 'token-revoked', lane: lanes.event, body: JSON.stringify({ tokenId }) })
  }
}

/** Throws `claimRejected` where it was taken of late. */
export function takeNonce (draft: Draft, nonce: string): Record<string, never> {
  const taken = draft.get('nonce', nonce)
  if (taken !== undefined && taken.at > draft.at - NONCE_MS) {
    throw refuse('claimRejected', 'This Nonce was used a moment ago: sign each call with a new one')
  }
  draft.put('nonce', nonce, { nonce, at: draft.at })
  return {}
}

/** Whether a user was deleted. */
export function isGone (draft: Draft, userId: string): boolean {
  return draft.user(userId)?.deletedAt !== undefined
}

/** What was looked at before the body of a request arrived may have ended since: a token was revoked or ran out, the user deleted. */
export function mustHold (draft: Draft, { actor, lineage = [] }: GivenBy): void {
  for (const tokenId of lineage) {
    const token = draft.get('token', tokenId)
    if (token === undefined || token.revokedAt !== undefined) throw refuse('claimRejected', 'The token was revoked: ask for a new one')
    if (token.expiresAt !== undefined && token.expiresAt <= draft.at) throw refuse('claimRejected', 'The token has expired: ask for a new one')
  }
  if (actor === SYSTEM || draft.livingUser(actor) !== undefined) return
  throw lineage.length > 0 ? refuse('claimRejected', 'The user of this token was deleted') : refuse('userNotFound', actor)
}

/** `what` as in `create users`. */
export function mustBeApplication (actor: Actor, what: string): void {
  if (actor !== SYSTEM) throw refuse('missingPrivilege', `Only the application may ${what}: call with its access key`)
}

/** `what` as in `read a user`. */
export function mustBeOwn (actor: Actor, userId: string, what: string): void {
  if (actor !== SYSTEM && actor !== userId) throw refuse('missingPrivilege', `Only the user itself and the application may ${what}: name "me"`)
}
