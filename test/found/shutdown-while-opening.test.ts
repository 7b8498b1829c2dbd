/** A shutdown that begins while a stream is being opened: the stream is told as all others are, and nothing waits for it. */
import { once } from 'node:events'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { until } from '../durability/conversation.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel } from '../support/commands.ts'
import { openReader, type Reader } from '../support/sse.ts'
import { Turnstile } from './turnstile.ts'

/** Far longer than a shutdown takes, in milliseconds. */
const LONG_MS = 8_000

let on: TestApp
let turnstile: Turnstile
const readers: Reader[] = []
beforeEach(async () => {
  turnstile = new Turnstile()
  on = await startApp({ wrapStore: turnstile.wrap })
})
afterEach(async () => {
  turnstile.release()
  readers.splice(0).forEach(reader => reader.close())
  await on.stop()
})

/** How many calls of the store an opening waits for: the user's token, the place to start at, the token again, and the first page. */
it.each([0, 1, 2, 3])('after %i reads of its opening, a stream ends with bye shutdown, and the service stops', async passes => {
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  const held = turnstile.hold(passes)
  const opening = openReader(`${on.url}/v1/users/me/events`, asAmy)
  opening.then(reader => readers.push(reader), () => {})
  await Promise.race([held, opening])
  const drain = vi.spyOn(on.streams, 'drain')
  const closed = on.app.close().then(() => true)
  await until('streams take their leave', () => drain.mock.calls.length > 0)
  turnstile.release()
  const reader = await opening
  const within = (work: Promise<unknown>) => Promise.race([work.then(() => true), once(AbortSignal.timeout(LONG_MS), 'abort').then(() => false)])
  const [stopped, ended] = await Promise.all([within(closed), within(reader.ended)])
  const last = reader.frames.at(-1)
  expect({ stopped, ended, status: reader.status, last: last && [last.event, last.json.reason] })
    .toEqual({ stopped: true, ended: true, status: 200, last: ['bye', 'shutdown'] })
})
