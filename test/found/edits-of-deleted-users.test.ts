/** A message of a deleted user, edited: the answer, the live frame, the replay and the lists say the same of its sender. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join } from '../support/commands.ts'
import { call } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

let on: TestApp
let asBob: Record<string, string>
let message: string
beforeAll(async () => {
  on = await startApp()
  const asGone = await on.user('gone-user')
  asBob = await on.user('bob')
  await on.store.append(createChannel('gone-user', 'room-of-both'))
  await on.store.append(join('bob', 'room-of-both'))
  message = (await call(on.url, 'POST', '/v1/channels/room-of-both/messages', asGone, { textPayload: 'first' })).body.messageId
  expect((await call(on.url, 'DELETE', '/v1/users/gone-user', on.application)).status).toBe(204)
})
afterAll(() => on.stop())

/** Whom a message names as its sender, and as the subject of its being sent. */
const namedIn = ({ senderId, timelineEvents }: any): unknown[] =>
  [senderId.identifier, ...timelineEvents.map(({ type, subject }: any) => `${type} ${subject.identifier}`)]

it('the answer, its repeat, live frames, replays and lists all name .deleted as its sender and as its event\'s subject', async () => {
  const live = await openReader(`${on.url}/v1/channels/room-of-both/events`, asBob)
  await live.until('caught-up')
  const edit = () => call(on.url, 'PATCH', `/v1/channels/room-of-both/messages/${message}`, { ...on.application, 'idempotency-key': 'edit-of-gone' }, { textPayload: 'second' })
  const answer = await edit()
  expect(answer).toMatchObject({ status: 200, body: { textPayload: 'second' } })
  const frame = await live.until('message-updated')
  const replay = await openReader(`${on.url}/v1/channels/room-of-both/events?after=earliest`, asBob)
  const replayed = await replay.until('message-updated')
  const named = {
    answer: namedIn(answer.body),
    repeat: namedIn((await edit()).body),
    live: namedIn(frame.json.message),
    replayed: namedIn(replayed.json.message),
    read: namedIn((await call(on.url, 'GET', `/v1/messages/${message}`, asBob)).body),
    listed: namedIn((await call(on.url, 'GET', '/v1/channels/room-of-both/messages', asBob)).body[0])
  }
  for (const reader of [live, replay]) reader.close()
  expect(named).toEqual(Object.fromEntries(Object.keys(named).map(where => [where, ['.deleted', 'mitter.mtet.SentTime .deleted']])))
  expect(frame.data).toEqual(replayed.data)
  for (const text of [JSON.stringify(answer.body), frame.data[0]]) expect(text).not.toContain('gone-user')
})
