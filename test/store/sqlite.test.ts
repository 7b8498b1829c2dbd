import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { StoreLocked } from '../../src/store/sqlite/database.ts'
import { promptClock } from '../support/stores.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { stateOf } from './consistency.ts'
import { storeContract, type StoreUnderTest } from './contract.ts'

const fail = (err: Error) => { throw err }

storeContract('the embedded store', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-store-'))
  const under: StoreUnderTest = {
    store: await openSqliteStore({ dataDir, clock: promptClock, onError: fail }),
    async reopen (options = {}) {
      await under.store.close()
      under.store = await openSqliteStore({ dataDir, clock: promptClock, onError: fail, ...options })
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

it('refuses a directory that is in use, in one sentence', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-lock-'))
  const store = await openSqliteStore({ dataDir })
  await expect(openSqliteStore({ dataDir, lockWaitMs: 0 })).rejects.toThrow(StoreLocked)
  await store.close()
  await (await openSqliteStore({ dataDir, lockWaitMs: 0 })).close()
  rmSync(dataDir, { recursive: true })
})
