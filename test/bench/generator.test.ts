/** The load generator's checks can fail: a server that breaks a promise is found out. */
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { hasCompiler } from '../../bench/compile.ts'
import { Generator, textOf, type Opened, type RunResult } from '../../bench/generator.ts'
import { headOf, streamOf } from '../../bench/peers/peer.ts'

const MESSAGES = 40

/** Writes the frame of the message with this number, or not, or something else. */
type Write = (stream: ServerResponse, frame: string, number: number) => void

const faithful: Write = (stream, frame) => { stream.write(frame) }

let server: Server
let generator: Generator

afterEach(async () => {
  await generator?.stop()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})

/** One stream of a server that writes like this, one publisher, 40 messages. */
async function runAgainst (write: Write, openStatus = 200): Promise<RunResult & { opened: Opened }> {
  let stream: ServerResponse
  let number = 0
  server = createServer((request, response) => {
    if (request.method === 'GET') {
      stream = response.writeHead(openStatus, { 'content-type': 'text/event-stream' })
      stream.write('event: ready\ndata: {}\n\n')
      return
    }
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk }).on('end', () => {
      write(stream, `id: ${number}\ndata: {"text":"${body}"}\n\n`, number++)
      response.end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  generator = await Generator.start([(server.address() as AddressInfo).port], 'event: ready')
  const body = textOf(100)
  await generator.lanes([{ publisher: 0, head: headOf('/messages', body, {}), body }])
  await generator.streams([{ request: streamOf('/events'), lanes: [0] }])
  const opened = await generator.open()
  return { ...await generator.run({ connections: 1, count: MESSAGES, settle: 0.2 }), opened }
}

describe.skipIf(!hasCompiler())('the load generator (skipped where there is no C compiler)', () => {
  test('finds nothing where every message comes once, in order', async () => {
    const result = await runAgainst(faithful)
    expect(result).toMatchObject({ published: MESSAGES, deliveries: MESSAGES, lost: 0, doubles: 0, swapped: 0, ended: 0, refused: 0 })
    expect(result.latency.count).toBe(MESSAGES)
    expect(result.latency.p99).toBeGreaterThan(0)
  })

  test('reads frames that come in pieces, wherever they are cut', async () => {
    const result = await runAgainst((stream, frame, number) => {
      stream.write(frame.slice(0, number * 3 + 1))
      stream.write(frame.slice(number * 3 + 1))
    })
    expect(result).toMatchObject({ deliveries: MESSAGES, lost: 0, doubles: 0, swapped: 0 })
  })

  test('reports messages that are left out, in between and at the end', async () => {
    const result = await runAgainst((stream, frame, number) => { if (number !== 7 && number < MESSAGES - 2) stream.write(frame) })
    expect(result).toMatchObject({ deliveries: MESSAGES - 3, lost: 3, doubles: 0, swapped: 0 })
  })

  test('reports messages that come twice', async () => {
    const result = await runAgainst((stream, frame, number) => { stream.write(number === 11 ? frame + frame : frame) })
    expect(result).toMatchObject({ deliveries: MESSAGES + 1, lost: 0, doubles: 1, swapped: 0 })
  })

  test('reports messages that change places, and does not take them for lost', async () => {
    let held = ''
    const result = await runAgainst((stream, frame, number) => {
      if (number === 20) held = frame
      else stream.write(number === 21 ? frame + held : frame)
    })
    expect(result).toMatchObject({ deliveries: MESSAGES, lost: 0, doubles: 0, swapped: 1 })
  })

  test('reports a stream that the server ends', async () => {
    const result = await runAgainst((stream, frame, number) => number === 30 ? stream.end() : stream.write(frame))
    expect(result).toMatchObject({ ended: 1, live: 0, lost: MESSAGES - 30 })
  })

  test('reports a stream that the server refuses, with what it answered', async () => {
    const { opened } = await runAgainst(() => {}, 503)
    expect(opened).toMatchObject({ streams: 1, live: 0, refused: 1, reason: expect.stringContaining('503') })
  })

  test('publishes to the nodes of one service in turn, and reads streams from where it is aimed then', async () => {
    const asked: string[][] = [[], [], []]
    let stream: ServerResponse | undefined
    let number = 0
    const nodes = asked.map(requests => createServer((request, response) => {
      requests.push(request.method!)
      if (request.method === 'GET') stream = response.writeHead(200, { 'content-type': 'text/event-stream' })
      stream!.write(request.method === 'GET' ? 'event: ready\n\n' : '')
      if (request.method === 'GET') return
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk }).on('end', () => {
        faithful(stream!, `id: ${number}\ndata: {"text":"${body}"}\n\n`, number++)
        response.end('{}')
      })
    }).listen(0, '127.0.0.1'))
    server = nodes[0]!
    await Promise.all(nodes.map(node => once(node, 'listening')))
    const ports = nodes.map(node => (node.address() as AddressInfo).port)
    generator = await Generator.start([ports[2]!], 'event: ready')
    const body = textOf(100)
    await generator.lanes([0, 1].map(publisher => ({ publisher, head: headOf('/messages', body, {}), body })))
    await generator.streams([{ request: streamOf('/events'), lanes: [0, 1] }])
    await generator.open()
    await generator.aim(ports.slice(0, 2))
    expect(await generator.run({ connections: 2, count: MESSAGES, settle: 0.2 })).toMatchObject({ deliveries: MESSAGES, lost: 0 })
    expect(asked[2]).toEqual(['GET'])
    expect(asked.slice(0, 2).every(requests => requests.length > 0 && requests.every(method => method === 'POST'))).toBe(true)
    for (const node of nodes.slice(1)) {
      node.closeAllConnections()
      node.close()
    }
  })
})
