/** docs/nginx.conf, in the real nginx, before nodes that are played: what it does when they go, and what it writes down. */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventSource } from 'eventsource'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { freePort } from '../support/ports.ts'
import { projectDir } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

const found = /nginx\/(\d+)\.(\d+)\.(\d+)/.exec(spawnSync('nginx', ['-v'], { encoding: 'utf8' }).stderr ?? '')
if (found === null) console.warn('nginx is not on this machine: docs/nginx.conf is not tested')
/** Of versions before 1.27.3 the configuration is tested without what they do not know: `http2 on`, `resolve`. */
const isOld = found !== null && Number(found[1]) * 10_000 + Number(found[2]) * 100 + Number(found[3]) < 12_703

type Answer = (request: IncomingMessage, response: ServerResponse) => void

interface PlayedNode {
  server: Server
  port: number
  /** Requests that it got: method and URL. */
  got: string[]
}

let directory: string
let nodes: PlayedNode[]
let answer: Answer
let nginx: ChildProcess
let port: number
let tlsPort: number

async function playNode (index: number): Promise<PlayedNode> {
  const got: string[] = []
  const server = createServer((request, response) => {
    got.push(`${request.method} ${request.url}`)
    response.setHeader('x-node', String(index))
    answer(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, got }
}

function end ({ server }: PlayedNode): void {
  server.close()
  server.closeAllConnections()
}

const got = () => nodes.flatMap(node => node.got)
const at = (path: string) => `http://127.0.0.1:${port}${path}`

/** The file as it is, but for addresses, places, and TLS as docs/deploy.md adds it. */
function configuration (): string {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${directory}/${name};`).join(' ')
  const addresses = nodes.map(({ port }) => port)
  let text = readFileSync(join(projectDir, 'docs/nginx.conf'), 'utf8')
    .replace('/dev/stderr', join(directory, 'error.log')).replace('/dev/stdout', join(directory, 'access.log'))
    .replaceAll(/server node-(\d):11902 resolve /g, (_, number) => `server 127.0.0.1:${addresses[Number(number) - 1]} `)
    .replace('http {\n', `http {\n ${places}\n`)
    .replace('listen 8080;', `listen 127.0.0.1:${port};\n listen 127.0.0.1:${tlsPort} ssl${isOld ? ' http2' : ''};\n ssl_certificate ${directory}/certificate.pem; ssl_certificate_key ${directory}/key.pem;`)
  if (isOld) text = text.replace('http2 on;', '')
  return `daemon off;\npid ${directory}/pid;\n${text}`
}

describe.skipIf(found === null)('docs/nginx.conf', () => {
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'channel-relay-nginx-'))
    chmodSync(directory, 0o755)
    answer = (_, response) => response.end('fine')
    nodes = await Promise.all([1, 2, 3].map(playNode))
    ;[port, tlsPort] = [await freePort(), await freePort()]
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '1', '-keyout', join(directory, 'key.pem'), '-out', join(directory, 'certificate.pem')], { stdio: 'ignore' })
    writeFileSync(join(directory, 'nginx.conf'), configuration())
    nginx = spawn('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf'), '-e', join(directory, 'first.log')], { stdio: ['ignore', 'ignore', 'inherit'] })
    await until('nginx answers', () => nginx.exitCode !== null || fetch(at('/up')).then(() => true, () => false))
    expect(nginx.exitCode).toBeNull()
    for (const node of nodes) node.got.length = 0
  })
  afterEach(async () => {
    const ended = once(nginx, 'exit')
    if (nginx.exitCode === null) {
      nginx.kill('SIGTERM')
      await ended
    }
    nodes.forEach(end)
    rmSync(directory, { recursive: true, force: true })
  })

  it('asks all nodes, one after the other, and passes over those that are down', async () => {
    for (let index = 0; index < 6; index++) await fetch(at('/v1/users/me'))
    expect(nodes.map(({ got }) => got.length)).toEqual([2, 2, 2])
    end(nodes[0]!)
    for (let index = 0; index < 6; index++) expect((await fetch(at('/v1/users/me'))).status).toBe(200)
    const posts = await Promise.all(Array.from({ length: 6 }, () => fetch(at('/v1/channels'), { method: 'POST', body: '{}' })))
    expect(posts.map(({ status }) => status)).toEqual(Array(6).fill(200))
  })

  it('asks another node where a GET was not answered, and repeats nothing that changes something', async () => {
    for (const [method, times] of [['GET', 3], ['POST', 1], ['PATCH', 1], ['DELETE', 1]] as const) {
      answer = (_, response) => response.end('fine')
      await until('all nodes are taken for well again', async () => {
        for (const node of nodes) node.got.length = 0
        for (let index = 0; index < 3; index++) await fetch(at('/v1/users/me'))
        return nodes.every(({ got }) => got.length === 1)
      })
      for (const node of nodes) node.got.length = 0
      answer = request => request.socket.destroy()
      const { status } = await fetch(at('/v1/things/%40a%2Fb?c=%20d'), { method, ...(method === 'GET' ? {} : { body: '{}' }) })
      expect(status).toBe(502)
      expect(got()).toEqual(Array(times).fill(`${method} /v1/things/%40a%2Fb?c=%20d`))
    }
  })

  it.each(['/v1/users/me/events?access_token=secret', '/v1/users/%40amy/events', '/v1/channels/football-fans/events', '/v1/events'])('%s comes byte for byte as it is sent, and stays open', async path => {
    const sent = Promise.withResolvers<ServerResponse>()
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('event: ready\ndata: {}\n\n')
      sent.resolve(response)
    }
    const stream = await openReader(at(path))
    const response = await sent.promise
    await stream.until('ready')
    response.write('event: mess')
    await until('half a frame is there', () => stream.raw().endsWith('event: mess'))
    response.write('age\ndata: {"n":1}\n\n')
    expect((await stream.until('message')).json).toEqual({ n: 1 })
    expect(got()).toEqual([`GET ${path}`])
    stream.close()
  })

  it('what a reader does not take, its node learns of: nginx keeps no stream for it', async () => {
    const sent = Promise.withResolvers<ServerResponse>()
    answer = (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      sent.resolve(response)
    }
    const stream = await openReader(at('/v1/users/me/events'))
    stream.pause()
    const response = await sent.promise
    const [chunk, most] = [Buffer.from(`: ${'x'.repeat(65_532)}\n\n`), 64 * 1_048_576]
    let taken = 0
    for (let goesOn = true; goesOn && taken < most; taken += chunk.length) {
      goesOn = response.write(chunk) || await once(response, 'drain', { signal: AbortSignal.timeout(1_000) }).then(() => true, () => false)
    }
    stream.close()
    expect(taken).toBeLessThan(most)
  })

  it('a stream that finds no node is answered 200, and told to come back, from every origin', async () => {
    nodes.forEach(end)
    const stream = await openReader(at('/v1/users/me/events'), { origin: 'https://chat.example.com' })
    await stream.ended
    expect([stream.status, stream.headers['content-type'], stream.headers['access-control-allow-origin']]).toEqual([200, 'text/event-stream', '*'])
    expect(stream.frames).toMatchObject([{ event: 'bye', json: { '@type': 'stream-closed-payload', reason: 'unavailable' } }])
    expect(Number(stream.frames[0]!.retry)).toBeGreaterThanOrEqual(3_000)
    expect((await fetch(at('/v1/users/me'))).status).toBe(502)
  })

  it('what a node refuses a stream with comes through', async () => {
    answer = (_, response) => response.writeHead(403, { 'content-type': 'application/json' }).end('{"reason":"muted"}')
    const refused = await fetch(at('/v1/users/me/events'))
    expect([refused.status, await refused.json()]).toEqual([403, { reason: 'muted' }])
  })

  it('an EventSource whose node dies resumes on another, and one that finds none is not stranded', { timeout: 40_000 }, async () => {
    let next = 0
    answer = (request, response) => response.writeHead(200, { 'content-type': 'text/event-stream' })
      .write(`retry: 100\nid: ${++next}\ndata: ${response.getHeader('x-node')} after ${request.headers['last-event-id'] ?? 'nothing'}\n\n`)
    const source = new EventSource(at('/v1/users/me/events?access_token=secret'))
    try {
      const received: string[] = []
      source.onmessage = ({ data }) => received.push(data)
      await until('it is open', () => received.length === 1)
      end(nodes[Number(received[0]![0]) - 1]!)
      await until('it goes on elsewhere', () => received.length === 2)
      expect(received[1]).toMatch(/^\d after 1$/)
      expect(received[1]![0]).not.toBe(received[0]![0])
      const said = new Promise<string>(resolve => { source.addEventListener('bye', ({ data }) => resolve(data)) })
      nodes.forEach(end)
      expect(JSON.parse(await said)).toMatchObject({ reason: 'unavailable' })
      const again = createServer((request, response) => answer(request, response)).listen(nodes[2]!.port, '127.0.0.1')
      nodes.push({ server: again, port: nodes[2]!.port, got: [] })
      await until('it is back', () => received.length === 3)
      expect(received[2]).toMatch(/after 2$/)
    } finally {
      source.close()
    }
  })

  it('carries many streams on one connection over HTTP/2', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {}\n\n')
    const session = connect(`https://localhost:${tlsPort}`, { ca: readFileSync(join(directory, 'certificate.pem')), lookup: (_name, _options, done) => (done as (err: null, addresses: unknown) => void)(null, [{ address: '127.0.0.1', family: 4 }]) })
    const streams = Array.from({ length: 20 }, () => session.request({ ':path': '/v1/users/me/events' }))
    const first = await Promise.all(streams.map(async stream => String((await once(stream, 'data'))[0])))
    expect(first).toEqual(Array(20).fill('data: {}\n\n'))
    session.destroy()
  })

  it('writes no event token down, neither of what went well nor of what did not', async () => {
    await fetch(at('/v1/users/me/events?access_token=hush'))
    answer = request => request.socket.destroy()
    await fetch(at('/v1/users/me/events?access_token=hush'))
    await fetch(at('/v1/users/me?access_token=hush'), { headers: { referer: 'https://x.example/?access_token=hush' } })
    nodes.forEach(end)
    await fetch(at('/v1/users/me/events?access_token=hush'))
    const written = ['access.log', 'error.log', 'first.log'].map(name => readFileSync(join(directory, name), 'utf8')).join('')
    expect(written.match(/"GET \/v1\/users\/me\/events" 200/g)).toHaveLength(3)
    expect(written).not.toContain('hush')
  })
})
