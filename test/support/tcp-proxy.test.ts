import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { startProxy, type TcpProxy } from './tcp-proxy.ts'

let echo: Server
let proxy: TcpProxy
const clients: Socket[] = []

beforeAll(async () => {
  echo = createServer(socket => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
})
beforeEach(async () => { proxy = await startProxy({ port: (echo.address() as AddressInfo).port }) })
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy()
  proxy.close()
})
afterAll(() => { echo.close() })

async function client (): Promise<Socket> {
  const socket = connect(proxy.port, '127.0.0.1')
  clients.push(socket)
  await once(socket, 'connect')
  return socket
}

/** Sends, and resolves with as many bytes as were sent. */
async function echoed (socket: Socket, sent: Buffer | string): Promise<Buffer> {
  const data = Buffer.from(sent)
  const got: Buffer[] = []
  let bytes = 0
  const all = new Promise<void>((resolve, reject) => {
    socket.once('close', () => reject(new Error('closed')))
    socket.on('data', function take (chunk: Buffer) {
      got.push(chunk)
      bytes += chunk.length
      if (bytes < data.length) return
      socket.off('data', take)
      resolve()
    })
  })
  socket.write(data)
  await all
  return Buffer.concat(got)
}

const numbered = (bytes: number) => Buffer.from(Uint32Array.from({ length: bytes / 4 }, (_, index) => index).buffer)

it('passes bytes on, and that one side has finished', async () => {
  const socket = await client()
  const sent = numbered(16 * 1_048_576)
  expect((await echoed(socket, sent)).equals(sent)).toBe(true)
  socket.end()
  await once(socket, 'close')
  expect(proxy.connections).toBe(0)
})

it('cuts connections with a reset, and takes new ones', async () => {
  const socket = await client()
  await echoed(socket, 'before')
  const broken = once(socket, 'error')
  proxy.cut()
  expect(await broken).toMatchObject([{ code: 'ECONNRESET' }])
  expect(String(await echoed(await client(), 'after'))).toBe('after')
})

it('refuses new connections and keeps the old, until it accepts again', async () => {
  const old = await client()
  await echoed(old, 'before')
  proxy.refuse()
  await expect(client()).rejects.toThrow('ECONNREFUSED')
  expect(String(await echoed(old, 'still'))).toBe('still')
  await proxy.accept()
  expect(String(await echoed(await client(), 'again'))).toBe('again')
})

it('delays each way, in order, and loses nothing when the delay is changed', async () => {
  const socket = await client()
  await echoed(socket, 'before')
  proxy.delay(50)
  const start = performance.now()
  await echoed(socket, 'delayed')
  expect(performance.now() - start).toBeGreaterThan(99)
  const sent = numbered(1_048_576)
  const all = echoed(socket, sent)
  await sleep(20)
  proxy.delay(0)
  expect((await all).equals(sent)).toBe(true)
})

it('swallows all in a black hole, and hands it on when that is healed', async () => {
  const old = await client()
  await echoed(old, 'before')
  proxy.blackHole()
  let answers = 0
  const both = [old, await client()].map(async socket => { await echoed(socket, 'held'); answers++ })
  await sleep(100)
  expect(answers).toBe(0)
  await proxy.heal()
  await Promise.all(both)
})

it('does not tell one side in a black hole that the other has gone, and does when it is healed', async () => {
  const socket = await client()
  await echoed(socket, 'before')
  proxy.blackHole()
  socket.resetAndDestroy()
  await sleep(50)
  expect(proxy.connections).toBe(1)
  await proxy.heal()
  await expect.poll(() => proxy.connections).toBe(0)
})
