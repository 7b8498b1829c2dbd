/** Refusals say what would be right (protocol 1, rule 6). */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callsTo } from '../http/rules/calls.ts'
import { startService, type Service } from '../http/service.ts'

let service: Service
let room: string
let message: string
beforeAll(async () => {
  service = await startService(['@amy', '@bob'])
  room = await channel('group', ['@amy', '@bob'])
  message = await send(room, 'Hello', '@amy')
})
afterAll(() => service.stop())
const { channel, send } = callsTo(() => service)

async function refusalOf (request: string, body?: unknown): Promise<[status: number, code: string, message: string, field?: string]> {
  const response = await service.call(request, body === undefined ? {} : { body })
  const { errorCode, message, diagnostics } = response.json()
  return [response.statusCode, errorCode, message, ...(diagnostics === undefined ? [] as const : [diagnostics.field as string] as const)]
}

it('a list that only goes forward does not ignore that it is to go back', async () => {
  for (const path of [`/v1/channels/${room}/participants`, `/v1/channels/${room}/timeline`, `/v1/channels/${room}/messages/${message}/timeline`, '/v1/users/@amy/tokens']) {
    for (const query of ['before=@bob', 'before=', 'limit=5&before=@bob', 'after=@bob&before=@amy']) {
      expect(await refusalOf(`GET ${path}?${query}`), `${path}?${query}`).toEqual([400, 'invalid_domain_attribute', expect.stringContaining('send after'), 'query/before'])
    }
  }
})

it.each([
  ['DELETE /v1/users/@amy,@bob'], ['GET /v1/users/@amy,@bob'], ['POST /v1/users/@amy,@bob/tokens']
])('of a list of users in the place of one it is said that one is taken: %s', async request => {
  expect(await refusalOf(request)).toEqual([404, 'entity_not_found', 'There is no user "@amy,@bob": a comma is no character of an id, and this takes one id at a time'])
})

it('so it is of channels and of messages', async () => {
  const refusal = [404, 'entity_not_found', expect.stringContaining('one id at a time')]
  expect(await refusalOf(`DELETE /v1/channels/${room},${room}`)).toEqual(refusal)
  expect(await refusalOf(`GET /v1/channels/${room},${room}/messages`)).toEqual(refusal)
  expect(await refusalOf(`PATCH /v1/channels/${room}/messages/${message},${message}`, { textPayload: 'Good evening!' })).toEqual(refusal)
})

it('a user that is not there is not to be created in order to be deleted', async () => {
  expect(await refusalOf('DELETE /v1/users/@nobody')).toEqual([404, 'entity_not_found', 'There is no user "@nobody": name one that there is, POST /v1/users makes them'])
})
