/** Whether tokens and users are still good: known in memory where that is exact, asked of the store otherwise. */
import type { TokenState } from '../store/contract/reads.ts'
import type { Store } from '../store/contract/store.ts'
import { LatelyUsed } from '../lately-used.ts'

/** Makers in the line of a token that is remembered, itself among them: few have more, and each is an id. */
const LONGEST_LINE = 8

/** Of so many tokens, and users, it is remembered that they are good: a few hundred bytes each. */
const REMEMBERED = 32_768

export interface Standing {
  /** As `Reads.getToken`; at once where it is known. */
  getToken (tokenId: string): TokenState | undefined | Promise<TokenState | undefined>
  /** As `Reads.userExists`; at once where it is known. */
  userExists (userId: string): boolean | Promise<boolean>
}

/**
 * A store that is written by this process alone hands every entry over before its command is answered: what is good stays so
 * until an entry says that some token or user is not. Then all is forgotten, which is exact whatever was made by what, and
 * costs each caller one read. To be called before any other listener of the store is there: none must come in between.
 */
export function createStanding (store: Pick<Store, 'getToken' | 'userExists' | 'onCommitted' | 'onlyWriter'>): Standing {
  if (!store.onlyWriter) return store
  const tokens = new LatelyUsed<string, TokenState>(REMEMBERED)
  const users = new LatelyUsed<string, true>(REMEMBERED)
  /** How often all was forgotten: what a read has found is of a moment that may have passed when it arrives. */
  let times = 0

  store.onCommitted(entries => {
    // None: something was committed that is not known here, as where a commit could not be confirmed.
    if (entries.length > 0 && !entries.some(({ kind }) => kind === 'token-revoked' || kind === 'user-deleted')) return
    times++
    tokens.clear()
    users.clear()
  })

  async function readToken (tokenId: string): Promise<TokenState | undefined> {
    const before = times
    const state = await store.getToken(tokenId)
    if (state?.live === true && times === before && state.lineage.length <= LONGEST_LINE) tokens.set(tokenId, state)
    return state
  }

  async function readUser (userId: string): Promise<boolean> {
    const before = times
    const exists = await store.userExists(userId)
    if (exists && times === before) users.set(userId, true)
    return exists
  }

  return {
    getToken: tokenId => tokens.get(tokenId) ?? readToken(tokenId),
    userExists: userId => users.get(userId) ?? readUser(userId)
  }
}
