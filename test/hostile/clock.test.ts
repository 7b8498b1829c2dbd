/** Clocks that jump, a year ahead and back: nothing is lost, it is told, and no time stays in the future. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import type { Place } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { Clock } from '../../src/store/clock.ts'
import { createStore } from '../../src/store/create-store.ts'
import { createChannel, createUser, earliest, send } from '../support/commands.ts'
import { LoadingBeforehand } from '../store/loading-beforehand.ts'

const [MINUTE_MS, HOUR_MS, YEAR_MS] = [60_000, 3_600_000, 365 * 24 * 3_600_000]

describe('a clock', () => {
  let [wall, monotonic] = [0, 0]
  let jumps: number[]
  let clock: Clock
  const pass = (ms: number) => { wall += ms; monotonic += ms }
  beforeEach(() => {
    [wall, monotonic, jumps] = [1_800_000_000_000, 5_000, []]
    clock = new Clock({ wall: () => wall, monotonic: () => monotonic, onJump: ms => jumps.push(ms) })
  })

  it('that goes on is steady an hour after its start, however long nobody looks', () => {
    pass(HOUR_MS - 1)
    expect(clock.look().steady).toBe(false)
    for (const ms of [1, 30_000, HOUR_MS, YEAR_MS]) {
      pass(ms)
      wall += 500 // as it is put right little by little
      expect(clock.look()).toEqual({ now: wall, steady: true })
    }
    expect(jumps).toEqual([])
  })

  it.each([YEAR_MS, -YEAR_MS, 2 * MINUTE_MS])('that jumps by %i ms says so once, and is not steady for an hour', jump => {
    pass(MINUTE_MS)
    wall += jump
    expect(clock.look()).toEqual({ now: wall, steady: false })
    pass(HOUR_MS - 1)
    expect(clock.look().steady).toBe(false)
    pass(1)
    expect(clock.look().steady).toBe(true)
    expect(jumps).toEqual([jump])
  })
})

describe('a store', () => {
  const RETENTION_MS = 7 * 24 * HOUR_MS
  let dataDir: string
  let store: Store
  let told: string[]
  let beginning: Place
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] })
    told = []
    dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-clock-'))
    store = createStore(new LoadingBeforehand(dataDir), { retentionMs: RETENTION_MS, clock: { monotonic: () => performance.now() }, onError: err => told.push(err.message) })
    beginning = await earliest(store)
  })
  afterEach(async () => {
    vi.useRealTimers()
    await store.close()
    rmSync(dataDir, { recursive: true })
  })
  const oldest = async () => (await store.tail(beginning, 1)).gap === 'expired' ? 'gone' : 'there'
  const createdAt = async (messageId: string) => JSON.parse((await store.getMessage(SYSTEM, messageId)).value).audit.createdAt as number

  it('whose clock is a year ahead for a while removes nothing, tells of it, and writes no times of then afterwards', async () => {
    await store.append(createUser('amy'))
    await store.append(createChannel('amy', 'room-of-amy'))
    await store.append({ type: 'issue-token', actor: SYSTEM, userId: 'amy', tokenId: 'token-1', expiresAt: Date.now() + HOUR_MS })
    vi.setSystemTime(Date.now() + YEAR_MS)
    const { message } = await store.append(send('amy', 'room-of-amy', 'from the future'))
    await store.settle()
    vi.advanceTimersByTime(33_000)
    await store.settle()
    expect(await oldest()).toBe('there')
    expect(await store.getToken('token-1')).toMatchObject({ live: true })
    vi.setSystemTime(Date.now() - YEAR_MS)
    await store.settle()
    expect(told.map(message => /jumped by (-?\d+)/.exec(message)?.[1])).toEqual([`${YEAR_MS / 1000}`, `-${YEAR_MS / 1000}`])

    expect(await createdAt(JSON.parse(message).messageId)).toBeGreaterThan(Date.now() + YEAR_MS / 2)
    const after = JSON.parse((await store.append(send('amy', 'room-of-amy', 'of now'))).message).messageId
    expect(await createdAt(after)).toBe(Date.now())
    // Age counts again once the clock has gone steadily for an hour.
    vi.advanceTimersByTime(RETENTION_MS + HOUR_MS)
    await store.settle()
    expect(await oldest()).toBe('gone')
  })

  it('that begins with a clock a year ahead removes nothing', async () => {
    await store.append(createUser('amy'))
    await store.append({ type: 'issue-token', actor: SYSTEM, userId: 'amy', tokenId: 'token-1', expiresAt: Date.now() + HOUR_MS })
    await store.close()
    vi.setSystemTime(Date.now() + YEAR_MS)
    store = createStore(new LoadingBeforehand(dataDir), { retentionMs: RETENTION_MS, clock: { monotonic: () => performance.now() }, onError: err => told.push(err.message) })
    await store.settle()
    vi.setSystemTime(Date.now() - YEAR_MS)
    await store.settle()
    expect(await store.getToken('token-1')).toMatchObject({ live: true })
    expect(await oldest()).toBe('there')
  })

  it.each([-YEAR_MS, YEAR_MS])('whose clock was off by %i ms for one entry removes what is old, and nothing that is younger', async off => {
    await store.append(createUser('amy'))
    await store.append(createChannel('amy', 'room-of-amy'))
    for (let number = 0; number < 3; number++) await store.append(send('amy', 'room-of-amy', 'before'))
    vi.setSystemTime(Date.now() + off)
    await store.append(send('amy', 'room-of-amy', 'off'))
    vi.setSystemTime(Date.now() - off)
    for (let number = 0; number < 3; number++) await store.append(send('amy', 'room-of-amy', 'after'))
    const head = await store.head()
    vi.advanceTimersByTime(RETENTION_MS - MINUTE_MS)
    await store.settle()
    expect(await oldest()).toBe('there')
    vi.advanceTimersByTime(2 * MINUTE_MS)
    await store.settle()
    expect((await store.openStream({ of: 'application' }, { from: 'earliest' })).place).toEqual(head)
  })

  it('answers the repeat under a key, whatever its clock says meanwhile', async () => {
    await store.append(createUser('amy'))
    await store.append(createChannel('amy', 'room-of-amy'))
    const keyed = { ...send('amy', 'room-of-amy', 'once'), idempotency: { key: 'key-1', fingerprint: 'f' } }
    const first = await store.append(keyed)
    vi.setSystemTime(Date.now() + 25 * HOUR_MS)
    const repeat = await store.append({ ...keyed, messageId: 'another-id' })
    expect(JSON.parse(repeat.message).messageId).toBe(JSON.parse(first.message).messageId)
  })

  it('keeps times in order where a clock goes back a little', async () => {
    await store.append(createUser('amy'))
    await store.append(createChannel('amy', 'room-of-amy'))
    const one = JSON.parse((await store.append(send('amy', 'room-of-amy', 'one'))).message).messageId
    vi.setSystemTime(Date.now() - 30_000)
    const other = JSON.parse((await store.append(send('amy', 'room-of-amy', 'other'))).message).messageId
    expect(await createdAt(other)).toBe(await createdAt(one))
  })
})
