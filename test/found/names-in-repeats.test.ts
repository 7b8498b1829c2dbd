/** What is remembered of a request, to answer its repeats with, names no user who was deleted since. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../http/service.ts'
import { callsTo } from '../http/rules/calls.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy']) })
afterAll(() => service.stop())
const { channel } = callsTo(() => service)

it.each([
  ['adding a participant', (room: string, userId: string) => [`POST /v1/channels/${room}/participants`, { participantId: userId }]],
  ['changing a participant', (room: string, userId: string) => [`PATCH /v1/channels/${room}/participants/${userId}`, { newStatus: 'ReadOnly' }]]
] as const)('%s answers a repeat as before, with .deleted in the place of a user who was deleted since', async (what, request) => {
  const userId = what === 'adding a participant' ? 'gone-user-1' : 'gone-user-2'
  await service.call('POST /v1/users', { body: { userId, screenName: { screenName: 'Name of the Gone' } } })
  const room = await channel('group', what === 'adding a participant' ? ['amy'] : ['amy', userId])
  const [line, body] = request(room, userId)
  const call = () => service.call(line as string, { body, headers: { prefer: 'return=representation', 'idempotency-key': `once-${userId}` } })
  const first = await call()
  expect([first.statusCode, first.body.includes('Name of the Gone'), first.body.includes(userId)]).toEqual([200, true, true])
  expect((await service.call(`DELETE /v1/users/${userId}`)).statusCode).toBe(204)
  const again = await call()
  expect(again.statusCode).toBe(200)
  expect(again.body).not.toContain('Name of the Gone')
  expect(again.body).not.toContain(userId)
  const nameless = JSON.parse(first.body.replaceAll(userId, '.deleted'), (key, value) => key === 'screenName' ? undefined : value)
  expect(again.json()).toEqual(nameless)
  expect(again.headers['x-relay-status']).toBe(first.headers['x-relay-status'])
})
