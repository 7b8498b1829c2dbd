/** Reads of users and their tokens. */
import type { User } from '../../../../schemas/user.ts'
import type { Actor } from '../../contract/commands.ts'
import { refuse } from '../../../errors.ts'
import type { CountedPage, ListPage, PageRequest, TokenInfo, TokensRequest, TokenState } from '../../contract/reads.ts'
import { LINEAGE_MAX, mustBeOwn } from '../decide/users.ts'
import { userOf } from '../render/entities.ts'
import type { TokenRecord } from '../records.ts'
import { boundsOf, pageOf, sliceOf } from './paging.ts'
import { ask, type Lineage, type Read } from './queries.ts'
import { mustBeAllowedHere, mustBeUser, userKeyOf } from './rights.ts'

export function * getUser (actor: Actor, userId: string): Read<User> {
  if (actor !== userId) yield * mustBeAllowedHere(actor, 'list_user_data')
  const [user] = yield * ask(['user', userId])
  return userOf(mustBeUser(user, userId))
}

export function * userExists (userId: string): Read<boolean> {
  const [user] = yield * ask(['user', userId])
  return user !== undefined && user.deletedAt === undefined && user.userKey !== 0
}

export function * listUsers (actor: Actor, page: PageRequest): Read<CountedPage<User>> {
  yield * mustBeAllowedHere(actor, 'list_user_data')
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
  return { userId: own.userId, lineage: tokens.slice(0, LINEAGE_MAX).map(({ tokenId }) => tokenId), live: isLive(tokens) }
}

/** @param lineage a token, its maker, and so on, one more than may be in a line */
function isLive (lineage: Lineage): boolean {
  return lineage.length <= LINEAGE_MAX && lineage.at(-1)!.parentId === undefined &&
    lineage.every(({ revokedAt, userDeleted }) => revokedAt === undefined && !userDeleted)
}

/** Rows that a page of tokens looks at, whatever its `limit`, and rows of makers that are not among them. */
const TOKENS_LOOKED_AT = 1_000
const MAKERS_LOOKED_AT = 2_000

export function * listTokens (actor: Actor, userId: string, { after, limit, at }: TokensRequest): Read<ListPage<TokenInfo>> {
  mustBeOwn(actor, userId, 'list its tokens')
  const userKey = yield * userKeyOf(userId)
  const [place] = after === undefined ? [{ createdAt: 0, tokenId: '', userKey }] : yield * ask(['token', after])
  if (place?.userKey !== userKey) throw refuse('tokenNotFound', after!)
  const [tokens] = yield * ask(['tokens', userKey, place, TOKENS_LOOKED_AT + 1])
  const makers = new Makers()
  const items: TokenInfo[] = []
  let last: TokenRecord | undefined
  for (const token of tokens.slice(0, TOKENS_LOOKED_AT)) {
    const { tokenId, parentId, createdAt, expiresAt } = last = token
    const line = parentId === undefined ? 1 : 1 + (yield * makers.lineOf(parentId))
    makers.note(tokenId, line)
    // When its makers end is not asked: none ends before what it has made.
    const good = line <= LINEAGE_MAX && (expiresAt === undefined || expiresAt > at)
    if (good) items.push({ tokenId, createdAt, ...(expiresAt === undefined ? {} : { expiresAt }) })
    if (items.length === limit || makers.lookedAt >= MAKERS_LOOKED_AT) break
  }
  return { items, ...(last === undefined || last === tokens.at(-1) ? {} : { next: last.tokenId }) }
}

/** How long the line of each token of a user is, each looked up once: tokens of a page have makers in common. */
class Makers {
  readonly #lines = new Map<string, number>()
  lookedAt = 0

  note (tokenId: string, line: number): void {
    this.#lines.set(tokenId, line)
  }

  /** The token, its maker, and so on: how many they are; of one that is not live, infinitely many. */
  * lineOf (tokenId: string): Read<number> {
    const known = this.#lines.get(tokenId)
    if (known !== undefined) return known
    const [lineage] = yield * ask(['lineage', tokenId, LINEAGE_MAX + 1])
    this.lookedAt += lineage.length
    const line = lineage.length > 0 && isLive(lineage) ? lineage.length : Infinity
    if (line === Infinity) this.note(tokenId, line)
    else for (const [index, maker] of lineage.entries()) this.note(maker.tokenId, line - index)
    return line
  }
}
