/** A repeat under an `Idempotency-Key` brings no deleted text back, from the moment that its deletion is answered. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'
import { call } from '../support/process.ts'

/** So many that their rows are cleared long after the deletion is answered. */
const COUNT = 4_000
const SECRET = 'said and taken back'

let on: TestApp
let asAmy: Record<string, string>
beforeAll(async () => {
  on = await startApp()
  asAmy = await on.user('amy')
})
afterAll(() => on.stop())

it.each([
  ['the truncation of their channel', (room: string) => `/v1/channels/${room}/messages`],
  ['the deletion of their channel', (room: string) => `/v1/channels/${room}`]
])('no repeat of sending or editing says it again after %s', async (what, path) => {
  const room = what.includes('truncation') ? 'truncated-room' : 'deleted-room'
  await on.store.append(createChannel('amy', room))
  await Promise.all(Array.from({ length: COUNT }, (_, index) => on.store.append(send(SYSTEM, room, `${index}`))))
  const sending = () => call(on.url, 'POST', `/v1/channels/${room}/messages`, { ...asAmy, 'idempotency-key': `send-to-${room}` }, { textPayload: `${SECRET}, once` })
  const { body: { messageId } } = await sending()
  const editing = () => call(on.url, 'PATCH', `/v1/channels/${room}/messages/${messageId}`, { ...asAmy, 'idempotency-key': `edit-in-${room}` }, { textPayload: `${SECRET}, twice` })
  expect((await editing()).body.textPayload).toBe(`${SECRET}, twice`)
  expect((await call(on.url, 'DELETE', path(room), on.application)).status).toBe(204)
  const repeats = await Promise.all([sending(), editing()])
  expect(repeats.map(({ body }) => JSON.stringify(body)).filter(text => text.includes(SECRET))).toEqual([])
})
