/** A PostgreSQL of a test file's own, with a store on it, for tests that trouble the server: the shared one is everybody's. */
import { afterAll, beforeAll } from 'vitest'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createChannel, createUser } from './commands.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from './postgres.ts'
import { promptClock } from './stores.ts'

export interface OwnPostgres {
  server: PostgresServer
  database: string
  /** In which anna has made the-channel. */
  store: Store
  /** What went wrong in it without being anybody's fault. */
  errors: Error[]
}

/** Registers it. All of it is there from the first test on. */
export function useOwnPostgres (): OwnPostgres {
  const own = { errors: [] as Error[] } as OwnPostgres
  beforeAll(async () => {
    own.server = await startPostgres({ settings: unsafeSettings })
    own.database = await own.server.createDatabase()
    own.store = await openPostgresStore({ url: own.server.url(own.database), clock: promptClock, allowUnsafe: true, onError: err => { own.errors.push(err) } })
    await own.store.append(createUser('anna'))
    await own.store.append(createChannel('anna', 'the-channel'))
  }, 60_000)
  afterAll(async () => {
    await own.store.close()
    await own.server.stop()
  })
  return own
}
