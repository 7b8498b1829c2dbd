/** A page of a replay is about 256 KiB whatever it is made of, and costs what it holds: the event loop waits for it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Entry, Interest, Place } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { createChannel, createUser, earliest, join as joining, leave, send } from '../support/commands.ts'

const PAGE_BYTES = 256 * 1024
/** What a replay asks for at a time. */
const PAGE_ENTRIES = 100
const LARGE_COUNT = 260
const ROOMS = { large: 'large-in-ascii', wide: 'wide-letters', small: 'small-messages' }

let store: Store
let dataDir: string
const keys = new Map<string, number>()
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-pages-'))
  store = await openSqliteStore({ dataDir })
  await store.append(createUser('amy'))
  for (const room of Object.values(ROOMS)) {
    await store.append(createChannel('amy', room))
    const { interest } = await store.openStream({ of: 'channel', channelId: room, actor: 'amy' }, { from: 'earliest' })
    if (interest.of === 'channel') keys.set(room, interest.channelKey)
  }
  const messageData = [{ dataType: 'text', data: { note: 'n'.repeat(150_000) } }]
  for (let index = 0; index < LARGE_COUNT; index += 20) {
    await Promise.all(Array.from({ length: 20 }, () => store.append(send('amy', ROOMS.large, 'x'.repeat(60_000), { messageData }))))
  }
  for (let index = 0; index < 40; index++) await store.append(send('amy', ROOMS.wide, '語'.repeat(20_000)))
  for (let index = 0; index < 400; index++) await store.append(send('amy', ROOMS.small, 'small'))
}, 60_000)
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true })
})

const interests: Record<string, () => Interest> = {
  'the application\'s replay': () => ({ of: 'application' }),
  'a user\'s replay': () => ({ of: 'user', userId: 'amy' }),
  ...Object.fromEntries(Object.values(ROOMS).map(room =>
    [`a channel's replay, ${room}`, (): Interest => ({ of: 'channel', channelId: room, channelKey: keys.get(room)!, userId: 'amy' })]))
}

const bytesOf = ({ payload = '' }: Entry): number => Buffer.byteLength(payload)

it.each(Object.keys(interests))('no page of %s is larger, give or take an entry, and together they hold each entry once', async name => {
  const interest = interests[name]!()
  const positions: number[] = []
  for (let after = await earliest(store); ;) {
    const { entries, through, rights } = await store.read(interest, after, PAGE_ENTRIES)
    const sizes = entries.map(bytesOf)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    expect(total).toBeLessThanOrEqual(PAGE_BYTES + Math.max(0, ...sizes))
    positions.push(...entries.map(({ position }) => position))
    if (rights !== undefined) break
    expect(through.position).toBeGreaterThan(after.position)
    after = through
  }
  expect(positions).toEqual([...new Set(positions)].sort((a, b) => a - b))
  const { position: head } = await store.head()
  if (!name.startsWith('a channel')) expect(positions).toEqual(Array.from({ length: head }, (_, index) => index + 1))
})

/** The least time that a read takes, in milliseconds: what others do on the machine only adds to it. */
async function timeOf (interest: Interest, after: Place, limit: number): Promise<number> {
  let least = Infinity
  for (let run = 0; run < 7; run++) {
    const begun = performance.now()
    await store.read(interest, after, limit)
    least = Math.min(least, performance.now() - begun)
  }
  return least
}

it.each(['the application\'s replay', 'a user\'s replay'])('a page of %s takes as long as what it holds, however many large entries come after it', async name => {
  const interest = interests[name]!()
  const beginning = await earliest(store)
  const after = (await store.tail(beginning, Object.keys(ROOMS).length)).entries.at(-1)!
  const one = await timeOf(interest, after, 1)
  // A page holds one or two of them; reading all that were asked for takes a hundred times as long.
  expect(await timeOf(interest, after, PAGE_ENTRIES) / one).toBeLessThan(20)
})

it('a page of a channel\'s replay takes as long for one who has come and gone elsewhere ten thousand times as for another', async () => {
  await store.append(createChannel('amy', 'quiet-room'))
  await store.append(createChannel('amy', 'busy-room'))
  for (const user of ['ben', 'cleo']) {
    await store.append(createUser(user))
    await store.append(joining(user, 'quiet-room'))
  }
  const { interest } = await store.openStream({ of: 'channel', channelId: 'quiet-room', actor: 'ben' }, { from: 'earliest' })
  const after = await store.head()
  for (let round = 0; round < 100; round++) {
    await Promise.all(Array.from({ length: 100 }, (_, index) => store.append(index % 2 === 0 ? joining('ben', 'busy-room') : leave('ben', 'busy-room'))))
  }
  await store.append(send('amy', 'quiet-room', 'hello'))
  const other = await timeOf({ ...interest as Extract<Interest, { of: 'channel' }>, userId: 'cleo' }, after, PAGE_ENTRIES)
  expect(await timeOf(interest, after, PAGE_ENTRIES) / other).toBeLessThan(20)
}, 30_000)
