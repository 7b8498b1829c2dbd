/** A stream ends when its token does, however far off that is: timers of Node wait 24.8 days at most. */
import { afterEach, expect, it, vi } from 'vitest'
import { startApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'
import { openReader } from '../support/sse.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

afterEach(() => { vi.useRealTimers() })

it('a stream whose token is good for 60 days goes on after 25 and after 50 of them, and ends after 60', async () => {
  // Sockets and intervals go on as ever.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const on = await startApp({ tokenTtlSeconds: 60 * DAY_MS / 1000, heartbeatMs: HOUR_MS, checkpointMs: HOUR_MS })
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  const reader = await openReader(`${on.url}/v1/users/me/events`, asAmy)
  await reader.until('caught-up')
  try {
    for (const days of [25, 50]) {
      await vi.advanceTimersByTimeAsync(25 * DAY_MS)
      await on.store.append(send('amy', 'room-of-amy', `after ${days} days`))
      await reader.until(({ event, json }) => event === 'bye' || json.message?.textPayload === `after ${days} days`)
      expect(reader.frames.filter(({ event }) => event === 'bye').map(({ json }) => `${json.reason} after ${days} days`)).toEqual([])
    }
    await vi.advanceTimersByTimeAsync(10 * DAY_MS)
    expect(await reader.until('bye')).toMatchObject({ json: { reason: 'expired' } })
  } finally {
    vi.useRealTimers()
    reader.close()
    await on.stop()
  }
})

it('a stream ends with its token though the clock was put forward meanwhile', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] })
  const on = await startApp({ tokenTtlSeconds: HOUR_MS / 1000 })
  const reader = await openReader(`${on.url}/v1/users/me/events`, await on.user('amy'))
  await reader.until('caught-up')
  try {
    vi.setSystemTime(Date.now() + 2 * HOUR_MS)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await reader.until('bye')).toMatchObject({ json: { reason: 'expired' } })
  } finally {
    vi.useRealTimers()
    reader.close()
    await on.stop()
  }
})
