/** What waits for a reader that takes nothing costs at most STREAM_QUEUE_BYTES and 64 KiB, whatever else the service does meanwhile. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'
import { openReader } from '../support/sse.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const QUEUE = 1024 * 1024
const MESSAGES = Number(process.env.MESSAGES ?? 600)

let on: TestApp
const sockets: Socket[] = []
beforeEach(async () => {
  on = await startApp({ queueBytes: QUEUE })
  on.app.server.on('connection', (socket: Socket) => sockets.push(socket))
})
afterEach(async () => { await on.stop() })

const held = async () => {
  for (let n = 0; n < 5; n++) {
    gc()
    await once(AbortSignal.timeout(50), 'abort')
  }
  return process.memoryUsage().arrayBuffers
}

it('one stalled reader of a quiet channel', async () => {
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-quiet'))
  await on.store.append(createChannel('amy', 'room-busy1'))
  for (let n = 0; n < 40; n++) await on.store.append(send('amy', 'room-busy1', 'x'.repeat(100)))
  const reader = await openReader(`${on.url}/v1/channels/room-quiet/events?format=compact`, asAmy)
  await reader.until('caught-up')
  const socket = sockets.at(-1)!
  reader.pause()
  while (socket.writableLength === 0) await on.store.append(send('amy', 'room-quiet', 'x'.repeat(16_000)))
  const read = async () => (await (await fetch(`${on.url}/v1/channels/room-busy1/messages?limit=38`, { headers: asAmy })).text()).length
  for (let n = 0; n < MESSAGES; n++) {
    await on.store.append(send('amy', 'room-quiet', 'hello'))
    await Promise.all([read(), read(), read()])
  }
  // What the ring keeps goes.
  for (let n = 0; n < 8_400; n += 200) await Promise.all(Array.from({ length: 200 }, () => on.store.append(send('amy', 'room-busy1', 'hello'))))
  const waiting = socket.writableLength
  const withReader = await held()
  const gone = new Promise(resolve => socket.once('close', resolve))
  reader.close()
  await gone
  const cost = withReader - await held()
  expect(waiting).toBeLessThan(QUEUE)
  expect(cost).toBeLessThan(QUEUE + 64 * 1024)
}, 120_000)
