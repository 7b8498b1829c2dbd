/** The subject of a timeline event is named .deleted once that user is, wherever the event is shown. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { call } from '../support/process.ts'
import { openReader, type Reader } from '../support/sse.ts'

const GONE = 'gone-user'
const ROOM = 'room-of-events'
const MESSAGES = ['by-the-application', 'by-another-member']

let on: TestApp
let asAmy: Record<string, string>
beforeAll(async () => {
  on = await startApp()
  asAmy = await on.user('amy')
  await on.user(GONE)
  const ok = async (method: string, path: string, body?: object) => {
    const answer = await call(on.url, method, path, on.application, body)
    expect(answer.status, `${method} ${path} ${JSON.stringify(answer.body)}`).toBeLessThan(300)
  }
  const event = (type: string) => ({ type, eventTimeMs: 1_732_240_000_000, subject: GONE })
  const of = (type: string) => [event(type), { ...event(type), subject: 'amy' }]
  await ok('POST', '/v1/channels', { channelId: ROOM, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: [{ participantId: 'amy' }], timelineEvents: of('came with the channel') })
  for (const [index, messageId] of MESSAGES.entries()) {
    await ok('POST', `/v1/channels/${ROOM}/messages`, { messageId, textPayload: 'a', timelineEvents: of('came with the message'), ...(index === 0 ? {} : { senderId: 'amy' }) })
  }
  await ok('PATCH', `/v1/channels/${ROOM}/messages/${MESSAGES[0]}`, { textPayload: 'b' })
  await ok('POST', `/v1/channels/${ROOM}/messages/${MESSAGES.join(',')}/timeline`, event('was added to the message'))
  await ok('POST', `/v1/channels/${ROOM}/timeline`, event('was added to the channel'))
  await ok('DELETE', `/v1/users/${GONE}`)
})
afterAll(() => on.stop())

/** Whom a text of JSON names as subjects, each once, sorted. */
const subjectsIn = (text: string) => [...new Set([...text.matchAll(/"subject":\{"identifier":"([^"]+)"\}/g)].map(([, subject]) => subject))].sort()

const get = (path: string) => async () => JSON.stringify((await call(on.url, 'GET', path, asAmy)).body)
const replay = (path: string, headers: () => Record<string, string>) => async () => {
  const reader: Reader = await openReader(`${on.url}${path}?after=earliest`, headers())
  await reader.until('caught-up')
  reader.close()
  return reader.frames.map(({ data }) => data[0]).join('\n')
}

it.each<[string, () => Promise<string>]>([
  ['the channel', get(`/v1/channels/${ROOM}`)],
  ['several channels', get(`/v1/channels/${ROOM},${ROOM}`)],
  ['the list of a user\'s channels', get('/v1/users/me/channels')],
  ['the list of all channels', async () => JSON.stringify((await call(on.url, 'GET', '/v1/channels', on.application)).body)],
  ['the list of messages', get(`/v1/channels/${ROOM}/messages`)],
  ...MESSAGES.map((message): [string, () => Promise<string>] => [`a message ${message}`, get(`/v1/messages/${message}`)]),
  ['the channel\'s timeline', get(`/v1/channels/${ROOM}/timeline`)],
  ['the messages\' timeline', get(`/v1/channels/${ROOM}/messages/${MESSAGES.join(',')}/timeline`)],
  ['a replay of the channel', replay(`/v1/channels/${ROOM}/events`, () => asAmy)],
  ['a replay of a member\'s stream', replay('/v1/users/me/events', () => asAmy)],
  ['a replay of everything', replay('/v1/events', () => on.application)]
])('%s names .deleted, and everybody else as before', async (_what, read) => {
  const subjects = subjectsIn(await read())
  expect(subjects).not.toContain(GONE)
  expect(subjects).toEqual(expect.arrayContaining(['.deleted', 'amy']))
})

it('an edit names .deleted, in its answer and on open streams', async () => {
  const reader = await openReader(`${on.url}/v1/users/me/events`, asAmy)
  await reader.until('caught-up')
  const { body } = await call(on.url, 'PATCH', `/v1/channels/${ROOM}/messages/${MESSAGES[1]}`, asAmy, { textPayload: 'c' })
  const { data } = await reader.until('message-updated')
  reader.close()
  expect([JSON.stringify(body), data[0]!].map(subjectsIn)).toEqual([['.deleted', 'amy'], ['.deleted', 'amy']])
})
