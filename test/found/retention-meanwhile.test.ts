/** Retention passes a reader by in the middle of its replay: it is told so, and what it misses it does not miss in silence. */
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { until } from '../durability/conversation.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join, leave, send } from '../support/commands.ts'
import { isEntry, openReader } from '../support/sse.ts'

const RETENTION_MS = 168 * 3_600_000
/** Of two long messages and a coming or going: more than all buffers between here and there hold. */
const ROUNDS = 200

let on: TestApp
beforeEach(async () => {
  // Only what clocks say: everything waits as ever.
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  on = await startApp({ queueBytes: 64 * 1024, retentionMs: RETENTION_MS })
})
afterEach(async () => {
  vi.useRealTimers()
  await on.stop()
})

it.each(['/v1/channels/room-of-amy/events', '/v1/users/me/events', '/v1/events'])('a reader of %s gets every entry up to a gap that says expired', async path => {
  const asAmy = await on.user('amy')
  await on.user('bob')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  // Messages stay whatever retention says; comings and goings do not.
  for (let index = 0; index < ROUNDS; index++) {
    await Promise.all(['x', 'y'].map(letter => on.store.append(send('amy', 'room-of-amy', letter.repeat(60_000)))))
    await on.store.append(index % 2 === 0 ? join('bob', 'room-of-amy') : leave('bob', 'room-of-amy'))
  }
  const connected = new Promise<Socket>(resolve => { on.app.server.once('connection', resolve) })
  const reader = await openReader(`${on.url}${path}?after=earliest`, path === '/v1/events' ? on.application : asAmy)
  reader.pause()
  const socket = await connected
  await until('it waits for its reader', () => socket.writableLength > 0)
  vi.advanceTimersByTime(RETENTION_MS + 60_000)
  await on.store.settle()
  reader.resume()
  await reader.until(({ event }) => event === 'caught-up' || event === 'bye')
  reader.close()

  const got = reader.frames.filter(isEntry).map(({ event }) => event)
  const end = reader.frames.find(({ event }) => event === 'gap' || event === 'bye')
  // Two messages, one coming or going, and so on.
  const all = ['channel', ...Array.from({ length: ROUNDS }, (_, index) => ['message', 'message', index % 2 === 0 ? 'participation' : 'participation-deleted']).flat()]
  expect(got).toEqual(all.slice(0, got.length))
  if (got.length < all.length) expect(end?.json.reason).toMatch(/^(expired|unavailable)$/)
})
