/** A reader that takes nothing is cut (protocol 8, promise 7), whatever it says meanwhile. */
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'

const STALLED_MS = 500

let on: TestApp
let asAmy: Record<string, string>
let client: Socket
beforeEach(async () => {
  on = await startApp({ stalledMs: STALLED_MS, queueBytes: 64 * 1024 })
  asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
})
afterEach(async () => {
  client.destroy()
  await on.stop()
})
const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

it.each([['nothing', false], ['a byte now and then', true]])('it says %s', async (_what, talks) => {
  client = connect(Number(new URL(on.url).port), '127.0.0.1').on('error', () => {})
  client.write(`GET /v1/users/me/events HTTP/1.1\r\nhost: x\r\nauthorization: ${asAmy.authorization}\r\n\r\n`)
  client.pause()
  while (on.streams.count === 0) await sleep(10)
  // Far more than the kernel takes for it, and the queue.
  for (let n = 0; n < 250; n++) await on.store.append(send('amy', 'room-of-amy', 'x'.repeat(60_000)))
  for (let n = 0; n < 60; n++) {
    await sleep(STALLED_MS / 5)
    if (talks && !client.destroyed) client.write('x')
    if (on.streams.count === 0) break
  }
  expect(on.streams.count, `streams after ${60 / 5} times the time`).toBe(0)
}, 60_000)
