/** A database that cannot be used any more: the operator is told once, and not with each attempt. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createUser } from '../support/commands.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'
import { promptClock } from '../support/stores.ts'

let server: PostgresServer
beforeAll(async () => { server = await startPostgres({ settings: unsafeSettings }) }, 60_000)
afterAll(() => server.stop())

it('a node of an older version says so once', async () => {
  const database = await server.createDatabase()
  const told: string[] = []
  const store = await openPostgresStore({ url: server.url(database), clock: promptClock, allowUnsafe: true, onError: err => told.push(err.message) })
  try {
    await store.append(createUser('anna'))
    await store.settle()
    await server.query('update channel_relay.meta set value = \'99\' where name = \'schema\'', database)
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = \'channel-relay listens\'')
    await sleep(6_000)
    expect(told.filter(message => message.includes('newer')).length).toBe(1)
    await expect(store.append(createUser('other'))).rejects.toMatchObject({ refusal: 'unavailable' })
    await expect(store.check()).rejects.toMatchObject({ refusal: 'unavailable' })
  } finally {
    await store.close()
  }
})
