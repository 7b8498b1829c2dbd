/** Slow is a reader that does not take what was written to it (protocol 8, promise 7), not one to whom much happens at once. */
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'
import { openReader, textsOf } from '../support/sse.ts'

const QUEUE_BYTES = 64 * 1024
/** Committed together, they are thirty times what may wait for a reader. */
const TEXTS = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(20_000)}`)

let on: TestApp
beforeEach(async () => { on = await startApp({ queueBytes: QUEUE_BYTES }) })
afterEach(() => on.stop())

it.each(['/v1/channels/room-of-amy/events', '/v1/users/me/events', '/v1/events'])('a reader of %s that reads gets a burst whole, on one connection, and never more than the bound waits for it', async path => {
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  let most = 0
  on.app.server.on('connection', (socket: Socket) => {
    const { write } = socket
    socket.write = (...args: any[]) => {
      const more = Reflect.apply(write, socket, args)
      most = Math.max(most, socket.writableLength)
      return more
    }
  })
  const reader = await openReader(on.url + path, path === '/v1/events' ? on.application : asAmy)
  await reader.until('caught-up')
  for (let burst = 0; burst < 3; burst++) {
    const sent = TEXTS.map(text => `${burst} ${text}`)
    await Promise.all(sent.map(text => on.store.append(send('amy', 'room-of-amy', text))))
    await reader.until(({ event, json }) => event === 'bye' || json.message?.textPayload === sent.at(-1))
    expect(reader.frames.filter(({ event }) => event === 'bye').map(({ json }) => json.reason)).toEqual([])
    expect(textsOf(reader).slice(burst * TEXTS.length)).toEqual(sent)
  }
  reader.close()
  expect(most).toBeLessThanOrEqual(QUEUE_BYTES + 30_000)
})
