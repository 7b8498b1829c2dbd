/** What stands for a network between a node and its database takes the time that it is to take, and changes nothing. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { hasCompiler } from '../../bench/compile.ts'
import { startDelay, type Delay } from '../../bench/delay.ts'

let server: Server
let way: Delay
let taken: Socket[] = []

afterEach(async () => {
  await way.stop()
  for (const socket of taken) socket.destroy()
  server.close()
})

async function connectThrough (ms: number, serve: (socket: Socket) => void): Promise<Socket> {
  taken = []
  server = createServer({ allowHalfOpen: true, noDelay: true }, socket => {
    taken.push(socket)
    socket.on('error', () => {})
    serve(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  way = await startDelay((server.address() as AddressInfo).port, ms)
  const socket = connect({ port: way.port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  await once(socket, 'connect')
  return socket
}

const echo = (socket: Socket): void => { socket.pipe(socket) }

async function roundTrips (socket: Socket, count: number): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const before = performance.now()
    socket.write('x')
    await once(socket, 'data')
    times.push(performance.now() - before)
  }
  return times.sort((one, other) => one - other)
}

describe.skipIf(!hasCompiler())('a way that takes time (skipped where there is no C compiler)', () => {
  test.each([[1, 2], [10, 20]])('of %i ms takes %i ms there and back, never less', async (ms, both) => {
    const times = await roundTrips(await connectThrough(ms, echo), 50)
    expect(times[0]).toBeGreaterThanOrEqual(both)
    expect(times[25]).toBeLessThan(both + 2)
  })

  test('of none takes less', async () => {
    const times = await roundTrips(await connectThrough(0, echo), 50)
    expect(times[25]).toBeLessThan(1.5)
  })

  test('hands on all that is sent, in order, though nobody reads for a while, and then the end', async () => {
    const socket = await connectThrough(1, echo)
    const bytes = randomBytes(20 * 1_048_576)
    socket.end(bytes)
    await new Promise(resolve => setTimeout(resolve, 200))
    const read: Buffer[] = []
    for await (const chunk of socket) read.push(chunk as Buffer)
    const digest = (data: Buffer) => createHash('sha256').update(data).digest('hex')
    expect(digest(Buffer.concat(read))).toBe(digest(bytes))
  })

  test('breaks where the other side has broken off', async () => {
    const socket = await connectThrough(1, other => other.once('data', () => other.resetAndDestroy()))
    socket.write('x')
    const [err] = await once(socket, 'error') as [NodeJS.ErrnoException]
    expect(err.code).toBe('ECONNRESET')
  })
})
