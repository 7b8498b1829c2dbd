/** The id of a timeline event is never given again (protocol 1, rule 1), whoever gave it, and a timeline has an end. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { call, type Answer } from '../support/process.ts'
import { openTestStore } from '../support/stores.ts'

const ROOM = 'room-of-events'

let on: TestApp
beforeAll(async () => {
  on = await startApp()
  await on.store.append(createUser('amy'))
  await on.store.append(createChannel(SYSTEM, ROOM))
})
afterAll(() => on.stop())

const ask = (method: string, path: string, body?: object): Promise<Answer> => call(on.url, method, path, on.application, body)
const event = (more: object = {}) => ({ type: 'seen', eventTimeMs: 1_732_240_000_000, subject: 'amy', ...more })
const sent = async (more: object = {}) => (await ask('POST', `/v1/channels/${ROOM}/messages`, { textPayload: 'a', ...more })).body

/** Ids that the service gave, by what it gave them to. */
const given: Record<string, () => Promise<string>> = {
  'when a message was sent': async () => (await sent()).timelineEvents[0].eventId,
  'an event that came with a message': async () => (await sent({ timelineEvents: [event()] })).timelineEvents[1].eventId,
  'an event that came with a channel': async () => {
    const { identifier } = (await ask('POST', '/v1/channels', { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', timelineEvents: [event()] })).body
    return (await ask('GET', `/v1/channels/${identifier}`)).body.timelineEvents[0].eventId
  },
  'an event of a channel': async () => {
    await ask('POST', `/v1/channels/${ROOM}/timeline`, event())
    return (await ask('GET', `/v1/channels/${ROOM}/timeline`)).body.at(-1).timelineEvent.eventId
  },
  'an event of a message': async () => (await ask('POST', `/v1/channels/${ROOM}/messages/${(await sent()).messageId}/timeline`, event())).body.identifier
}

describe.each(Object.keys(given))('an id that was given to %s', name => {
  it('is given to no other event', async () => {
    const eventId = await given[name]!()
    const { messageId } = await sent()
    const attempts = [
      ask('POST', `/v1/channels/${ROOM}/timeline`, event({ eventId })),
      ask('POST', `/v1/channels/${ROOM}/messages/${messageId}/timeline`, event({ eventId })),
      ask('POST', `/v1/channels/${ROOM}/messages`, { textPayload: 'a', timelineEvents: [event({ eventId })] }),
      ask('POST', '/v1/channels', { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', timelineEvents: [event({ eventId })] })
    ]
    for (const { status, body } of await Promise.all(attempts)) {
      expect([status, body.errorCode]).toEqual([400, 'invalid_domain_attribute'])
      expect(body.message).toContain('leave it out')
    }
  })
})

it('a UUID of any other version is a caller\'s to give, once', async () => {
  for (const version of '1234567') {
    const body = event({ eventId: `0b5806ff-7d81-${version}4dc-a061-62a1a5f20061` })
    expect((await ask('POST', `/v1/channels/${ROOM}/timeline`, body)).status).toBe(204)
    expect((await ask('POST', `/v1/channels/${ROOM}/timeline`, body)).status).toBe(409)
  }
})

it('a timeline on which an earlier version took an id twice has an end, and each event once', async () => {
  const messageId = 'message-of-doubles'
  await on.store.append(send(SYSTEM, ROOM, 'a', { messageId, timelineEvents: [event({ eventId: 'event-of-hers' })] }))
  const first = (await ask('GET', `/v1/messages/${messageId}`)).body.timelineEvents[0].eventId
  for (const more of [{}, { eventId: first }, {}, {}]) {
    await on.store.append({ type: 'add-message-event', actor: SYSTEM, channelId: ROOM, messageIds: [messageId], event: event(more) })
  }
  const path = `/v1/channels/${ROOM}/messages/${messageId}/timeline`
  const all = (await ask('GET', path)).body
  expect(all).toHaveLength(6)
  for (const limit of [1, 2, 3]) {
    const seen: unknown[] = []
    for (let at: string | undefined = `${path}?limit=${limit}`; at !== undefined && seen.length <= all.length;) {
      const { body, headers }: Answer = await ask('GET', at)
      seen.push(...body)
      at = /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1]
    }
    expect(seen).toEqual(all)
  }
})

it.each<[string, () => Command]>([
  ['a message', () => ({ type: 'delete-messages', actor: SYSTEM, channelId: 'room-of-gone', messageIds: ['message-of-gone'] })],
  ['a channel', () => ({ type: 'delete-channel', actor: SYSTEM, channelId: 'room-of-gone' })]
])('an id that a caller gave to an event of %s that was deleted, and has fallen out of retention, is given to no other', async (_what, remove) => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  const store = await openTestStore({ dataDir, retentionMs: 3_600_000 })
  try {
    await store.append(createChannel(SYSTEM, 'room-of-gone'))
    await store.append(send(SYSTEM, 'room-of-gone', 'a', { messageId: 'message-of-gone' }))
    const events = [event({ eventId: 'event-of-gone' }), event({ eventId: 'event-of-message' })]
    await store.append({ type: 'add-channel-event', actor: SYSTEM, channelId: 'room-of-gone', event: { ...events[0]!, subject: SYSTEM } })
    await store.append({ type: 'add-message-event', actor: SYSTEM, channelId: 'room-of-gone', messageIds: ['message-of-gone'], event: { ...events[1]!, subject: SYSTEM } })
    await store.append(remove())
    await store.settle()
    vi.advanceTimersByTime(2 * 3_600_000)
    await store.settle()
    await store.append(createChannel(SYSTEM, 'another-room'))
    for (const one of events) {
      await expect(store.append({ type: 'add-channel-event', actor: SYSTEM, channelId: 'another-room', event: { ...one, subject: SYSTEM } })).rejects.toMatchObject({ status: 409 })
    }
  } finally {
    vi.useRealTimers()
    await store.close()
    rmSync(dataDir, { recursive: true })
  }
})
