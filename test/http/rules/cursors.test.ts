/** Every GET of channels, participants, messages and timelines says as of when (protocol 8, promise 6), and rows agree with totals. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo } from './calls.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy']) })
afterAll(() => service.stop())
const { channel, send } = callsTo(() => service)

it('every GET of channels, participants, messages and timelines has a cursor, and it moves with the log', async () => {
  const room = await channel('group', ['amy'])
  const message = await send(room, 'a', 'amy')
  const paths = [
    '/v1/channels', '/v1/users/amy/channels', `/v1/channels/${room}`, `/v1/channels/${room},${room}`, `/v1/channels/${room}/participants`,
    `/v1/channels/${room}/participants?expandParticipants=false`, `/v1/channels/${room}/messages`, `/v1/messages/${message}`,
    `/v1/channels/${room}/timeline`, `/v1/channels/${room}/messages/${message}/timeline`
  ]
  const cursors = async () => await Promise.all(paths.map(async path => (await service.call(`GET ${path}`)).headers['x-event-cursor']))
  const before = await cursors()
  expect(new Set(before).size).toBe(1)
  expect(before[0]).toMatch(/^[!-~]{1,64}$/)
  const sent = await service.call(`POST /v1/channels/${room}/messages`, { as: 'amy', body: { textPayload: 'b' } })
  expect(await cursors()).toEqual(paths.map(() => sent.json().relay.cursor))
})

it('is not told to whoever may not read', async () => {
  const room = await channel('group', [], { groupType: 'private' })
  for (const path of [`/v1/channels/${room}`, `/v1/channels/${room}/participants`, `/v1/channels/${room}/messages`, `/v1/channels/${room}/timeline`]) {
    const response = await service.call(`GET ${path}`, { as: 'amy' })
    expect([response.statusCode, response.headers['x-event-cursor']]).toEqual([403, undefined])
  }
})
