/** What every configuration of deploy/ does, in the real proxy, before nodes that are played: when they go, and how soon what they send arrives. */
import { once } from 'node:events'
import { get, type ServerResponse } from 'node:http'
import { connect } from 'node:http2'
import { setTimeout as delay } from 'node:timers/promises'
import { EventSource } from 'eventsource'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../durability/conversation.ts'
import { openReader } from '../../support/sse.ts'
import { PlayedNode, type Answer } from './played-node.ts'
import { isThere, ProxyServer, type ProxyKind } from './server.ts'

/** How long an event may take through a proxy, in milliseconds, in the median. */
const MOST_DELAY_MS = 20

const eventPath = '/v1/users/me/events'

const asStream = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

export function proxySuite (kind: ProxyKind): void {
  let nodes: PlayedNode[]
  let answer: Answer
  let proxy: ProxyServer

  const got = () => nodes.flatMap(node => node.got)
  const at = (path: string) => proxy.url + path
  const forget = () => { for (const node of nodes) node.got.length = 0 }
  /** Begins a stream, and resolves to the node's side of it. */
  const nextStream = async () => await new Promise<ServerResponse>(resolve => {
    answer = (_, response) => {
      asStream(response).flushHeaders()
      resolve(response)
    }
  })
  /** Of a request that the node does not answer. HAProxy closes a connection that has carried others before; its client knows no more by a 502. */
  const statusOf = async (url: string, init?: RequestInit) => await fetch(url, init).then(({ status }) => status, () => 502)
  /** The proxy has forgotten that a node was down. */
  const allWell = async () => await until('all nodes are taken for well', async () => {
    forget()
    for (let index = 0; index < 3; index++) await fetch(at('/v1/users/me'))
    return nodes.every(({ got }) => got.length === 1)
  })

  describe.skipIf(!isThere(kind))(`${kind.file} (${kind.name} ${kind.version})`, () => {
    beforeEach(async () => {
      answer = (_, response) => response.end('fine')
      nodes = await Promise.all([1, 2, 3].map(async () => await PlayedNode.start((request, response) => answer(request, response))))
      proxy = await ProxyServer.start(kind, nodes.map(({ port }) => port))
      forget()
    })
    afterEach(async () => {
      await proxy.stop()
      for (const node of nodes) node.end()
    })

    it('asks all nodes, one after the other, and passes over those that are down', async () => {
      for (let index = 0; index < 6; index++) await fetch(at('/v1/users/me'))
      expect(nodes.map(({ got }) => got.length)).toEqual([2, 2, 2])
      nodes[0]!.end()
      for (let index = 0; index < 6; index++) expect((await fetch(at('/v1/users/me'))).status).toBe(200)
      const posts = await Promise.all(Array.from({ length: 6 }, () => fetch(at('/v1/channels'), { method: 'POST', body: '{}' })))
      expect(posts.map(({ status }) => status)).toEqual(Array(6).fill(200))
    })

    it('asks another node where a GET was not answered, and repeats nothing that changes something', async () => {
      const path = '/v1/things/%40a%2Fb?c=%20d'
      for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
        answer = (_, response) => response.end('fine')
        // Each method takes one node for down: of three there is one left.
        if (method === 'PATCH') await allWell()
        forget()
        let asked = 0
        answer = (request, response) => asked++ === 0 ? request.socket.destroy() : response.end('fine')
        const status = await statusOf(at(path), { method, ...(method === 'GET' ? {} : { body: '{}' }) })
        expect([method, status, got()]).toEqual(method === 'GET' ? [method, 200, Array(2).fill(`GET ${path}`)] : [method, 502, [`${method} ${path}`]])
      }
    })

    it.each([`${eventPath}?access_token=secret`, '/v1/users/%40amy/events', '/v1/channels/football-fans/events', '/v1/events'])('%s comes byte for byte as it is sent, and stays open', async path => {
      const begun = nextStream()
      // What has only headers so far is open already.
      const stream = await openReader(at(path))
      const response = await begun
      response.write(':\n\n')
      await until('a heartbeat by itself is there', () => stream.comments === 1)
      response.write('event: mess')
      await until('half a frame is there', () => stream.raw().endsWith('event: mess'))
      response.write('age\ndata: {"n":1}\n\n')
      expect((await stream.until('message')).json).toEqual({ n: 1 })
      expect(got()).toEqual([`GET ${path}`])
      stream.close()
    })

    it.each(['plain', 'TLS and HTTP/2'])(`an event takes less than ${MOST_DELAY_MS} ms: %s`, async how => {
      const begun = nextStream()
      const delays: number[] = []
      const take = (chunk: Buffer | string) => { for (const [, sent] of String(chunk).matchAll(/data: (.+)\n/g)) delays.push(performance.now() - Number(sent)) }
      const session = how === 'plain' ? undefined : connect(proxy.tlsUrl, { ca: proxy.certificate })
      session?.request({ ':path': eventPath }).on('data', take)
      const request = session === undefined ? get(at(eventPath), incoming => { incoming.on('data', take) }) : undefined
      const response = await begun
      for (let sent = 1; sent <= 50; sent++) {
        response.write(`data: ${performance.now()}\n\n`)
        await until('it is there', () => delays.length === sent)
        // Not in step with anything.
        await delay(10 + 10 * Math.random())
      }
      response.end()
      session?.destroy()
      request?.destroy()
      const median = delays.sort((a, b) => a - b)[delays.length / 2]!
      console.log(`${kind.name}, ${how}: an event takes ${median.toFixed(1)} ms in the median, ${delays.at(-1)!.toFixed(1)} at most`)
      expect(median).toBeLessThan(MOST_DELAY_MS)
    })

    it('what a reader does not take, its node learns of: nothing is kept for it', async () => {
      const begun = nextStream()
      const stream = await openReader(at(eventPath))
      stream.pause()
      const response = await begun
      const [chunk, most] = [Buffer.from(`: ${'x'.repeat(65_532)}\n\n`), 64 * 1_048_576]
      let taken = 0
      for (let goesOn = true; goesOn && taken < most; taken += chunk.length) {
        goesOn = response.write(chunk) || await once(response, 'drain', { signal: AbortSignal.timeout(1_000) }).then(() => true, () => false)
      }
      stream.close()
      expect(taken).toBeLessThan(most)
    })

    it('that a reader has gone, its node hears at once', async () => {
      const begun = nextStream()
      const stream = await openReader(at(eventPath))
      const response = await begun
      stream.close()
      if (!response.closed) await once(response, 'close', { signal: AbortSignal.timeout(5_000) })
    })

    it('a stream that finds no node is answered 200, and told to come back, from every origin', async () => {
      for (const node of nodes) node.end()
      // So many that they are not told the same, all of them.
      const streams = await Promise.all(Array.from({ length: 30 }, () => openReader(at(`${eventPath}?access_token=secret`), { origin: 'https://chat.example.com' })))
      await Promise.all(streams.map(({ ended }) => ended))
      for (const { status, headers, frames } of streams) {
        expect([status, headers['content-type'], headers['access-control-allow-origin'], headers['cache-control']]).toEqual([200, 'text/event-stream', '*', 'no-store, no-transform'])
        expect(frames).toMatchObject([{ event: 'bye', json: { '@type': 'stream-closed-payload', globalPipelinePayloadId: expect.stringMatching(/^[\da-f-]{32,36}$/), reason: 'unavailable' } }])
      }
      const waits = new Set(streams.map(({ frames: [bye] }) => Number(bye!.retry)))
      for (const wait of waits) expect(wait).toSatisfy((ms: number) => ms >= 3_000 && ms <= 8_000)
      expect(waits.size).toBeGreaterThan(1)
      expect((await fetch(at('/v1/users/me'))).status).toBeGreaterThanOrEqual(502)
      expect((await fetch(at(`/v1/channels?of=${eventPath}`), { method: 'POST', body: '{}' })).status).toBeGreaterThanOrEqual(502)
    })

    it('what a node refuses a stream with comes through', async () => {
      answer = (_, response) => response.writeHead(403, { 'content-type': 'application/json' }).end('{"reason":"muted"}')
      const refused = await fetch(at(eventPath))
      expect([refused.status, await refused.json()]).toEqual([403, { reason: 'muted' }])
    })

    it('an EventSource whose node dies resumes on another, and one that finds none is not stranded', { timeout: 40_000 }, async () => {
      let next = 0
      answer = (request, response) => asStream(response)
        .write(`retry: 100\nid: ${++next}\ndata: ${nodes.findLastIndex(({ port }) => port === request.socket.localPort)} after ${request.headers['last-event-id'] ?? 'nothing'}\n\n`)
      const source = new EventSource(at(`${eventPath}?access_token=secret`))
      try {
        const received: string[] = []
        source.onmessage = ({ data }) => received.push(data)
        await until('it is open', () => received.length === 1)
        nodes[Number(received[0]![0])]!.end()
        await until('it goes on elsewhere', () => received.length === 2)
        expect(received[1]).toMatch(/^\d after 1$/)
        expect(received[1]![0]).not.toBe(received[0]![0])
        const said = new Promise<string>(resolve => { source.addEventListener('bye', ({ data }) => resolve(data)) })
        for (const node of nodes) node.end()
        expect(JSON.parse(await said)).toMatchObject({ reason: 'unavailable' })
        nodes.push(await PlayedNode.start((request, response) => answer(request, response), nodes[2]!.port))
        await until('it is back', () => received.length === 3)
        expect(received[2]).toMatch(/after 2$/)
      } finally {
        source.close()
      }
    })

    it('carries a hundred streams and calls beside them on one connection over HTTP/2', async () => {
      answer = (request, response) => request.url === eventPath ? asStream(response).write('data: {}\n\n') : response.end('fine')
      const session = connect(proxy.tlsUrl, { ca: proxy.certificate })
      const first = async (path: string) => String((await once(session.request({ ':path': path }), 'data'))[0])
      expect(await Promise.all(Array.from({ length: 100 }, () => first(eventPath)))).toEqual(Array(100).fill('data: {}\n\n'))
      expect(await first('/v1/users/me')).toBe('fine')
      session.destroy()
    })

    it('says by what name and which way it was called, whatever the caller says', async () => {
      answer = ({ headers }, response) => response.end(`${headers['x-forwarded-proto']} ${headers.host}`)
      expect(await (await fetch(at('/'), { headers: { 'x-forwarded-proto': 'https' } })).text()).toBe(`http ${new URL(proxy.url).host}`)
      const session = connect(proxy.tlsUrl, { ca: proxy.certificate })
      expect(String((await once(session.request({ ':path': '/', 'x-forwarded-proto': 'http' }), 'data'))[0])).toBe(`https ${new URL(proxy.tlsUrl).host}`)
      session.destroy()
    })

    it('writes no token down, neither of what went well nor of what did not', async () => {
      const headers = { referer: 'https://x.example/?access_token=hush', 'x-issued-mitter-user-authorization': 'hush' }
      const url = at(`${eventPath}?access_token=hush`)
      await fetch(url, { headers })
      await fetch(at('/v1/users/me?access_token=hush'), { headers })
      // Cut in the midst of an answer.
      answer = (request, response) => { asStream(response).write(':\n\n', () => request.socket.destroy()) }
      await fetch(url, { headers }).then(async response => await response.text()).catch(() => {})
      answer = request => request.socket.destroy()
      await statusOf(url, { headers })
      for (const node of nodes) node.end()
      await fetch(url, { headers })
      const lines = () => proxy.log.split('\n').filter(line => line.includes(eventPath))
      await until('it is written down', () => lines().length >= 3)
      expect(proxy.log).not.toContain('hush')
    })
  })
}
