/**
 * Every operation of the document at its worst legal data, asked for on many connections, many times ahead on each, its
 * answers unread, of a service with a heap of 512 MB: it lives, it goes on serving others, and no turn of its loop is long.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asApplication, asUser, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { APPLICATION, fill, worstRequests, type Scale, type World, type Worst } from './worst.ts'

export interface Attack {
  scale: Scale
  connections: number
  /** Requests sent ahead on each. */
  ahead: number
  /** Others' sends while it goes on. */
  sends: number
  /** Longest turn of the loop, in milliseconds of CPU time. */
  turnMs: number
}

/** Of the whole process, in MiB: its heap, and what answers may hold outside of it. */
const MOST_MEMORY_MB = 1_024

interface Result {
  operationId: string
  status: number
  longestTurnMs: number
  memoryMb: number
  /** Others' sends, and `/health/live` beside them: for whoever reads the table. */
  sendMs: Times
  healthMs: Times
}

/** In milliseconds of a clock. */
type Times = [median: number, longest: number]

export function campaign ({ scale, connections, ahead, sends, turnMs }: Attack): void {
  const requests = worstRequests(scale)
  const results: Result[] = []
  let directory: string
  let turnFile: string
  let service: ServiceProcess
  let world: World
  let bob: string
  let documented: Record<string, { method: string, stream: boolean }>

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'channel-relay-'))
    turnFile = join(directory, 'longest-turn')
    service = await spawnService({
      dataDir: join(directory, 'data'),
      env: { LONGEST_TURN: turnFile, LOG_LEVEL: 'warn' },
      nodeArgs: ['--max-old-space-size=512', '--import', join(import.meta.dirname, 'longest-turn.ts')]
    })
    world = await fill(service, scale)
    bob = await tokenFor(service, 'bob')
    await asUser(service, bob, 'POST', '/v1/channels', { channelId: 'room-of-bob', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
    const { body: { paths } } = await asApplication(service, 'GET', '/openapi.json')
    documented = Object.fromEntries(Object.values<object>(paths).flatMap(path => Object.entries(path)).map(([method, { operationId, tags }]) => [operationId, { method: method.toUpperCase(), stream: tags.includes('events') }]))
  }, 600_000)
  afterAll(async () => {
    if (process.env.LONG !== undefined) console.table(results)
    await service?.stop()
    await rm(directory, { recursive: true, force: true })
  })

  let made = 0
  /** Of one more request: what changes something names something else each time. */
  function partsOf (request: Worst): { headers: Record<string, string>, body?: string } {
    const headers = request.as === 'ann' ? world.ann : world.application
    if (request.body === undefined) return { headers }
    return { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(request.body(made++)) }
  }

  const pathOf = ({ path }: Worst): string => path.replace(APPLICATION, service.credentials.applicationId)

  function bytesOf (method: string, request: Worst): string {
    const { headers: own, body = '' } = partsOf(request)
    const headers = { host: 'x', ...own, ...(body === '' ? {} : { 'content-length': `${Buffer.byteLength(body)}` }) }
    return `${method} ${pathOf(request)} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
  }

  function unreading (bytes: string): Socket {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    socket.write(bytes)
    return socket
  }

  /** Since it was asked last. */
  async function longestTurn (): Promise<number> {
    await rm(turnFile, { force: true })
    service.process.kill('SIGWINCH')
    for (;;) {
      const text = await readFile(turnFile, 'utf8').catch(() => '')
      if (text !== '') return Number(text)
      await setTimeout(10)
    }
  }

  async function memoryMb (): Promise<number> {
    const status = await readFile(`/proc/${service.process.pid}/status`, 'utf8').catch(() => '')
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
  }

  /** Of `sends` calls one after the other, each a status that is looked for. */
  async function timesOf (call: () => Promise<{ status: number }>, statuses: number[]): Promise<Times> {
    const times: number[] = []
    for (let number = 0; number < sends; number++) {
      const begun = performance.now()
      const { status } = await call()
      if (!statuses.includes(status)) throw new Error(`a call beside it is ${status}`)
      times.push(Math.round(performance.now() - begun))
    }
    times.sort((one, other) => one - other)
    return [times[times.length >> 1]!, times.at(-1)!]
  }

  it('has a worst request for every operation', () => {
    expect(Object.keys(requests).sort()).toEqual(Object.keys(documented).sort())
  })

  describe('goes on while it is asked, unread and ahead, for', () => {
    it.each(Object.keys(requests))('%s', async operationId => {
      const request = requests[operationId]!
      const { method, stream } = documented[operationId]!
      await longestTurn()
      const sockets = Array.from({ length: connections }, () => unreading(Array.from({ length: stream ? 1 : ahead }, () => bytesOf(method, request)).join('')))
      const [sendMs, healthMs] = await Promise.all([
        timesOf(() => asUser(service, bob, 'POST', '/v1/channels/room-of-bob/messages', { textPayload: 'Hello' }), [200, 503]),
        timesOf(() => fetch(`${service.url}/health/live`), [200])
      ])
      const memory = await memoryMb()
      for (const socket of sockets) socket.destroy()
      // Once there is room, it is answered to those who read.
      let status: number
      do {
        const response = await fetch(service.url + pathOf(request), { method, ...partsOf(request) })
        status = response.status
        if (stream) await response.body!.cancel()
        else await response.arrayBuffer()
      } while (status === 503)
      const longestTurnMs = Math.round(await longestTurn())
      results.push({ operationId, status, longestTurnMs, memoryMb: memory, sendMs, healthMs })
      expect(status).toBeLessThan(500)
      expect(service.process.exitCode).toBe(null)
      expect(memory).toBeLessThan(MOST_MEMORY_MB)
      expect(longestTurnMs).toBeLessThan(turnMs)
    })
  })
}
