/** Whoever asks for much and reads nothing costs a bounded amount of memory, and keeps nobody else from being answered (protocol 1, rule 9). */
import { once } from 'node:events'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { fastify, type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { answerConnectionErrors, answerErrors } from '../../src/http/envelope.ts'
import { refuse } from '../../src/errors.ts'
import { boundUnread, type UnreadBounds } from '../../src/http/unread.ts'
import { startApp } from '../support/app.ts'

/** More than any socket's buffers hold. */
const LARGE = 'x'.repeat(32 * 1024 * 1024)

const opened: Socket[] = []
const stops: Array<() => Promise<unknown>> = []
afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy()
  for (const stop of stops.splice(0)) await stop()
})

interface Server {
  app: FastifyInstance
  port: number
  /** Bodies of the requests to /echo that were begun, in order. */
  begun: unknown[]
  /** Answers /late from then on. */
  open: () => void
}

/** A server of nothing but the bounds: /large, /small, /late, /last and /echo. */
async function serve (bounds: UnreadBounds = {}): Promise<Server> {
  const app = fastify({ clientErrorHandler: answerConnectionErrors(300), requestTimeout: 300, http: { headersTimeout: 100, connectionsCheckingInterval: 20 } })
  const begun: unknown[] = []
  const { promise: gate, resolve: open } = Promise.withResolvers<void>()
  const onRequest = boundUnread(app, bounds)
  app.decorateRequest('caller', '')
  app.addHook('onRequest', async request => { request.caller = request.headers.authorization ?? '' })
  answerErrors(app)
  app.addHook('preParsing', async ({ headers }) => { if (headers['content-encoding'] !== undefined) throw refuse('unsupportedMediaType', 'No encodings') })
  app.get('/large', { onRequest }, async () => LARGE)
  app.get('/small', { onRequest }, async () => 'small')
  app.get('/late', { onRequest }, async () => {
    await gate
    return LARGE
  })
  app.get('/last', { onRequest }, async (request, reply) => await reply.header('connection', 'close').send('last'))
  app.delete('/small', { onRequest }, async (request, reply) => await reply.code(204).send())
  app.post('/echo', { onRequest }, async ({ body }) => {
    begun.push(body)
    return body
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  stops.push(() => app.close())
  return { app, port: (app.server.address() as AddressInfo).port, begun, open }
}

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: a\r\n${more}\r\n`
function post (body: object, more = ''): string {
  const text = JSON.stringify(body)
  return `POST /echo HTTP/1.1\r\nHost: a\r\n${more}Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}
const last = 'Connection: close\r\n'

/** A client that sends and does not read. */
function unreading (port: number, bytes: string): Socket {
  const socket = connect(port, '127.0.0.1')
  opened.push(socket)
  socket.on('error', () => {})
  socket.pause()
  socket.write(bytes)
  return socket
}

/** The server's end of the next connection, once the headers of a large answer are on their way. */
async function answering ({ app }: Pick<Server, 'app'>): Promise<Socket> {
  const [, response] = await once(app.server, 'request')
  while (!response.headersSent) await new Promise(resolve => setImmediate(resolve))
  return response.socket
}

async function exchange (port: number, bytes: string): Promise<{ status: number, head: string }> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  opened.push(socket)
  socket.write(bytes)
  const [head] = await once(socket, 'data') as [string]
  socket.destroy()
  return { status: Number(/^HTTP\/1.1 (\d+)/.exec(head)![1]), head }
}

/** All bodies that come back until the server ends the connection. */
async function bodiesOf (socket: Socket): Promise<string[]> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  socket.resume()
  await once(socket, 'end')
  const bodies: string[] = []
  const all = Buffer.concat(chunks)
  for (let at = 0; at < all.length;) {
    const begin = all.indexOf('\r\n\r\n', at) + 4
    at = begin + Number(/content-length: (\d+)/i.exec(all.toString('latin1', at, begin))![1])
    bodies.push(all.toString('latin1', begin, at))
  }
  return bodies
}

/** Once a socket has closed, whatever closed it. */
async function closed (socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise(resolve => socket.once('close', resolve))
}

describe('requests that are sent ahead on one connection', () => {
  const ahead = Array.from({ length: 200 }, (_, number) => ({ number }))

  it('begin when the answer before them was taken, and are answered whole and in order', async () => {
    const server = await serve()
    const begins = answering(server)
    const socket = unreading(server.port, get('/large') + ahead.map(body => post(body, body.number === 199 ? last : '')).join(''))
    await begins
    for (let round = 0; round < 5; round++) await exchange(server.port, get('/small'))
    expect(server.begun).toEqual([])
    const [large, ...echoes] = await bodiesOf(socket)
    expect(large === LARGE).toBe(true)
    expect(echoes.map(echo => JSON.parse(echo))).toEqual(ahead)
    expect(server.begun).toEqual(ahead)
  })

  it('are answered in order where they come in pieces, while others are answered', async () => {
    const server = await serve()
    const socket = unreading(server.port, '')
    const bodies = bodiesOf(socket)
    const bytes = ahead.slice(0, 50).map(body => post({ ...body, text: 'x'.repeat(3_000) }, body.number === 49 ? last : '')).join('')
    for (let at = 0; at < bytes.length; at += 1_000) {
      socket.write(bytes.slice(at, at + 1_000))
      if (at % 10_000 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    expect((await bodies).map(body => JSON.parse(body).number)).toEqual(ahead.slice(0, 50).map(({ number }) => number))
  })

  it('are not late while the answer before them is read, however long that takes; from then on they are, and are told so', async () => {
    const server = await serve()
    const request = post({ number: 0 }, last)
    const begin = async (bytes: string) => {
      const begins = answering(server)
      const socket = unreading(server.port, get('/large', `Authorization: ${bytes.length}\r\n`) + bytes)
      await begins
      return socket
    }
    const whole = await begin(request.slice(0, 30))
    const halves = [await begin(request.slice(0, 30)), await begin(request.slice(0, -3))]
    await setTimeout(600)
    whole.write(request.slice(30))
    const [large, echo] = await bodiesOf(whole)
    expect([large === LARGE, echo]).toEqual([true, '{"number":0}'])
    for (const half of halves) {
      const [large, refusal, ...others] = await bodiesOf(half)
      expect([large === LARGE, JSON.parse(refusal!).error, others]).toEqual([true, 'Request Timeout', []])
    }
  })

  it('are nobody else\'s concern once they have come: a later one has its own time', async () => {
    const server = await serve()
    const begins = answering(server)
    const socket = unreading(server.port, get('/large') + post({ number: 0 }).slice(0, 30))
    const bodies = bodiesOf(socket)
    socket.pause()
    await begins
    await setTimeout(300)
    socket.write(post({ number: 0 }).slice(30))
    socket.resume()
    while (server.begun.length < 1) await setTimeout(5)
    await setTimeout(200) // of 300, from when the large one was taken
    const later = post({ number: 1 }, last)
    socket.write(later.slice(0, -3))
    await setTimeout(200)
    socket.write(later.slice(-3))
    expect((await bodies).slice(1)).toEqual(['{"number":0}', '{"number":1}'])
  })

  it('have their time from when the last answer before them was taken', async () => {
    const server = await serve()
    const begins = answering(server)
    const late = post({ number: 1 }, last)
    const socket = unreading(server.port, get('/large') + get('/late', 'Authorization: other\r\n') + late.slice(0, 30))
    const bodies = bodiesOf(socket)
    socket.pause()
    await begins
    await setTimeout(300)
    socket.resume()
    await setTimeout(250)
    server.open()
    await setTimeout(150)
    socket.write(late.slice(30))
    expect((await bodies).at(-1)).toBe('{"number":1}')
  })

  it('are waited for no more where their connection is gone', async () => {
    const server = await serve()
    const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
    const before = timers()
    const begins = answering(server)
    const socket = unreading(server.port, get('/late') + post({ number: 0 }).slice(0, 30))
    await setTimeout(300)
    socket.destroy()
    server.open()
    await Promise.race([begins, setTimeout(100)])
    await setTimeout(50)
    expect(timers()).toBeLessThanOrEqual(before)
  })

  it('have one answer each, where the rest of one never comes', async () => {
    const server = await serve()
    const socket = unreading(server.port, post({ number: 0 }, 'Content-Encoding: gzip\r\n').slice(0, -3))
    expect((await bodiesOf(socket)).map(body => JSON.parse(body).error)).toEqual(['Unsupported Media Type'])
  })

  it('are more than one may send: the connection is cut', async () => {
    const server = await serve()
    const begins = answering(server)
    unreading(server.port, get('/large') + post({ number: 0 }).repeat(300))
    const end = await begins
    await closed(end)
    expect(server.begun).toEqual([])
  })

  it('are forgotten with their connection', async () => {
    const server = await serve()
    const begins = answering(server)
    const socket = unreading(server.port, get('/large') + post({ number: 0 }))
    const end = await begins
    socket.destroy()
    end.destroy()
    await closed(end)
    await exchange(server.port, get('/small'))
    expect(server.begun).toEqual([])
  })
})

it('an answer of which nothing is taken is cut with its connection', async () => {
  const server = await serve({ stalledMs: 50, leastRate: Infinity })
  const begins = answering(server)
  unreading(server.port, get('/large'))
  await closed(await begins)
  expect((await exchange(server.port, get('/small'))).status).toBe(200)
})

it('one that is read steadily is not, though the kernel takes it in steps', async () => {
  const server = await serve({ stalledMs: 5, leastRate: LARGE.length / 10 })
  const socket = unreading(server.port, get('/large', last))
  let bytes = 0
  for await (const chunk of socket) {
    bytes += (chunk as Buffer).length
    await setTimeout(2)
  }
  expect(bytes).toBeGreaterThan(LARGE.length)
})

it('what was asked for by those who have gone counts for nothing', async () => {
  const server = await serve({ mostBytes: 1024 * 1024, spareMs: Infinity })
  const begins = once(server.app.server, 'request')
  const socket = unreading(server.port, get('/late'))
  const [, response] = await begins
  socket.destroy()
  if (!response.closed) await once(response, 'close')
  server.open()
  for (let round = 0; round < 5; round++) await new Promise(resolve => setImmediate(resolve))
  expect((await exchange(server.port, get('/small'))).status).toBe(200)
})

it('nothing is begun behind an answer that ends its connection', async () => {
  const server = await serve()
  const socket = unreading(server.port, get('/last') + post({ number: 0 }))
  expect(await bodiesOf(socket)).toEqual(['last'])
  await exchange(server.port, get('/small'))
  expect(server.begun).toEqual([])
})

describe('beyond what may wait unread on all connections', () => {
  it('what would be answered with content is 503, until somebody has read or gone', async () => {
    const server = await serve({ mostBytes: 1024 * 1024, spareMs: Infinity })
    const begins = answering(server)
    const socket = unreading(server.port, get('/large'))
    const end = await begins
    const { status, head } = await exchange(server.port, get('/small'))
    expect([status, head]).toEqual([503, expect.stringMatching(/\r\nretry-after: 1\r\n[^]*"errorCode":"unavailable"/)])
    expect((await exchange(server.port, 'DELETE /small HTTP/1.1\r\nHost: a\r\n\r\n')).status).toBe(204)
    socket.destroy()
    await closed(end)
    expect((await exchange(server.port, get('/small'))).status).toBe(200)
  })

  it('or on those of one caller, it is 503 for that one alone', async () => {
    const server = await serve({ mostBytes: 4 * LARGE.length, spareMs: Infinity })
    const [amy, bob] = ['Authorization: Bearer amy\r\n', 'Authorization: Bearer bob\r\n']
    const begins = answering(server)
    const socket = unreading(server.port, get('/large', amy))
    const end = await begins
    const both = async () => [(await exchange(server.port, get('/small', amy))).status, (await exchange(server.port, get('/small', bob))).status]
    expect(await both()).toEqual([503, 200])
    socket.destroy()
    await closed(end)
    expect(await both()).toEqual([200, 200])
  })

  it('an answer that has waited for long is cut to make room', async () => {
    const server = await serve({ mostBytes: 1024 * 1024, spareMs: 0 })
    const begins = answering(server)
    unreading(server.port, get('/large'))
    const end = await begins
    expect((await exchange(server.port, get('/small'))).status).toBe(503)
    await closed(end)
    expect((await exchange(server.port, get('/small'))).status).toBe(200)
  })
})

it('the service holds its answers to that: those of others wait, but streams, health and what takes rights away', async () => {
  const service = await startApp({ alone: true, unread: { mostBytes: 1024 * 1024, spareMs: Infinity } })
  stops.push(() => service.stop())
  const { port } = service.app.server.address() as AddressInfo
  const headersOf = async (userId: string) => Object.entries(await service.user(userId)).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const [amy, bob] = [await headersOf('@amy'), await headersOf('@bob')]
  await service.store.append({ type: 'create-channel', actor: '@amy', channelId: 'large-one', ruleset: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public', participants: [], timelineEvents: [] })
  for (let number = 0; number < 64; number++) {
    await service.store.append({
      type: 'send-message', actor: '@amy', channelId: 'large-one', messageId: `message-${number}`, senderId: '@amy', messageType: 'Standard', payloadType: 'mitter.mt.Text', textPayload: 'x'.repeat(65_536), messageData: [], timelineEvents: []
    })
  }
  for (let connections = 0; connections < 4; connections++) {
    const begins = answering(service)
    unreading(port, get('/v1/channels/large-one/messages?limit=200', amy))
    await begins
  }
  const statusOf = async (path: string, method = 'GET') => (await exchange(port, get(path, bob).replace('GET', method))).status
  expect(await Promise.all(['/v1/users/me', '/v1/channels/large-one/messages', '/openapi.json', '/docs'].map(path => statusOf(path)))).toEqual([503, 503, 503, 503])
  expect(await Promise.all(['/health/live', '/health/ready', '/v1/users/me/events'].map(path => statusOf(path)))).toEqual([200, 200, 200])
  expect(await statusOf('/v1/users/me/tokens/unknown-1', 'DELETE')).toBe(404)
})
