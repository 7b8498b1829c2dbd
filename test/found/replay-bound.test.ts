/** What waits for a reader is bounded during a replay as it is live (protocol 8, promise 7), in bytes, whatever the alphabet. */
import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'
import { openReader, textsOf } from '../support/sse.ts'

const QUEUE_BYTES = 64 * 1024
/** Enough that no kernel takes it all for a reader that does not read. */
const HISTORY_BYTES = 24 * 1024 * 1024

let on: TestApp
let asAmy: Record<string, string>
let texts: string[]
/** The server's side of each connection, and the most that ever waited there, in bytes. */
const watched: Array<{ most: number, socket: Socket }> = []
beforeAll(async () => {
  on = await startApp({ queueBytes: QUEUE_BYTES })
  asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  texts = []
  for (let [index, bytes] = [0, 0]; bytes < HISTORY_BYTES; index++) {
    const letter = ['a', 'ü', '語', '🎈'][index % 4]!
    const size = 1_000 + (index * 7_919) % 59_000
    texts.push(`${index} ${letter.repeat(Math.floor(size / Buffer.byteLength(letter)))}`)
    bytes += size
  }
  // Small ones beside each other too.
  for (let index = 0; index < 500; index++) texts.push(`small ${index}`)
  for (let index = 0; index < texts.length; index += 50) {
    await Promise.all(texts.slice(index, index + 50).map(text => on.store.append(send('amy', 'room-of-amy', text))))
  }
  on.app.server.on('connection', (socket: Socket) => {
    const watch = { most: 0, socket }
    watched.push(watch)
    // Asked right after each write: it only falls in between.
    const { write } = socket
    socket.write = (...args: any[]) => {
      const more = Reflect.apply(write, socket, args)
      watch.most = Math.max(watch.most, socket.writableLength)
      return more
    }
  })
}, 60_000)
afterAll(() => on.stop())

it.each([
  ['a channel\'s stream', '/v1/channels/room-of-amy/events', () => asAmy],
  ['a user\'s stream', '/v1/users/me/events', () => asAmy],
  ['the stream of everything', '/v1/events', () => on.application]
])('%s keeps what waits under the bound while nobody reads, and a reader that then reads gets all of it', async (_what, path, headers) => {
  const reader = await openReader(`${on.url}${path}?after=earliest`, headers())
  reader.pause()
  const watch = watched.at(-1)!
  // The kernels take what they can, and then it waits with us.
  await until('something waits for the reader', () => watch.socket.writableLength > 0)
  reader.resume()
  await reader.until('caught-up')
  reader.close()
  const got = textsOf(reader)
  expect(got.length).toBe(texts.length)
  expect(got).toEqual(texts)
  const largest = Math.max(...reader.raw().split('\n\n').map(frame => Buffer.byteLength(frame)))
  expect(watch.most).toBeGreaterThan(0)
  // A frame, and what HTTP puts around it.
  expect(watch.most).toBeLessThanOrEqual(QUEUE_BYTES + largest + 1024)
}, 60_000)
