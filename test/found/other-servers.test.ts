/** Sessions are with the server in use, also those that were being opened when another one took its place. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'
import { promptClock } from '../support/stores.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'

let server: PostgresServer
let ways: TcpProxy[]
let database: string
let store: Store
beforeAll(async () => {
  server = await startPostgres({ settings: unsafeSettings })
  ways = [await startProxy({ port: server.port }), await startProxy({ port: server.port })]
  database = await server.createDatabase()
  const url = server.url(database).replace(`:${server.port}/`, `:${ways[0]!.port},127.0.0.1:${ways[1]!.port}/`)
  store = await openPostgresStore({ url, clock: promptClock, allowUnsafe: true })
}, 60_000)
afterAll(async () => {
  await store.close()
  for (const way of ways) way.close()
  await server.stop()
})

it('a session that was being opened on the server of before is not used', async () => {
  await store.settle()
  await server.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = \'channel-relay reads\'')
  await sleep(100)
  ways[0]!.delayMs = 150
  const read = store.head().then(() => 'read', (err: { refusal?: string }) => err.refusal)
  await sleep(150)
  ways[0]!.refuse()
  await server.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = \'channel-relay listens\'')
  expect(await read).toBe('unavailable')
  await sleep(1_000)
  expect(await store.head().then(() => 'read')).toBe('read')
  expect(ways[0]!.connections).toBe(0)
})
