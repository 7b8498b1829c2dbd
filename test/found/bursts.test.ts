/** Slow is a reader that does not take what was written to it (protocol 8, promise 7), not one to whom much happens at once. */
import type { Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { openReader, textsOf } from '../support/sse.ts'

const QUEUE_BYTES = 64 * 1024
/** Committed together, they are thirty times what may wait for a reader. */
const TEXTS = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(20_000)}`)

/** A text and members of a new channel, at their bounds (protocol 1, rule 9); each character is six bytes of JSON. */
const LARGEST = '\u0001'.repeat(65_536)
const MOST_PARTICIPANTS = 1_000

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

it('one who takes nothing for a while, and for whom much more comes than may wait, gets it all on the same connection', async () => {
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  const reader = await openReader(`${on.url}/v1/users/me/events`, asAmy)
  await reader.until('caught-up')
  reader.pause()
  // 47 MB: more than the kernel takes for a reader.
  const texts = Array.from({ length: 120 }, (_, index) => LARGEST.slice(3) + `${index}`.padStart(3))
  for (let first = 0; first < texts.length; first += 10) {
    await Promise.all(texts.slice(first, first + 10).map(text => on.store.append(send('amy', 'room-of-amy', text))))
  }
  reader.resume()
  await reader.until(({ event, json }) => event === 'bye' || json.message?.textPayload === texts.at(-1))
  expect(textsOf(reader)).toEqual(texts)
  reader.close()
})

it('nobody who reads is cut by the largest messages at once, nor by channels of strangers who name a thousand people', async () => {
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  for (let number = 1; number < MOST_PARTICIPANTS; number++) await on.store.append(createUser(`member-${number}`))
  const readers = await Promise.all(Array.from({ length: 20 }, () => openReader(`${on.url}/v1/users/me/events`, asAmy)))
  await Promise.all(readers.map(reader => reader.until('caught-up')))
  const named = [{ userId: 'amy' }, ...Array.from({ length: MOST_PARTICIPANTS - 1 }, (_, index) => ({ userId: `member-${index + 1}` }))]
  const participants = named.map(({ userId }) => ({ userId, status: 'active' as const, roles: [] }))
  await Promise.all([
    ...Array.from({ length: 6 }, () => on.store.append(send('amy', 'room-of-amy', LARGEST))),
    ...Array.from({ length: 12 }, (_, number) => on.store.append(createChannel('.system', `crowd-${number}`, { participants })))
  ])
  await on.store.append(send('amy', 'room-of-amy', 'the last'))
  for (const reader of readers) {
    await reader.until(({ event, json }) => event === 'bye' || json.message?.textPayload === 'the last')
    const kinds = reader.frames.map(({ event }) => event)
    expect(['bye', 'message', 'channel'].map(kind => kinds.filter(event => event === kind).length)).toEqual([0, 7, 12])
    reader.close()
  }
})
