/** However many streams go on at once, everybody else waits for one of them at most (relay/turns.ts). */
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { startApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'

const CHANNELS = 3_000
const STREAMS = 100

it(`${STREAMS} streams of somebody in ${CHANNELS} channels fall behind at once`, async () => {
  const on = await startApp()
  let full = false
  const answered = new Map<Socket, number>()
  on.app.server.on('connection', (socket: Socket) => {
    Object.defineProperty(socket, 'writableLength', {
      get (this: Socket) {
        const times = answered.get(this) ?? 0
        if (!full || times === 2) return (this as any)._writableState.length as number
        answered.set(this, times + 1)
        return 1e9
      }
    })
  })
  const asAmy = await on.user('amy')
  for (let n = 0; n < CHANNELS; n += 100) await Promise.all(Array.from({ length: 100 }, (_, index) => on.store.append(createChannel('amy', `room-${10_000 + n + index}`))))
  const clients = Array.from({ length: STREAMS }, () => {
    const client = connect(Number(new URL(on.url).port), '127.0.0.1') as Socket & { had: string }
    client.had = ''
    client.on('data', chunk => { client.had = (client.had + chunk.toString()).slice(-20_000) })
    client.write(`GET /v1/users/me/events?format=compact HTTP/1.1\r\nhost: x\r\nauthorization: ${asAmy.authorization}\r\n\r\n`)
    return client
  })
  await until('all are live', () => clients.every(({ had }) => had.includes('caught-up')), 30_000)
  await new Promise(resolve => setTimeout(resolve, 300))
  let [longest, last, watching] = [0, performance.now(), true]
  const watch = () => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (watching) setImmediate(watch)
  }
  watch()
  full = true
  await on.store.append(send('amy', 'room-10000', 'the last'))
  await until('all have it', () => clients.every(({ had }) => had.includes('the last')), 30_000)
  watching = false
  for (const client of clients) client.destroy()
  await on.stop()
  expect(longest, 'milliseconds in which nobody else was served').toBeLessThan(400)
}, 120_000)
