/** However many costly answers are asked for at once: nobody else waits for all of them, and what holds is what holds by then. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'
import { openReader } from '../support/sse.ts'

const ASKED = 40
/** Of one answer, which ends there. */
const ANSWER_BYTES = 4 * 1024 * 1024
const MOST_UNREAD = 4 * ANSWER_BYTES

/** Long enough for what is being read, and a third of it too short for all that is asked for. */
const CLOSE_WITHIN_MS = 900

let on: TestApp
beforeEach(async () => {
  on = await startApp({ alone: true, unread: { mostBytes: MOST_UNREAD, spareMs: 60_000 }, closeWithinMs: CLOSE_WITHIN_MS })
  const userLocators = Array.from({ length: 64 }, (_, number) => ({ at: `${number} `.padEnd(500, '"') }))
  for (let number = 0; number < 80; number++) {
    await on.store.append({ type: 'create-user', actor: '.system', userId: `user-${number}`, userLocators, systemUser: false })
  }
})
afterEach(() => on.stop())

const LIST = '/v1/users?limit=200&entityCountOffset=0'

interface Asked {
  socket: Socket
  /** The first line of its answer, once it is there. */
  status?: number
}

/** So many ask at once, each on a connection of its own. */
function askAll (many: number, path: string, headers: Record<string, string>): { all: Asked[], answered: () => number, statuses: (status: number) => number } {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const all = Array.from({ length: many }, (): Asked => {
    const socket = connect(Number(new URL(on.url).port), '127.0.0.1').on('error', () => {})
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${lines}\r\n`)
    const one: Asked = { socket }
    socket.once('data', (chunk: Buffer) => { one.status = Number(/^HTTP\/1\.1 (\d+)/.exec(chunk.toString('latin1'))![1]) })
    return one
  })
  const count = (fits: (one: Asked) => boolean) => all.filter(fits).length
  return { all, answered: () => count(({ status }) => status !== undefined), statuses: status => count(one => one.status === status) }
}

const goAway = (all: Asked[]) => { for (const { socket } of all) socket.destroy() }

it('a message is acknowledged and on its stream before they are all answered', async () => {
  const asAmy = await on.user('amy')
  await on.store.append(createChannel('amy', 'room-of-amy'))
  const reader = await openReader(`${on.url}/v1/users/me/events`, asAmy)
  await reader.until('caught-up')
  const { all, answered } = askAll(ASKED, LIST, on.application)
  await once(all[0]!.socket, 'data')
  await on.store.append(send('amy', 'room-of-amy', 'meanwhile'))
  await reader.until('message')
  expect(answered()).toBeLessThan(ASKED / 2)
  reader.close()
  goAway(all)
})

it('a user that is deleted while its requests wait reads nothing more', async () => {
  const asAmy = await on.user('amy')
  const { all } = askAll(ASKED, LIST, on.application)
  const own = askAll(ASKED, '/v1/users/me', asAmy)
  await once(all[0]!.socket, 'data')
  let before: number | undefined
  on.store.onCommitted(() => { before ??= own.statuses(200) })
  await on.store.append({ type: 'delete-user', actor: '.system', userId: 'amy' })
  expect(before).toBeLessThan(ASKED / 2)
  while (own.answered() < ASKED) await new Promise(resolve => setTimeout(resolve, 5))
  expect(own.statuses(200)).toBeLessThanOrEqual(before! + 2) // which were on their way
  expect(own.statuses(200) + own.statuses(401)).toBe(ASKED)
  goAway([...all, ...own.all])
})

it('no more of them are made than may wait unread', async () => {
  const { all, answered, statuses } = askAll(ASKED, LIST, on.application)
  for (const { socket } of all) socket.once('data', () => socket.pause())
  while (answered() < ASKED) await new Promise(resolve => setTimeout(resolve, 5))
  // The kernel takes some of it: what it takes does not wait.
  expect(statuses(503)).toBeGreaterThan(0)
  expect(statuses(200) + statuses(503)).toBe(ASKED)
  goAway(all)
})

it('a stop does not wait for them: they are told to come back', async () => {
  let arrived = 0
  const allArrived = new Promise<void>(resolve => on.app.server.on('request', () => { if (++arrived === ASKED) resolve() }))
  const { all, statuses } = askAll(ASKED, LIST, on.application)
  await allArrived
  const closed = Promise.all(all.map(({ socket }) => new Promise(resolve => socket.once('close', resolve))))
  await on.app.close()
  await closed
  expect(statuses(503)).toBeGreaterThan(0)
  expect(statuses(200) + statuses(503)).toBe(ASKED)
})
