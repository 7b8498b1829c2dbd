/** A client that goes away while its stream is being opened leaves nothing behind. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { signed } from '../auth/signing.ts'
import { until } from '../durability/conversation.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel } from '../support/commands.ts'
import { call } from '../support/process.ts'
import { Turnstile } from './turnstile.ts'

/** Far longer than any of this takes, in milliseconds. */
const LONG_MS = 5_000

let on: TestApp
let turnstile: Turnstile
let asAmy: Record<string, string>
/** The server's side of each connection, by the client's port. */
let sockets: Map<number, Socket>
beforeEach(async () => {
  turnstile = new Turnstile()
  sockets = new Map()
  on = await startApp({ wrapStore: turnstile.wrap })
  on.app.server.on('connection', (socket: Socket) => sockets.set(socket.remotePort!, socket))
  asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
})
afterEach(async () => {
  turnstile.release()
  await Promise.race([on.stop(), once(AbortSignal.timeout(LONG_MS), 'abort')])
})

const signature = (path: string): Record<string, string> =>
  ({ ...signed({ method: 'GET', path, key: on.credentials.accessKey, secret: on.credentials.accessSecret }) })
const eventToken = async () => (await call(on.url, 'POST', '/v1/users/me/event-tokens', asAmy)).body.eventToken as string

const callers: Record<string, () => Promise<[path: string, headers: Record<string, string>]>> = {
  'a user on its own stream': async () => ['/v1/users/me/events', asAmy],
  'a user with an event token on a channel\'s': async () => [`/v1/channels/room-of-amy/events?access_token=${await eventToken()}`, {}],
  'the application on everything': async () => ['/v1/events', on.application],
  'the application, signed, on everything': async () => ['/v1/events', signature('/v1/events')],
  'the application, signed, as a user': async () => ['/v1/users/me/events', { ...signature('/v1/users/me/events'), 'x-mitter-sudo-user-id': 'amy' }]
}

/** Writes a request and nothing else. */
async function ask (path: string, headers: Record<string, string>): Promise<Socket> {
  const socket = connect(Number(new URL(on.url).port), '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  const lines = Object.entries({ host: 'x', ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  return socket
}

async function stops (): Promise<void> {
  const stopped = await Promise.race([on.app.close().then(() => true), once(AbortSignal.timeout(LONG_MS), 'abort').then(() => false)])
  expect(stopped, 'the service stops').toBe(true)
}

it.each(Object.keys(callers))('%s, gone at whichever read or write of the store the opening waits for, has no stream', async name => {
  let stages = 0
  for (let answered = false; !answered; stages++) {
    const held = turnstile.hold(Infinity)
    const [path, headers] = await callers[name]!()
    turnstile.passes = stages
    const client = await ask(path, headers)
    const data = new Promise<boolean>(resolve => client.once('data', () => resolve(true)))
    answered = await Promise.race([held.then(() => false), data])
    const socket = sockets.get(client.localPort!)!
    // With an error, too, where something was still on its way to the client.
    const gone = new Promise(resolve => socket.once('close', resolve))
    client.destroy()
    await gone
    turnstile.release()
    // Answered after all that the opening had still to do in this turn.
    expect((await call(on.url, 'GET', '/health/ready', {})).status).toBe(200)
  }
  expect(stages).toBeGreaterThan(1)
  await until('no stream is left', () => on.streams.count === 0, LONG_MS).catch(() => {})
  expect(on.streams.count).toBe(0)
  await stops()
})

it('50 signed clients that go as soon as they have asked have no streams, and the service stops', async () => {
  await Promise.all(Array.from({ length: 50 }, async () => {
    const client = await ask('/v1/events', signature('/v1/events'))
    client.destroy()
  }))
  await until('the server has seen all of them go', () => sockets.size === 50 && [...sockets.values()].every(socket => socket.destroyed), LONG_MS)
  for (let index = 0; index < 3; index++) expect((await call(on.url, 'GET', '/health/ready', {})).status).toBe(200)
  await until('no stream is left', () => on.streams.count === 0, LONG_MS).catch(() => {})
  expect(on.streams.count).toBe(0)
  await stops()
})
