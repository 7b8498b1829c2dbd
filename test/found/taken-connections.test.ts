/** Raw connections that become streams: what else is said on them, and how they end. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'

let on: TestApp
let asAmy: Record<string, string>
let server: Socket[]
const errors: unknown[] = []
const note = (err: unknown) => { errors.push(err) }
beforeEach(async () => {
  server = []
  errors.length = 0
  process.on('uncaughtException', note)
  on = await startApp({ heartbeatMs: 400, corsOrigins: ['http://page.example'] })
  on.app.server.on('connection', (socket: Socket) => server.push(socket))
  asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
})
afterEach(async () => {
  process.off('uncaughtException', note)
  await on.stop()
  expect(errors).toEqual([])
})

async function raw (text: string, options: { allowHalfOpen?: boolean } = {}): Promise<Socket & { had: string }> {
  const socket = connect({ port: Number(new URL(on.url).port), host: '127.0.0.1', allowHalfOpen: options.allowHalfOpen ?? true }) as Socket & { had: string }
  socket.on('error', () => {})
  socket.had = ''
  socket.on('data', chunk => { socket.had += chunk.toString() })
  await once(socket, 'connect')
  socket.write(text)
  return socket
}
const lines = (path: string, version = '1.1', more: Record<string, string> = {}) =>
  `GET ${path} HTTP/${version}\r\n${Object.entries({ host: 'x', ...asAmy, ...more }).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
const events = '/v1/users/me/events'
const soon = (ms = 50) => once(AbortSignal.timeout(ms), 'abort')

it('HTTP/1.0', async () => {
  const client = await raw(lines(events, '1.0'))
  await until('caught up', () => client.had.includes('caught-up'))
  expect(client.had).not.toMatch(/transfer-encoding/i)
  expect(client.had.split('\r\n\r\n')[1]).toMatch(/^id: /)
  await on.store.append(send('amy', 'room-of-amy', 'hi'))
  await until('message', () => client.had.includes('event: message'))
  client.destroy()
  await until('gone', () => on.streams.count === 0)
})

it('half-close at once', async () => {
  const client = await raw(lines(events))
  client.end()
  await Promise.race([once(client, 'close'), once(client, 'end'), soon(3000)])
  await until('gone', () => on.streams.count === 0)
})

it('half-close later', async () => {
  const client = await raw(lines(events))
  await until('caught up', () => client.had.includes('caught-up'))
  client.end()
  await until('gone', () => on.streams.count === 0)
})

it('a second request behind, in one packet, before, in pieces', async () => {
  for (const behind of [lines('/v1/users/me'), lines('/v1/users/me') + lines('/v1/users/me'), 'GET /v1/us', 'garbage\r\n\r\n', '\0\0\0']) {
    for (const wait of [false, true]) {
      const client = await raw(wait ? lines(events) : lines(events) + behind)
      if (wait) {
        await until('caught up', () => client.had.includes('caught-up')).catch(() => { throw new Error(client.had) })
        client.write(behind)
      }
      // What is no HTTP at all, in the same packet, is found before there is a stream: the connection is cut.
      if (!wait && !behind.startsWith('GET')) {
        await until('cut', () => client.closed || client.readableEnded)
        client.destroy()
        await until('gone', () => on.streams.count === 0)
        continue
      }
      await until('caught up', () => client.had.includes('caught-up'))
      const text = `m${Math.random()}`
      await on.store.append(send('amy', 'room-of-amy', text))
      await until('message', () => client.had.includes(text))
      await soon(500)
      expect(client.had.match(/HTTP\/1\.1/g)?.length, JSON.stringify([behind, wait, client.had])).toBe(1)
      client.destroy()
      await until('gone', () => on.streams.count === 0).catch(() => { throw new Error(`leak ${JSON.stringify(behind)} ${wait}`) })
    }
  }
}, 60_000)

it('a stream behind another request', async () => {
  const client = await raw(lines('/v1/users/me') + lines(events))
  await until('caught up', () => client.had.includes('caught-up'))
  const text = `m${Math.random()}`
  await on.store.append(send('amy', 'room-of-amy', text))
  await until('message', () => client.had.includes(text))
  client.destroy()
  await until('gone', () => on.streams.count === 0)
})

it('a GET with a body that is late', async () => {
  const client = await raw(lines(events, '1.1', { 'content-length': '10' }))
  await until('caught up', () => client.had.includes('caught-up')).catch(() => { console.log('no stream with a late body', client.had) })
  client.write('0123456789')
  await soon()
  client.write(lines('/v1/users/me'))
  await soon(300)
  expect(client.had.match(/HTTP\/1\.1/g)?.length).toBe(1)
  client.destroy()
  await until('gone', () => on.streams.count === 0)
})

it('end at each turn of the loop after the request has come', async () => {
  const outcomes: string[] = []
  for (let turns = 0; turns < 12; turns++) {
    for (const how of ['end', 'reset', 'destroy'] as const) {
      const client = await raw('')
      client.write(lines(events))
      const seen = once(on.app.server, 'request')
      await seen
      const socket = server.at(-1)!
      for (let n = 0; n < turns; n++) await new Promise(resolve => setImmediate(resolve))
      if (how === 'end') client.end()
      else if (how === 'reset') client.resetAndDestroy()
      else socket.destroy()
      await until('gone', () => on.streams.count === 0).catch(() => { outcomes.push(`leak ${turns} ${how}`) })
      await until('closed', () => socket.destroyed).catch(() => { outcomes.push(`open ${turns} ${how}`) })
      client.destroy()
    }
  }
  // The server's half that was ended while the stream was being opened.
  for (let turns = 0; turns < 12; turns++) {
    const client = await raw('')
    client.write(lines(events))
    await once(on.app.server, 'request')
    const socket = server.at(-1)!
    for (let n = 0; n < turns; n++) await Promise.resolve()
    socket.end()
    await until('gone', () => on.streams.count === 0).catch(() => { outcomes.push(`leak ${turns} server end`) })
    client.destroy()
  }
  expect(outcomes).toEqual([])
}, 60_000)

it('CORS', async () => {
  const client = await raw(lines(events, '1.1', { origin: 'http://page.example' }))
  await until('caught up', () => client.had.includes('caught-up'))
  client.destroy()
})

it('HEAD and others', async () => {
  for (const method of ['HEAD', 'OPTIONS', 'POST']) {
    const client = await raw(lines(events).replace('GET', method))
    await soon(300)
    client.destroy()
  }
  expect(on.streams.count).toBe(0)
})
