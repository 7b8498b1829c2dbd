/** How long a client is told to wait before it comes back (protocol 8, `bye`). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join, leave } from '../support/commands.ts'
import { call } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

let on: TestApp
beforeAll(async () => { on = await startApp() })
afterAll(() => on.stop())

const MINUTE_MS = 60_000

it.each<[reason: string, end: (room: string, asBob: Record<string, string>) => Promise<unknown>]>([
  ['removed', room => on.store.append(leave('bob', room))],
  ['deleted', room => on.store.append({ type: 'delete-channel', actor: SYSTEM, channelId: room })],
  ['expired', (_room, asBob) => call(on.url, 'GET', '/v1/users/me/logout', asBob)]
])('after bye %s it is minutes: there is nothing to come back for', async (reason, end) => {
  const room = `room-of-${reason}`
  await on.user('amy')
  const asBob = await on.user('bob')
  await on.store.append(createChannel('amy', room))
  await on.store.append(join('bob', room))
  const reader = await openReader(`${on.url}/v1/channels/${room}/events`, asBob)
  await reader.until('caught-up')
  await end(room, asBob)
  const bye = await reader.until('bye')
  expect(bye.json.reason).toBe(reason)
  expect(Number(bye.retry)).toBeGreaterThanOrEqual(MINUTE_MS)
})

it('after bye shutdown it is 3 to 8 seconds, not the same for all', async () => {
  const ending = await startApp()
  const asAmy = await ending.user('amy')
  const readers = await Promise.all(Array.from({ length: 40 }, () => openReader(`${ending.url}/v1/users/me/events`, asAmy)))
  await Promise.all(readers.map(reader => reader.until('caught-up')))
  await ending.stop()
  const retries = await Promise.all(readers.map(async reader => Number((await reader.until('bye')).retry)))
  expect(Math.min(...retries)).toBeGreaterThanOrEqual(3_000)
  expect(Math.max(...retries)).toBeLessThanOrEqual(8_000)
  expect(new Set(retries).size).toBeGreaterThan(20)
})
