/** A server that lets no more sessions in: whoever waits for one is refused, and not left waiting. */
import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { promptClock } from '../support/stores.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'

let server: PostgresServer
let database: string
let store: Store
beforeAll(async () => {
  server = await startPostgres({ settings: { ...unsafeSettings, max_connections: 20, superuser_reserved_connections: 1 } })
  database = await server.createDatabase()
  store = await openPostgresStore({ url: server.url(database), clock: promptClock, allowUnsafe: true })
}, 60_000)
afterAll(async () => {
  await store.close()
  await server.stop()
})

it('all who read are answered, those who wait for a session, too', async () => {
  await store.settle()
  const others = postgres(server.url(), { max: 20, fetch_types: false, connect_timeout: 2 })
  try {
    // The store's idle session goes, and others take all that there are.
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = \'channel-relay reads\'')
    for (let nth = 0; nth < 20; nth++) others`select pg_sleep(6)`.catch(() => {})
    await new Promise(resolve => { setTimeout(resolve, 500) })
    const begun = performance.now()
    const reads = Array.from({ length: 30 }, () => store.head().then(() => 'read', (err: { refusal?: string }) => err.refusal))
    const answers = await Promise.race([Promise.all(reads), new Promise(resolve => { setTimeout(resolve, 3_000, 'some are still waiting') })])
    expect(answers).toEqual(Array.from({ length: 30 }, () => 'unavailable'))
    expect(performance.now() - begun).toBeLessThan(2_000)
  } finally {
    await others.end({ timeout: 0 })
  }
})
