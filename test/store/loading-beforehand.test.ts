/** What a store that loads for a whole batch at once relies on: commands say what they need. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { Loaded } from '../../src/store/core/loaded.ts'
import { Unloaded } from '../../src/store/core/source.ts'
import { createStore } from '../../src/store/create-store.ts'
import { storeContract, type StoreUnderTest } from './contract.ts'
import { promptClock } from '../support/stores.ts'
import { LoadingBeforehand } from './loading-beforehand.ts'
import { stateOf } from './consistency.ts'

const backends: LoadingBeforehand[] = []
const fail = (err: Error) => { throw err }

storeContract('a store that loads beforehand', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-loading-'))
  const open = (retentionMs = 168 * 3_600_000) => {
    const backend = new LoadingBeforehand(dataDir)
    backends.push(backend)
    return createStore(backend, { retentionMs, clock: promptClock, onError: fail })
  }
  const under: StoreUnderTest = {
    store: open(),
    async reopen (options = {}) {
      await under.store.close()
      under.store = open(options.retentionMs)
      return under.store
    },
    state: async () => stateOf(dataDir),
    async dispose () {
      await under.store.close()
      rmSync(dataDir, { recursive: true })
    }
  }
  return under
})

afterAll(() => {
  const rounds = backends.flatMap(({ secondRounds }) => [...secondRounds.keys()])
  // A repeat is answered from what the first request made, and that only the remembered reply names.
  const allowed = ['send-message: view', 'send-message: channel', 'edit-message: user', 'edit-message: view']
  // Where the log has gone on since a chore was found, it is looked whether it is the same log.
  const isOfChore = (what: string) => what.endsWith(': view') && !/message: |channel: |user: |participant: /.test(what)
  expect([...new Set(rounds)].filter(what => !allowed.includes(what) && !isOfChore(what))).toEqual([])
  expect(Math.max(...backends.map(({ mostRounds }) => mostRounds))).toBeLessThanOrEqual(2)
})

it('what was not loaded is asked for, what was looked for and is not there is not', () => {
  const loaded = new Loaded()
  loaded.put('user', 'nobody', undefined)
  expect(loaded.get('user', 'nobody')).toBeUndefined()
  expect(() => loaded.get('user', 'somebody')).toThrow(Unloaded)
  loaded.putLongestActive(1, [], true)
  expect(loaded.longestActive(1, 5)).toEqual([])
  loaded.putLongestActive(1, [], false)
  expect(() => loaded.longestActive(1, 1)).toThrow(Unloaded)
})
