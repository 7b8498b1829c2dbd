/** Whoever may connect to the database may send anything as a hint: it is worth a look at most. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Feed } from '../../src/relay/feed.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createUser, createChannel } from '../support/commands.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'
import { promptClock } from '../support/stores.ts'

let dataDir: string
let url: string
let one: Store
let other: Store
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-hints-'))
  url = await sharedDatabase(dataDir)
  const open = () => openPostgresStore({ url, clock: promptClock, allowUnsafe: true })
  one = await open()
  other = await open()
})
afterEach(async () => {
  await Promise.all([one.close(), other.close()])
  rmSync(dataDir, { recursive: true })
})

it.each(['garbage', '', 'NaN', '2.5', '-1', 'Infinity', '1e400', '9007199254740993', '{"position":1}'])('a node goes on following the log after the hint %j', async payload => {
  const seen: number[] = []
  const logger = pino({ level: 'silent' })
  const feed = await Feed.start(one, { onEntries: entries => seen.push(...entries.map(({ position }) => position)), onGap: () => {} }, logger)
  const sql = postgres(url, { max: 1, fetch_types: false })
  try {
    await other.append(createUser('anna'))
    await sql`select pg_notify('channel_relay', ${payload})`
    await expect.poll(() => feed.head.position).toBe((await one.head()).position)
    await new Promise(resolve => { setTimeout(resolve, 100) })
    await other.append(createChannel('anna', 'the-channel'))
    await expect.poll(() => feed.head.position, { timeout: 2_000 }).toBe((await one.head()).position)
  } finally {
    feed.stop()
    await sql.end()
  }
})
