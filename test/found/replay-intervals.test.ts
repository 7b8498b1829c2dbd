/** However often a member has come and gone, a page of its replay looks at as much of that as it has entries for. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joined } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import type { Interest } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { runRead, type Queries } from '../../src/store/core/read/queries.ts'
import { read } from '../../src/store/core/read/replay.ts'
import { openReader } from '../../src/store/sqlite/database.ts'
import { sqliteQueries } from '../../src/store/sqlite/read.ts'
import { createChannel, createUser, earliest, join, leave, readAll, send } from '../support/commands.ts'
import { openTestStore } from '../support/stores.ts'

const [ROOM, OTHER] = ['room-of-bob', 'room-of-both']
const ROUNDS = 300

let dataDir: string
let store: Store
beforeAll(async () => {
  dataDir = mkdtempSync(joined(tmpdir(), 'channel-relay-'))
  store = await openTestStore({ dataDir })
  const status = (newStatus: 'Disabled' | 'ReadOnly' | 'Active'): Command => ({ type: 'change-participant', actor: SYSTEM, channelId: ROOM, userId: 'amy', newStatus })
  for (const command of [createUser('amy'), createUser('bob'), createChannel('bob', ROOM), createChannel('amy', OTHER)]) await store.append(command)
  const commands = Array.from({ length: ROUNDS }, (_, round) => [
    send('bob', ROOM, `outside ${round}`),
    join('amy', ROOM),
    send('bob', ROOM, `inside ${round}`),
    ...(round % 3 === 0 ? [status('Disabled'), status('ReadOnly'), status('Disabled'), status('Active')] : []),
    send('amy', OTHER, `other ${round}`),
    ...(round < ROUNDS - 1 ? [leave('amy', ROOM)] : [])
  ]).flat()
  for (const command of commands) await store.append(command)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true })
})

const channelKey = async () => {
  const { interest } = await store.openStream({ of: 'channel', actor: 'amy', channelId: ROOM }, { from: 'earliest' })
  return (interest as Extract<Interest, { of: 'channel' }>).channelKey
}

it.each([1, 2, 3, 7, 50])('pages of %i entries bring what one page brings', async limit => {
  for (const interest of [{ of: 'user', userId: 'amy' }, { of: 'channel', userId: 'amy', channelId: ROOM, channelKey: await channelKey() }] as const) {
    const texts = (entries: Array<{ position: number, payload?: string }>) => entries.map(({ position, payload }) => `${position} ${payload}`)
    const whole = texts(await readAll(store, interest, undefined, 100_000))
    expect(whole.length).toBeGreaterThan(2 * ROUNDS)
    expect(texts(await readAll(store, interest, undefined, limit))).toEqual(whole)
  }
})

it('a page reads no more intervals than it has entries, but for two', async () => {
  const beginning = await earliest(store)
  const db = openReader(dataDir)
  let seen = 0
  const queries = sqliteQueries(db)
  const counting: Queries = {
    ...queries,
    intervals: (...args) => {
      const found = queries.intervals(...args)
      seen += found.length
      return found
    }
  }
  runRead(read({ of: 'user', userId: 'amy' }, beginning, 10), counting)
  db.close()
  expect(seen).toBeLessThanOrEqual(2 * 12)
})
