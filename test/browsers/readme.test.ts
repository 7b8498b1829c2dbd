/** The README's snippet, with an `EventSource` of Node, held against a service that is played: what it asks for after each end. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { EventSource } from 'eventsource'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { until } from '../durability/conversation.ts'
import { ofReadme } from './clients.ts'

let server: Server
let asked: string[]
let said: string[]
let sources: EventSource[]
/** What each stream is answered, one after the other. */
let streams: Array<(response: ServerResponse) => void>
let tokenStatus: number

const asStream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })
const message = (id: string, text: string) => `id: ${id}\ndata: ${JSON.stringify({ message: { textPayload: text } })}\n\n`

beforeEach(async () => {
  ;[asked, said, sources, streams, tokenStatus] = [[], [], [], [], 200]
  let tokens = 0
  server = createServer((request, response) => {
    const [path, query] = request.url!.split('?')
    if (request.method === 'POST') {
      asked.push(`token for ${request.headers.authorization}`)
      return response.writeHead(tokenStatus).end(tokenStatus === 502 ? '<html>' : JSON.stringify({ eventToken: `event-token-${++tokens}` }))
    }
    expect(path).toBe('/v1/users/me/events')
    asked.push(`${query} ${request.headers['last-event-id'] ?? ''}`.trim())
    streams.shift()!(response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The pause before it opens another one is not waited for; others are as they are.
  const later = globalThis.setTimeout
  vi.stubGlobal('setTimeout', (call: () => void, ms = 0, ...rest: []) => later(call, ms >= 3_000 && ms <= 8_000 ? 0 : ms, ...rest))
})
afterEach(() => {
  vi.unstubAllGlobals()
  for (const source of sources) source.close()
  server.close()
  server.closeAllConnections()
})

function run (): void {
  class Kept extends EventSource {
    constructor (url: string) {
      super(url)
      sources.push(this)
    }
  }
  // eslint-disable-next-line no-new-func -- as a page runs it
  new Function('API', 'token', 'console', 'EventSource', ofReadme.script)(
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'the-token', { log: (text: string) => said.push(text), warn: (text: string) => said.push(text) }, Kept
  )
}

it('goes on by itself where the stream just ends, and anew where that has failed, behind what was seen last', async () => {
  streams = [
    response => asStream(response).end(`retry: 1\nid: c0\nevent: ready\ndata: {}\n\n${message('c1', 'one')}`),
    response => response.writeHead(502).end(),
    response => asStream(response).end(`retry: 1\nid: c1\nevent: ready\ndata: {}\n\n${message('c2', 'two')}event: bye\ndata: {"reason":"expired"}\n\n`),
    response => asStream(response).write('id: c2\nevent: ready\ndata: {}\n\n')
  ]
  run()
  await until('the last one is open', () => streams.length === 0 && sources.at(-1)?.readyState === EventSource.OPEN)
  expect(said).toEqual(['one', 'two'])
  expect(asked).toEqual([
    'token for Bearer the-token', 'access_token=event-token-1&after=',
    'access_token=event-token-1&after= c1',
    'token for Bearer the-token', 'access_token=event-token-2&after=c1',
    'token for Bearer the-token', 'access_token=event-token-3&after=c2'
  ])
  expect(sources.map(({ readyState }) => readyState)).toEqual([EventSource.CLOSED, EventSource.CLOSED, EventSource.OPEN])
})

it('tries again where no token is to be had, and stops where its own has ended', async () => {
  tokenStatus = 502
  run()
  await until('it has tried again', () => asked.length >= 3)
  tokenStatus = 401
  await until('it has stopped', () => said.length === 1)
  expect(said).toEqual(['The token has ended'])
  expect(sources).toEqual([])
})
