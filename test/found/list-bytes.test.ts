/** No list costs more than a page of 4 MiB, whatever its entities hold (protocol 1, rule 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { listChannelEvents } from '../../src/store/core/read/messages.ts'
import { runRead, type PageBounds, type Queries } from '../../src/store/core/read/queries.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { call, type Answer } from '../support/process.ts'

const PAGE_BYTES = 4 * 1024 * 1024
const ROOM = 'room-of-many'
const EVENTS = 1_000
const MESSAGES = 6
const USERS = 150

let on: TestApp
const userIds = Array.from({ length: USERS }, (_, index) => `user-${index}`)
const messageIds = Array.from({ length: MESSAGES }, (_, index) => `message-${index}`)
const channelIds = Array.from({ length: MESSAGES }, (_, index) => `channel-${index}`)
const event = { type: '語'.repeat(128), eventTimeMs: 1_732_240_000_000, subject: SYSTEM }
beforeAll(async () => {
  on = await startApp()
  const append = (commands: Array<Parameters<typeof on.store.append>[0]>) => Promise.all(commands.map(command => on.store.append(command)))
  // As large as earlier versions took them.
  const userLocators = Array.from({ length: 8 }, () => ({ '@type': 'a', locator: 'x'.repeat(10_000) }))
  await append(userIds.map((userId, index) => ({ ...createUser(userId), userLocators, ...(index % 2 === 0 ? { screenName: `${userId} "by name"` } : {}) })))
  await append([ROOM, ...channelIds].map(channelId => createChannel(SYSTEM, channelId)))
  await append(messageIds.map(messageId => send(SYSTEM, ROOM, 'a', { messageId })))
  await append(Array.from({ length: EVENTS }, () => ({ type: 'add-message-event', actor: SYSTEM, channelId: ROOM, messageIds, event })))
  await append(Array.from({ length: EVENTS }, () => channelIds).flat().map(channelId => ({ type: 'add-channel-event', actor: SYSTEM, channelId, event })))
}, 60_000)
afterAll(() => on.stop())

const get = (path: string): Promise<Answer> => call(on.url, 'GET', path, on.application)

it('users come in pages of about 4 MiB at most, each once', async () => {
  const seen: string[] = []
  for (let at: string | undefined = '/v1/users?limit=200'; at !== undefined;) {
    const answer: Answer = await get(at)
    expect(answer.status).toBe(200)
    expect(answer.body.length).toBeGreaterThan(0)
    expect(Buffer.byteLength(JSON.stringify(answer.body))).toBeLessThan(PAGE_BYTES + 100_000)
    seen.push(...answer.body.map(({ userId }: any) => userId))
    at = /<([^>]*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  expect(seen).toEqual(userIds.toReversed())
})

describe.each<[string, (count: number) => string]>([
  ['messages', count => `/v1/channels/${ROOM}/messages/${messageIds.slice(0, count).join(',')}/timeline`],
  ['channels', count => `/v1/channels/${channelIds.slice(0, count).join(',')}/timeline`]
])('timelines of several %s', (_of, path) => {
  it('are answered together where they hold 4 MiB at most', async () => {
    for (const [count, limit] of [[MESSAGES, 300], [2, 1_000]] as const) {
      const { status, body } = await get(`${path(count)}?limit=${limit}&eventTypeFilter=${encodeURIComponent(event.type)}`)
      expect([status, body.length]).toEqual([200, count * limit])
    }
  })

  it('are refused where they hold more, in words that say what to ask for', async () => {
    for (const query of ['', '?limit=1000', `?eventTypeFilter=seen,${encodeURIComponent(event.type)}`]) {
      const { status, body } = await get(path(MESSAGES) + query)
      expect([status, body.errorCode]).toEqual([413, 'limit_exceeded'])
      expect(body.message).toContain('fewer')
    }
  })
})

it('no more of several timelines is read than an answer may hold', () => {
  let read = 0
  const body = JSON.stringify({ ...event, subject: { identifier: SYSTEM } })
  const queries = {
    channel: (channelId: string) => ({ channelId, channelKey: 1 }),
    member: () => undefined,
    channelDetails: () => undefined,
    channelEvents: (_key: number, _after: number, _types: undefined, { rows, bytes }: PageBounds) => {
      const count = Math.max(1, Math.min(rows, Math.ceil(bytes / body.length)))
      read += count * body.length
      return { rows: Array(count).fill({ position: 1, body, gone: false }), ended: false }
    }
  } as unknown as Queries
  const list = () => runRead(listChannelEvents(SYSTEM, Array.from({ length: 45 }, (_, index) => `channel-${index}`), { limit: EVENTS }), queries)
  expect(list).toThrow('fewer')
  expect(read).toBeLessThan(PAGE_BYTES + 100_000)
})

describe('participants', () => {
  it('are shown by name, and without what else there is to a user', async () => {
    await on.store.append(createChannel(SYSTEM, 'room-of-users', { participants: userIds.map(userId => ({ userId, status: 'active', roles: [] })) }))
    const { body } = await get('/v1/channels/room-of-users/participants')
    expect(body.map(({ participant }: any) => [participant.userId, participant.screenName?.screenName]))
      .toEqual(userIds.map((userId, index) => [userId, index % 2 === 0 ? `${userId} "by name"` : undefined]))
  })
})
