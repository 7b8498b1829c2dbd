/** SIGTERM while connections are in every state that a client can leave them in: exit 0, soon after the last answer. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { asApplication, basicOf, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

/** Far less than SHUTDOWN_GRACE_MS, after which it would be given up; and more than a busy machine takes. */
const SOON_MS = 6_000

let service: ServiceProcess
let token: string
let sockets: Socket[]
beforeEach(async () => {
  sockets = []
  service = await spawnService({ env: { SHUTDOWN_GRACE_MS: '60000' } })
  token = await tokenFor(service, 'amy')
  await asApplication(service, 'POST', '/v1/channels', { channelId: 'room-of-amy', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: [{ participantId: 'amy' }] })
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await service.kill('SIGKILL')
})

async function open (text: string): Promise<Socket> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (text !== '') socket.write(text)
  return socket
}
const head = (line: string, ...more: string[]) => [`${line} HTTP/1.1`, 'host: x', `authorization: Bearer ${token}`, ...more, '', ''].join('\r\n')
const half = () => head('POST /v1/channels/room-of-amy/messages', 'content-type: application/json', 'content-length: 1000')

/** Every state that a client can leave a connection in. */
const states: Array<[string, () => Promise<unknown>]> = [
  ['that says nothing', () => open('')],
  ['with half a request line on it', () => open('GET /v1/us')],
  ['with half its headers on it', () => open('GET / HTTP/1.1\r\nhost: x\r\nX-')],
  ['with half a body on it', () => open(`${half()}{"text`)],
  ['with a body in chunks that does not end', () => open(head('POST /v1/channels', 'content-type: application/json', 'transfer-encoding: chunked') + '5\r\n{"cha\r\n')],
  ['that was answered, and says half of the next', async () => {
    const socket = await open(head('GET /health/live'))
    await once(socket, 'data')
    socket.write('GET /health/l')
  }],
  ['whose answer nobody reads', async () => {
    for (let index = 0; index < 80; index++) await asApplication(service, 'POST', '/v1/channels/room-of-amy/messages', { textPayload: 'x'.repeat(60_000) })
    const socket = await open('')
    socket.pause()
    socket.write(head('GET /v1/channels/room-of-amy/messages?limit=200').repeat(3))
  }],
  ['whose stream nobody reads', async () => {
    const socket = await open(head('GET /v1/users/me/events'))
    await once(socket, 'data')
    socket.pause()
    for (let index = 0; index < 120; index++) await asApplication(service, 'POST', '/v1/channels/room-of-amy/messages', { textPayload: 'x'.repeat(60_000) })
  }],
  ['that its client has half closed', async () => { (await open(half())).end() }]
]

it(`nobody holds it up, whatever there is of a connection: ${states.map(([state]) => state).join(', ')}`, async () => {
  for (const [, leave] of states) await leave()
  const stream = await openReader(`${service.url}/v1/events`, { authorization: basicOf(service.credentials) })
  await stream.until('caught-up')
  const started = performance.now()
  const code = await service.stop()
  expect({ code, soon: performance.now() - started < SOON_MS }).toEqual({ code: 0, soon: true })
  expect((await stream.until('bye')).json.reason).toBe('shutdown')
})

it('an answer that is being read is read to its end, and so is the next one on its connection', async () => {
  for (let index = 0; index < 80; index++) await asApplication(service, 'POST', '/v1/channels/room-of-amy/messages', { textPayload: 'x'.repeat(60_000) })
  const socket = await open('')
  socket.pause()
  socket.write(head('GET /v1/channels/room-of-amy/messages?limit=200') + head('GET /v1/users/me'))
  // It has begun, and there is more of it than waits on the way.
  await once(socket, 'readable')
  const stopped = service.stop()
  await setTimeout(500)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  await once(socket, 'end')
  const text = Buffer.concat(chunks).toString('latin1')
  const [length] = /(?<=content-length: )\d+/.exec(text)!
  const begin = text.indexOf('\r\n\r\n') + 4
  expect(text.slice(begin + Number(length))).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*"userId":"amy"/)
  expect(await stopped).toBe(0)
})

it('a request that keeps arriving is answered', async () => {
  const body = JSON.stringify({ textPayload: 'slow but steady' })
  const socket = await open(head('POST /v1/channels/room-of-amy/messages', 'content-type: application/json', `content-length: ${body.length}`))
  const stopped = service.stop()
  const answered = once(socket, 'data') as Promise<[Buffer]>
  for (const character of body) {
    socket.write(character)
    await setTimeout(50)
  }
  expect((await answered)[0].toString()).toMatch(/^HTTP\/1.1 200 OK/)
  expect(await stopped).toBe(0)
})

it('but is waited for no longer than a share of the time that a stop may take', async () => {
  await service.stop()
  service = await spawnService({ env: { SHUTDOWN_GRACE_MS: '3000' } })
  token = await tokenFor(service, 'amy')
  const socket = await open(half())
  const sending = setInterval(() => socket.write(' '), 50)
  const stopped = service.stop()
  await setTimeout(1_200)
  const { closed } = socket
  const code = await stopped
  clearInterval(sending)
  expect({ closed, code }).toEqual({ closed: false, code: 0 })
})

it('a request that comes on a kept connection just then is answered, and told that it is the last', async () => {
  const socket = await open(head('GET /health/live'))
  await once(socket, 'data')
  const stopped = service.stop()
  await setTimeout(100)
  socket.write(head('GET /v1/users/me'))
  const [answer] = await once(socket, 'data') as [Buffer]
  expect(answer.toString()).toMatch(/^HTTP\/1.1 200 OK\r\n[^]*connection: close\r\n/i)
  expect(await stopped).toBe(0)
})
