/** Reads of users and their tokens. */
import type { User } from '../../../../schemas/user.ts'
import type { Actor } from '../../contract/commands.ts'
import { refuse } from '../../../errors.ts'
import type { CountedPage, ForwardRequest, ListPage, PageRequest, TokenInfo, TokenState } from '../../contract/reads.ts'
import { LINEAGE_MAX, mustBeApplication, mustBeOwn } from '../decide/users.ts'
import { userOf } from '../render/entities.ts'
import { boundsOf, firstOf, pageOf, sliceOf } from './paging.ts'
import { ask, type Read } from './queries.ts'
import { mustBeUser, userKeyOf } from './rights.ts'

export function * getUser (actor: Actor, userId: string): Read<User> {
  mustBeOwn(actor, userId, 'read a user')
  const [user] = yield * ask(['user', userId])
  return userOf(mustBeUser(user, userId))
}

export function * userExists (userId: string): Read<boolean> {
  const [user] = yield * ask(['user', userId])
  return user !== undefined && user.deletedAt === undefined && user.userKey !== 0
}

export function * listUsers (actor: Actor, page: PageRequest): Read<CountedPage<User>> {
  mustBeApplication(actor, 'list users')
  const slice = yield * sliceOf(page, userPlace)
  const [users, total] = yield * ask(['users', slice, boundsOf(page), page.offset], ['total', 'users'])
  return { ...pageOf(users, ({ userId }) => userId, userOf), total }
}

/** Where a user stands, or stood: a page goes on from one that was deleted too. */
function * userPlace (userId: string): Read<number> {
  const [user] = yield * ask(['user', userId])
  if (user === undefined || user.userKey === 0) throw refuse('userNotFound', userId)
  return user.userKey
}

export function * getToken (tokenId: string): Read<TokenState | undefined> {
  const [tokens] = yield * ask(['lineage', tokenId, LINEAGE_MAX + 1])
  const [own] = tokens
  if (own === undefined) return undefined
  const whole = tokens.length <= LINEAGE_MAX && tokens.at(-1)!.parentId === undefined
  return {
    userId: own.userId,
    lineage: tokens.slice(0, LINEAGE_MAX).map(({ tokenId }) => tokenId),
    live: whole && tokens.every(({ revokedAt, userDeleted }) => revokedAt === undefined && !userDeleted)
  }
}

export function * listTokens (actor: Actor, userId: string, { after, limit }: ForwardRequest): Read<ListPage<TokenInfo>> {
  mustBeOwn(actor, userId, 'list its tokens')
  const userKey = yield * userKeyOf(userId)
  const [place] = after === undefined ? [{ createdAt: 0, tokenId: '', userKey }] : yield * ask(['token', after])
  if (place?.userKey !== userKey) throw refuse('tokenNotFound', after!)
  const [tokens] = yield * ask(['tokens', userKey, place, limit + 1])
  return pageOf(firstOf(tokens, limit), ({ tokenId }) => tokenId, ({ tokenId, createdAt, expiresAt }) =>
    ({ tokenId, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) }))
}
