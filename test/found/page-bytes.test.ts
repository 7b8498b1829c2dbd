/** A page of any list ends at 4 MiB (protocol 1, rule 8), and Link leads on from there. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, createUser, send } from '../support/commands.ts'

const PAGE_BYTES = 4 * 1024 * 1024
const COUNT = 100

let on: TestApp
const messageIds = Array.from({ length: COUNT }, (_, index) => `message-${String(index).padStart(4, '0')}`)
const channelIds = Array.from({ length: COUNT }, (_, index) => `channel-${String(index).padStart(4, '0')}`)
beforeAll(async () => {
  on = await startApp()
  await on.store.append(createUser('amy'))
  await on.store.append(createChannel(SYSTEM, 'room-of-large'))
  const messageData = [{ dataType: 'text', data: { note: 'n'.repeat(150_000) } }]
  for (const messageId of messageIds) await on.store.append(send(SYSTEM, 'room-of-large', 'x'.repeat(60_000), { messageId, messageData }))
  // As many events as a channel may come with, of the longest types.
  const timelineEvents = Array.from({ length: 64 }, () => ({ type: '語'.repeat(128), eventTimeMs: 1_732_240_000_000, subject: SYSTEM }))
  for (const channelId of channelIds) {
    await on.store.append(createChannel(SYSTEM, channelId, { timelineEvents, participants: [{ userId: 'amy', status: 'active', roles: [] }] }))
  }
}, 60_000)
afterAll(() => on.stop())

interface List { path: string, ids: string[], idOf: (item: any) => string }

const lists: Record<string, List> = {
  messages: { path: '/v1/channels/room-of-large/messages', ids: messageIds, idOf: ({ messageId }) => messageId },
  channels: { path: '/v1/channels', ids: channelIds, idOf: ({ channelId }) => channelId },
  'a user\'s channels': { path: '/v1/users/amy/channels', ids: channelIds, idOf: ({ identifier }) => identifier }
}

describe.each(Object.keys(lists))('%s', name => {
  const { path, ids, idOf } = lists[name]!
  const oldestFirst = `after=${ids[0]}&`

  it.each([['newest first', ''], ['oldest first', oldestFirst]])('%s come in pages of about 4 MiB at most, each once', async (_order, query) => {
    const seen: string[] = []
    for (let at: string | undefined = `${path}?${query}limit=200`; at !== undefined;) {
      const response: Response = await fetch(on.url + at, { headers: on.application })
      const text = await response.text()
      expect(response.status, text.slice(0, 200)).toBe(200)
      const items = JSON.parse(text) as unknown[]
      const largest = Math.max(...items.map(item => Buffer.byteLength(JSON.stringify(item))))
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(PAGE_BYTES + largest)
      expect(items.length).toBeGreaterThan(0)
      seen.push(...items.map(idOf))
      const target: string | undefined = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1]
      const next: URL | undefined = target === undefined ? undefined : new URL(target, on.url + at)
      at = next && next.pathname + next.search
    }
    const rest = seen.filter(id => ids.includes(id))
    expect(rest).toEqual(query === '' ? ids.toReversed() : ids.slice(1))
  })
})
