/** Sessions that are ended all the time, by whomever: what was answered is there, once, what is there follows, and nothing is left over. */
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Feed } from '../../src/relay/feed.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { stateOfPostgres } from '../store/postgres-state.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { randomsOf } from '../support/delayed-reads.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'
import { promptClock } from '../support/stores.ts'

const NODES = 3
const ROUNDS = 100

let server: PostgresServer
let database: string
let nodes: Store[]
beforeAll(async () => {
  server = await startPostgres({ settings: unsafeSettings })
  database = await server.createDatabase()
  nodes = await Promise.all(Array.from({ length: NODES }, () => openPostgresStore({ url: server.url(database), clock: promptClock, allowUnsafe: true })))
}, 60_000)
afterAll(async () => {
  await Promise.all(nodes.map(store => store.close()))
  await server.stop()
})

it(`after ${ROUNDS} terminations`, async () => {
  const random = randomsOf(7)
  await nodes[0]!.append(createUser('anna'))
  await nodes[0]!.append(createChannel('anna', 'the-channel'))
  const seen: string[][] = nodes.map(() => [])
  const feeds = await Promise.all(nodes.map((store, index) => Feed.start(store, {
    onEntries: entries => seen[index]!.push(...entries.map(({ cursor }) => cursor)),
    onGap: () => seen[index]!.push('gap')
  }, pino({ level: 'silent' }))))
  const from = (await nodes[0]!.head()).position
  const ended = new AbortController()
  let refused = 0
  const answered = new Map<string, string>()
  async function sender (nth: number): Promise<void> {
    for (let count = 0; !ended.signal.aborted; count++) {
      const key = `${nth}-${count}`
      const text = `${key} ${'x'.repeat(random() < 0.2 ? 60_000 : 10)}`
      for (let attempt = 0; ; attempt++) {
        const node = nodes[Math.floor(random() * NODES)]!
        try {
          const { message } = await node.append(send('anna', 'the-channel', text, { idempotency: { key, fingerprint: key } }))
          answered.set(key, (JSON.parse(message) as { messageId: string }).messageId)
          break
        } catch (err) {
          if ((err as { refusal?: string }).refusal !== 'unavailable') throw err
          refused++
          await sleep(20)
        }
      }
    }
  }
  async function reader (): Promise<void> {
    while (!ended.signal.aborted) {
      await nodes[Math.floor(random() * NODES)]!.listMessages('anna', 'the-channel', { limit: 5, offset: 0 }).catch((err: { refusal?: string }) => { if (err.refusal !== 'unavailable') throw err })
      await sleep(5)
    }
  }
  const busy = Promise.all([...Array.from({ length: 12 }, (_, nth) => sender(nth)), reader(), reader()])
  busy.catch(() => {})
  for (let round = 0; round < ROUNDS; round++) {
    const which = ['true', 'application_name like \'%writes\'', 'application_name like \'%listens\'', 'application_name like \'%reads\''][round % 4]!
    await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}' and ${which} and random() < 0.7`)
    await sleep(random() * 80)
  }
  ended.abort()
  await busy
  expect(refused).toBeGreaterThan(0)
  await sleep(1_000)

  const rows = await server.query<{ position: string, message_id: string, body: string }>('select position, message_id, body from channel_relay.entries where kind = \'message\' order by position', database)
  const [{ count, last }] = await server.query('select count(*)::int as count, max(position)::int as last from channel_relay.entries where position > 0', database) as [{ count: number, last: number }]
  expect(count).toBe(last)
  const byId = new Map(rows.map(row => [row.message_id, row.body]))
  for (const [key, id] of answered) expect(byId.get(id), key).toContain(`"${key} `)
  expect(rows.length).toBe(answered.size)
  for (const cursors of seen) expect(cursors.length, 'entries that a feed has seen').toBe(last - from)
  expect(new Set(seen.map(cursors => cursors.join())).size).toBe(1)
  for (const feed of feeds) feed.stop()
  const [{ sessions }] = await server.query(`select count(*)::int as sessions from pg_stat_activity where datname = '${database}'`) as [{ sessions: number }]
  expect(sessions).toBeLessThanOrEqual(NODES * 10)
  expect((await stateOfPostgres(server.url(database))).faults).toEqual([])
}, 90_000)
