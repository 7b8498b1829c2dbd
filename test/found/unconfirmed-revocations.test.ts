/** A commit that could not be confirmed may be on disk all the same: a token that it revoked must not be taken for good. */
import { expect, it } from 'vitest'
import { createStandings } from '../../src/auth/standing.ts'
import { refuse } from '../../src/errors.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import type { Entry } from '../../src/store/contract/log.ts'
import type { TokenState } from '../../src/store/contract/reads.ts'
import { createStore, type Backend } from '../../src/store/create-store.ts'

it('whoever follows the log is told to look, where a commit fails', async () => {
  const never = new Promise<never>(() => {})
  const backend: Backend = {
    onlyWriter: true, commit: async () => { throw refuse('unavailable') }, read: () => never, check () {}, erased () {}, onFailure () {}, close: async () => {}
  }
  const store = createStore(backend, { retentionMs: 1_000, onError () {} })
  const told: Entry[][] = []
  store.onCommitted(entries => told.push(entries))
  await expect(store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'amy', tokenIds: ['one'] })).rejects.toMatchObject({ refusal: 'unavailable' })
  expect(told).toEqual([[]])
})

it('and a token is looked up anew from then on, also where the read was under way', async () => {
  let tell: (entries: Entry[]) => void = () => {}
  let live = true
  let reads = 0
  let answer = Promise.resolve()
  const standing = createStandings({
    onlyWriter: true,
    onCommitted (listener) { tell = listener; return () => {} },
    userExists: async () => true,
    async getToken (): Promise<TokenState> {
      reads++
      const state = { userId: 'amy', live, lineage: ['one'] } as TokenState
      await answer
      return state
    }
  }).now
  await standing.getToken('one')
  await standing.getToken('one')
  expect(reads, 'known by then').toBe(1)
  live = false
  tell([])
  expect(await standing.getToken('one')).toMatchObject({ live: false })

  live = true
  const held = Promise.withResolvers<void>()
  answer = held.promise
  const underWay = standing.getToken('two')
  live = false
  tell([])
  held.resolve()
  await underWay
  expect(await standing.getToken('two'), 'what was read before is of a moment that has passed').toMatchObject({ live: false })
})
