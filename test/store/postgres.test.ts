import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'
import { promptClock } from '../support/stores.ts'
import { storeContract, type StoreUnderTest } from './contract.ts'
import { stateOfPostgres } from './postgres-state.ts'

const fail = (err: Error) => { throw err }

storeContract('the store on PostgreSQL', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-postgres-'))
  const open = async (retentionMs?: number) =>
    await openPostgresStore({ url: await sharedDatabase(dataDir), clock: promptClock, allowUnsafe: true, onError: fail, ...(retentionMs === undefined ? {} : { retentionMs }) })
  const under: StoreUnderTest = {
    store: await open(),
    async reopen (options = {}) {
      await under.store.close()
      under.store = await open(options.retentionMs)
      return under.store
    },
    state: async () => await stateOfPostgres(await sharedDatabase(dataDir)),
    async dispose () {
      await under.store.close()
      rmSync(dataDir, { recursive: true })
    }
  }
  return under
})
