/** Compact frames (protocol 8): the same events as mitter's, in the same order, under the same ids, to the same readers; each thing said once. */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { call } from '../support/process.ts'
import { isEntry, openReader, type Frame, type Reader } from '../support/sse.ts'
import { mittersForm, withoutOwnSentTime } from './mitters-form.ts'

let on: TestApp
const readers: Reader[] = []
const people: Record<string, Record<string, string>> = {}

beforeAll(async () => {
  on = await startApp()
  for (const name of ['alice', 'bob', 'carol', 'dave']) people[name] = await on.user(name)
})
afterAll(async () => {
  readers.forEach(reader => reader.close())
  await on.stop()
})

async function open (path: string, headers: Record<string, string>, query = ''): Promise<Reader> {
  const reader = await openReader(`${on.url}${path}${query}`, headers)
  readers.push(reader)
  await reader.until('caught-up')
  return reader
}

async function act (who: string | undefined, method: string, path: string, body?: unknown): Promise<any> {
  const headers = who === undefined ? on.application : people[who]!
  const answer = await call(on.url, method, path, headers, body)
  expect(answer.status, `${method} ${path}: ${JSON.stringify(answer.body)}`).toBeLessThan(300)
  return answer.body
}

const ROOM = '/v1/channels/football-fans'
const GROUP = 'io.mitter.ruleset.chats.GroupChat'

/** Every kind of event, and of messages all that one may say. */
/** @param told resolves when what was done so far has been told of: of what is deleted since, it would not be */
async function everyEvent (told: () => Promise<unknown>): Promise<void> {
  await act('alice', 'POST', '/v1/channels', {
    channelId: 'football-fans',
    defaultRuleSet: GROUP,
    participation: [{ participantId: 'bob' }],
    timelineEvents: [{ eventId: 'founded-1', type: 'com.example.founded', eventTimeMs: 17, subject: 'alice' }]
  })
  await act('carol', 'POST', `${ROOM}/participants`, { participantId: 'carol' })
  await act('alice', 'POST', `${ROOM}/messages`, { messageId: 'greeting-1', textPayload: 'Hello "all"\n\ndata: x' })
  await act('bob', 'POST', `${ROOM}/messages`, { messageId: 'greeting-2', textPayload: '' })
  await act('bob', 'POST', `${ROOM}/messages`, {
    messageId: 'greeting-3',
    textPayload: '👩‍👩‍👧',
    messageType: 'Notification',
    payloadType: 'com.example.card',
    messageData: [{ dataType: 'a', data: { b: [1, null, 'c'] } }],
    timelineEvents: [{ type: 'mitter.mtet.SentTime', eventTimeMs: 1, subject: 'bob' }, { eventId: 'written-1', type: 'com.example.written', eventTimeMs: 2, subject: 'bob' }]
  })
  await act(undefined, 'POST', `${ROOM}/messages`, { messageId: 'for-bob-1', textPayload: 'Psst', senderId: 'alice', appliedAcls: { plusAppliedAcls: ['read_message:user(bob)'], minusAppliedAcls: [] } })
  await act(undefined, 'PATCH', '/v1/messages/for-bob-1/acls', { patchType: 'Diff', addAcls: { plusAppliedAcls: ['read_message:user(carol)'] } })
  await act(undefined, 'PATCH', '/v1/messages/for-bob-1/acls', { patchType: 'Diff', removeAcls: { plusAppliedAcls: ['read_message:user(bob)'] } })
  await act('alice', 'PATCH', `${ROOM}/messages/greeting-1`, { textPayload: 'Good evening' })
  await act('bob', 'POST', `${ROOM}/messages/greeting-1/timeline`, { type: 'mitter.mtet.ReadTime', eventTimeMs: 3, subject: 'bob' })
  await act('alice', 'POST', `${ROOM}/timeline`, { eventId: 'kickoff-1', type: 'com.example.kickoff', eventTimeMs: 4, subject: 'alice' })
  await act(undefined, 'PATCH', `${ROOM}/participants/bob`, { newStatus: 'ReadOnly', roles: ['admin'] })
  await act(undefined, 'PATCH', `${ROOM}/acls`, { patchType: 'Set', setAcls: { plusAppliedAcls: ['read_from_channel:participant(football-fans)'], minusAppliedAcls: ['read_from_channel:user(carol)'] } })
  await act(undefined, 'PATCH', `${ROOM}/acls`, { patchType: 'Set', setAcls: { plusAppliedAcls: [], minusAppliedAcls: [] } })
  await told()
  await act(undefined, 'DELETE', `${ROOM}/messages/greeting-2`)
  await act('carol', 'DELETE', `${ROOM}/participants/carol`)
  await act(undefined, 'DELETE', '/v1/users/dave')
  await act(undefined, 'DELETE', `${ROOM}/messages`)
  await act('alice', 'POST', `${ROOM}/messages`, { messageId: 'last-one-1', textPayload: 'The end' })
  await act(undefined, 'POST', '/v1/channels', { channelId: 'other-room', defaultRuleSet: GROUP, participation: [{ participantId: 'bob' }], appliedAcls: { plusAppliedAcls: ['send_to_channel:user(bob)'] } })
}

/** Without those of others, who write meanwhile where reads are delayed (test/support/foreign-traffic.ts). */
const entriesOf = ({ frames }: Reader): Frame[] => frames.filter(frame => isEntry(frame) && !frame.data[0]!.includes('foreign-channel'))
const inBothForms = (frames: Frame[]) => frames.map(({ id, event, json }) => ({ id, event: event ?? 'message', json: withoutOwnSentTime(json) }))
const asMitters = (frames: Frame[]) => frames.map(({ id, event = 'message', json }) => ({ id, event, json: withoutOwnSentTime(mittersForm(id!, event, json)) }))

describe('compact frames', () => {
  it('say what mitter\'s say: every kind of event, on every stream, live and replayed', async () => {
    await act('alice', 'POST', '/v1/channels', { channelId: 'before-all', defaultRuleSet: GROUP })
    const { cursor } = (await act('alice', 'POST', '/v1/channels/before-all/messages', { textPayload: 'From here' })).relay
    const streams: Array<[string, Record<string, string>]> = [['/v1/users/me/events', people.bob!], ['/v1/users/me/events', people.carol!], ['/v1/events', on.application]]
    const live = await Promise.all(streams.map(async ([path, headers]) => [await open(path, headers), await open(path, headers, '?format=compact')] as const))
    await everyEvent(() => Promise.all([...live[0]!, ...live[2]!].map(reader => reader.until('message-timeline'))))
    const room: [string, Record<string, string>] = [`${ROOM}/events`, people.bob!]
    const replayed = await Promise.all([...streams, room].map(async ([path, headers]) =>
      [await open(path, headers, `?after=${cursor}`), await open(path, headers, `?after=${cursor}&format=compact`)] as const))
    await act(undefined, 'DELETE', ROOM)
    const end = (frame: Frame) => frame.event === 'channel-deleted'
    for (const [full, compact] of [live[0]!, live[2]!, ...replayed.filter((_, index) => index !== 1)]) await Promise.all([full.until(end), compact.until(end)])
    for (const [full, compact] of [...live, ...replayed]) {
      const expected = inBothForms(entriesOf(full))
      expect(expected).not.toEqual([])
      await compact.until(frame => frame.id === expected.at(-1)!.id && isEntry(frame))
      expect(asMitters(entriesOf(compact))).toEqual(expected)
    }
    const kinds = new Set([...live, ...replayed].flatMap(([full]) => entriesOf(full)).map(({ event }) => event))
    expect([...kinds].sort()).toEqual(['channel', 'channel-acls-changed', 'channel-deleted', 'channel-timeline', 'message', 'message-deleted', 'message-timeline',
      'message-updated', 'messages-truncated', 'participation', 'participation-deleted'])
  })

  it('are what the document shows', async () => {
    await act('alice', 'POST', '/v1/channels', { channelId: 'plain-room', defaultRuleSet: GROUP })
    const reader = await open('/v1/channels/plain-room/events', people.alice!, '?format=compact')
    const { relay, ...message } = await act('alice', 'POST', '/v1/channels/plain-room/messages', { textPayload: 'Hello' })
    await reader.until(({ id }) => id === relay.cursor)
    const at = message.audit.createdAt
    expect(reader.raw()).toContain(`id: ${relay.cursor}\ndata: {"channel":"plain-room","id":"${message.messageId}","sender":"alice","text":"Hello","at":${at}}\n\n`)
    expect(reader.frames.map(({ event, data }) => [event, data]).slice(0, 2)).toEqual([['ready', ['{}']], ['caught-up', ['{}']]])
    const [frame] = /id: .*\n\n$/s.exec(reader.raw().slice(reader.raw().indexOf(`id: ${relay.cursor}\ndata`)))!
    expect(frame.length + '123\r\n\r\n'.length - 'Hello'.length).toBeLessThanOrEqual(190)
  })

  it('tell why a stream ends, and of a gap', async () => {
    const reader = await open('/v1/users/me/events', people.bob!, '?format=compact&after=nothing-of-ours')
    expect(reader.frames.find(({ event }) => event === 'gap')!.data).toEqual(['{"reason":"unknown"}'])
    const { userToken: { signedToken, tokenId } } = await act(undefined, 'POST', '/v1/users/bob/tokens')
    const mortal = await open('/v1/users/me/events', { authorization: `Bearer ${signedToken}` }, '?format=compact')
    await act(undefined, 'DELETE', `/v1/users/bob/tokens/${tokenId}`)
    await mortal.ended
    expect(mortal.frames.at(-1)).toMatchObject({ event: 'bye', data: ['{"reason":"expired"}'] })
  })

  it('are asked for by their name, and no other', async () => {
    for (const format of ['Compact', 'full', '', 'compact&format=mitter']) {
      const { status, body } = await call(on.url, 'GET', `/v1/users/me/events?format=${format}`, people.bob!)
      expect([status, body.errorCode, body.diagnostics]).toEqual([400, 'invalid_domain_attribute', { field: 'query/format' }])
    }
    const mitters = await open('/v1/users/me/events', people.bob!, '?format=mitter')
    expect(mitters.frames[0]!.json['@type']).toBe('stream-ready-payload')
  })

  it('reach a client of HTTP/1.0 as they are, without chunks', async () => {
    const socket = connect(Number(new URL(on.url).port), '127.0.0.1')
    let raw = ''
    const caughtUp = new Promise<void>(resolve => socket.setEncoding('utf8').on('data', (chunk: string) => { raw += chunk; if (raw.includes('caught-up')) resolve() }))
    socket.write(`GET /v1/users/me/events?format=compact HTTP/1.0\r\nauthorization: ${people.bob!.authorization}\r\n\r\n`)
    await caughtUp
    expect(raw).not.toContain('chunked')
    expect(raw.split('\r\n\r\n')[1]).toMatch(/^id: \S+\nretry: 2000\nevent: ready\ndata: \{\}\n\nid: \S+\nevent: caught-up\ndata: \{\}\n\n$/)
    socket.destroy()
  })
})
