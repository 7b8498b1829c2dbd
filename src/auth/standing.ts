/** Whether tokens and users are still good: known in memory where that is exact, asked of the store otherwise. */
import { SYSTEM } from '../store/contract/commands.ts'
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

export interface Standings {
  /** As it is now. */
  now: Standing
  /** For calls whose command asks again, in the transaction that carries it out: as it was at some time, as far as is known. */
  beforeCommand: Standing
}

type AskedStore = Pick<Store, 'getToken' | 'userExists' | 'onCommitted' | 'onlyWriter'>

/** To be called before any other listener of the store is there: none must come in between. */
export function createStandings (store: AskedStore): Standings {
  if (!store.onlyWriter) return { now: store, beforeCommand: knownOnce(store) }
  const now = knownExactly(store)
  return { now, beforeCommand: now }
}

/** Who has made a token, and for whom, never changes. A user that is not there, the transaction finds out. */
function knownOnce (store: AskedStore): Standing {
  const tokens = new LatelyUsed<string, TokenState>(REMEMBERED)

  async function readToken (tokenId: string): Promise<TokenState | undefined> {
    const state = await store.getToken(tokenId)
    if (state?.live === true && state.lineage.length <= LONGEST_LINE) tokens.set(tokenId, state)
    return state
  }

  return {
    getToken: tokenId => tokens.get(tokenId) ?? readToken(tokenId),
    // In the name of the application's own user, a command would be the application's.
    userExists: userId => userId !== SYSTEM
  }
}

/**
 * A store that is written by this process alone hands every entry over before its command is answered: what is good stays so
 * until an entry says that some token or user is not. Then all is forgotten, which is exact whatever was made by what, and
 * costs each caller one read.
 */
function knownExactly (store: AskedStore): Standing {
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
