/** Who is in a new channel concerns those who follow the log; a replay does not load it, and a piece of the log counts it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Interest } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { createChannel, createUser, earliest, readAll } from '../support/commands.ts'
import { openTestStore } from '../support/stores.ts'

const PAGE_BYTES = 256 * 1024
const MEMBERS = 500
const CHANNELS = 40

let store: Store
let dataDir: string
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-members-'))
  store = await openTestStore({ dataDir })
  const ids = Array.from({ length: MEMBERS }, (_, index) => `user-${index}`.padEnd(72, 'x'))
  await Promise.all(['amy', ...ids].map(userId => store.append(createUser(userId))))
  const participants = ids.map(userId => ({ userId, status: 'active' as const, roles: [] }))
  for (let index = 0; index < CHANNELS; index++) await store.append(createChannel('amy', `channel-${index}`, { participants }))
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true })
})

const interests: Interest[] = [{ of: 'application' }, { of: 'user', userId: 'amy' }]

it.each(interests)('no page for $of loads who is in a new channel', async interest => {
  const entries = await readAll(store, interest)
  expect(entries.filter(({ kind }) => kind === 'channel')).toHaveLength(CHANNELS)
  expect(entries.filter(({ members }) => members !== undefined)).toEqual([])
})

it('a piece of the log tells it, and is about 256 KiB with it', async () => {
  let told = 0
  for (let after = await earliest(store); ;) {
    const { entries } = await store.tail(after, 500)
    if (entries.length === 0) break
    const sizes = entries.map(({ members = [], payload = '' }) => Buffer.byteLength(JSON.stringify(members)) + Buffer.byteLength(payload))
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThanOrEqual(PAGE_BYTES + 2 * Math.max(...sizes))
    told += entries.filter(({ members }) => members?.length === MEMBERS + 1).length
    after = entries.at(-1)!
  }
  expect(told).toBe(CHANNELS)
})
