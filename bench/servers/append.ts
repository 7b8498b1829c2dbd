/**
 * Rows into the log, as fast as they go: `node append.ts <database url> <seconds> store` appends messages to the store,
 * without any HTTP; with `bare` in its place a client inserts the same rows into a table with the same indexes, a batch in one
 * statement, and commits each. Prints rows a second as JSON.
 */
import { randomInt, randomUUID } from 'node:crypto'
import postgres from 'postgres'
import type { Store } from '../../src/store/contract/store.ts'
import { arrayOf, type Parameter } from '../../src/store/postgres/parameters.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { SCHEMA } from '../../src/store/postgres/session.ts'
import { writeSql } from '../../src/store/postgres/write.ts'
import { createChannel, createUser, send } from '../../test/support/commands.ts'

/** Rows in one statement, as many as the store has in one transaction at most. */
const BATCH = 256
/** Messages that are under way at once: while one batch is, the next three wait. */
const AT_ONCE = 4 * BATCH
const CHANNELS = 1_000
/** Nothing is counted before, in milliseconds. */
const WARM_UP_MS = 1_500

const [url, seconds, what] = process.argv.slice(2) as [string, string, string]
/** Of this process: names that were never used. */
const run = randomUUID()
const userOf = (channel: number): string => `${run}-user-${channel}`
const channelOf = (channel: number): string => `${run}-channel-${channel}`
const text = 'x'.repeat(100)

const store = await openPostgresStore({ url })
try {
  const rowsPerSecond = what === 'store' ? await appended(store) : await inserted(store)
  console.log(JSON.stringify(rowsPerSecond))
} finally {
  await store.close()
}

async function prepare (store: Store, channels: number): Promise<void> {
  const all = Array.from({ length: channels }, (_, channel) => channel)
  await Promise.all(all.map(channel => store.append(createUser(userOf(channel)))))
  await Promise.all(all.map(channel => store.append(createChannel(userOf(channel), channelOf(channel)))))
}

async function appended (store: Store): Promise<number> {
  await prepare(store, CHANNELS)
  let next = 0
  return await counted(async add => {
    const channel = next++ % CHANNELS
    await store.append(send(userOf(channel), channelOf(channel), text))
    add(1)
  }, AT_ONCE)
}

async function inserted (store: Store): Promise<number> {
  await prepare(store, 1)
  await store.append(send(userOf(0), channelOf(0), text))
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {}, connection: { search_path: SCHEMA } })
  try {
    const [row] = await sql.unsafe('select body from entries where kind = \'message\' order by position desc limit 1') as unknown as [{ body: string }]
    await sql.unsafe('create table if not exists bare_entries (like entries including all)')
    let [{ position }] = await sql.unsafe('select cast(coalesce(max(position), 0) as integer) as position from bare_entries') as unknown as [{ position: number }]
    const insert = writeSql.insertEntries.replace('into entries ', 'into bare_entries ')
    return await counted(async add => {
      const rows = Array.from({ length: BATCH }, (): Parameter[] => {
        const channel = ++position % CHANNELS
        return [position, randomInt(2 ** 31), Date.now(), 'message', 0, channel, channel, null, randomUUID(), null, null, null, null, null, null, row.body]
      })
      await sql.unsafe(insert, rows[0]!.map((_, column) => arrayOf(rows.map(row => row[column]!))), { prepare: true })
      add(BATCH)
    }, 1)
  } finally {
    await sql.end()
  }
}

/** Does it again and again, so many at once, and answers what was added in a second. */
async function counted (work: (add: (rows: number) => void) => Promise<void>, atOnce: number): Promise<number> {
  const from = performance.now() + WARM_UP_MS
  const until = from + Number(seconds) * 1000
  let rows = 0
  const add = (more: number): void => { if (performance.now() >= from && performance.now() < until) rows += more }
  await Promise.all(Array.from({ length: atOnce }, async () => { while (performance.now() < until) await work(add) }))
  return rows / Number(seconds)
}
