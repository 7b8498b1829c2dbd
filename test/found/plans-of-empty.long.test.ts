/** Sessions keep their plans: those that were made while a table was empty must not be kept for ever. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'
import { promptClock } from '../support/stores.ts'

const CHANNELS = 3_000
const CALLS = 20

let server: PostgresServer
// Nobody looks at the tables again: as in the first minute, or while autovacuum has much to do elsewhere.
beforeAll(async () => { server = await startPostgres({ settings: { ...unsafeSettings, autovacuum: 'off' } }) }, 60_000)
afterAll(() => server.stop())

const calls: Record<string, (store: Store) => Promise<unknown>> = {
  'sends a message': store => store.append(send('anna', 'the-channel', 'hello')),
  'gets a channel': store => store.getChannels('anna', ['the-channel']),
  'lists messages': store => store.listMessages('anna', 'the-channel', { limit: 5, offset: 0 }),
  'lists its channels': store => store.listChannelsOf(SYSTEM, 'anna', { limit: 5, offset: 0 }, { includeSystemChannels: true })
}

it.each(['never analysed', 'analysed'])('of tables that were empty, and %s, few rows are read when they have many', async how => {
  const database = await server.createDatabase()
  const store = await openPostgresStore({ url: server.url(database), clock: promptClock, allowUnsafe: true })
  /** Backends tell what they have read when they have been idle for a while. */
  async function rowsRead (): Promise<number> {
    await sleep(1_200)
    await Promise.all([store.head(), store.append({ type: 'take-nonce', actor: SYSTEM, nonce: `nonce-${performance.now()}` })])
    await sleep(1_200)
    const [row] = await server.query<{ rows: number }>(`select (select sum(idx_tup_read) from pg_stat_user_indexes)
      + (select sum(seq_tup_read) from pg_stat_user_tables) as rows`, database)
    return Number(row!.rows)
  }
  try {
    if (how === 'analysed') await server.query('analyze', database)
    const begun = performance.now()
    await store.append(createUser('anna'))
    await store.append(createUser('other'))
    await store.append(createChannel('anna', 'the-channel'))
    for (const call of Object.values(calls)) await call(store)
    for (let done = 0; done < CHANNELS; done += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, nth) => store.append(createChannel('other', `channel-${done + nth}`))))
    }
    await sleep(performance.now() - begun)
    const many: string[] = []
    for (const [what, call] of Object.entries(calls)) {
      const before = await rowsRead()
      for (let count = 0; count < CALLS; count++) await call(store)
      const read = ((await rowsRead()) - before) / CALLS
      if (read > 200) many.push(`${what}: ${Math.round(read)} rows`)
    }
    expect(many).toEqual([])
  } finally {
    await store.close()
  }
}, 120_000)
