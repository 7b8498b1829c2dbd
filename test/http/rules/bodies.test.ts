/** Bodies: empty ones, nulls, unknown fields, no coercion, what is not supported yet (protocol 1, rules 3 and 4). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readApi, type Api } from '../bad-input/operations.ts'
import { startService, type Service } from '../service.ts'
import { callsTo, RULESETS } from './calls.ts'

let service: Service
let api: Api
let room: string
let message: string
beforeAll(async () => {
  service = await startService(['@amy', 'bob'])
  api = await readApi(service)
  room = await channel('group', ['bob'], { groupType: 'strict_private' }, '@amy')
  message = await send(room, 'Hello', '@amy')
})
afterAll(() => service.stop())
const { get, gist, channel, send } = callsTo(() => service)

/** For every operation that takes a body: its path, and the fields that it needs. */
const needed = (): Record<string, [request: string, body: () => Record<string, unknown>]> => ({
  createUser: ['POST /v1/users', () => ({})],
  createChannel: ['POST /v1/channels', () => ({ defaultRuleSet: RULESETS.group })],
  addParticipant: [`POST /v1/channels/${room}/participants`, () => ({ participantId: '@amy' })],
  changeParticipant: [`PATCH /v1/channels/${room}/participants/bob`, () => ({ newStatus: 'Active' })],
  sendMessage: [`POST /v1/channels/${room}/messages`, () => ({ textPayload: 'a' })],
  editMessage: [`PATCH /v1/channels/${room}/messages/${message}`, () => ({ textPayload: 'b' })],
  changeChannelAcls: [`PATCH /v1/channels/${room}/acls`, () => ({ patchType: 'Set' })],
  changeMessageAcls: [`PATCH /v1/messages/${message}/acls`, () => ({ patchType: 'Set' })],
  changeApplicationAcls: [`PATCH /v1/applications/${service.applicationId}/acls`, () => ({ patchType: 'Set' })],
  addChannelEvent: [`POST /v1/channels/${room}/timeline`, () => ({ type: 'seen', eventTimeMs: 1, subject: '@amy' })],
  addMessageEvent: [`POST /v1/channels/${room}/messages/${message}/timeline`, () => ({ type: 'seen', eventTimeMs: 1, subject: '@amy' })]
})
/** Who is in the channel already is added again, and that is a 409: the body was right. */
const taken = (status: number, operationId: string) => operationId === 'addParticipant' ? status === 409 : status < 300

describe('a field that is optional', () => {
  it('may be null in every body, which means that it is absent', async () => {
    for (const { operationId, body } of api.operations) {
      if (body === undefined) continue
      const [request, fields] = needed()[operationId]!
      const nulls = Object.fromEntries(Object.keys(api.resolve(body).properties!).map(name => [name, null]))
      const { statusCode, body: text } = await service.call(request, { body: { ...nulls, ...fields() } })
      expect(taken(statusCode, operationId), `${operationId}: ${text}`).toBe(true)
    }
  })

  it('may be null within a list too', async () => {
    const participation = [{ participantId: 'bob', participationStatus: null, roles: null }]
    const timelineEvents = [{ eventId: null, type: 'seen', eventTimeMs: 1, subject: 'bob' }]
    expect(await gist('POST /v1/channels', { body: { defaultRuleSet: RULESETS.group, participation, timelineEvents } })).toEqual([200])
  })
})

describe('a field that nobody knows', () => {
  it('is ignored in every body, whatever it holds', async () => {
    for (const [operationId, [request, fields]] of Object.entries(needed())) {
      for (const unknown of [null, 5, 'text', [], { identifier: 'x', more: 1 }]) {
        const { statusCode, body } = await service.call(request, { body: { unknown, requestTimeStamp: unknown, ...fields() } })
        expect(taken(statusCode, operationId), `${operationId}: ${body}`).toBe(true)
      }
    }
  })

  it('is ignored in every query', async () => {
    for (const path of ['/v1/users', '/v1/channels', '/v1/users/bob', '/v1/users/bob/channels', `/v1/channels/${room}`, `/v1/channels/${room}/participants`, `/v1/channels/${room}/messages`, `/v1/messages/${message}`, `/v1/channels/${room}/timeline`]) {
      expect([path, ...await gist(`GET ${path}?requestTimeStamp=1732240000000&unknown=&unknown=2`)]).toEqual([path, 200])
    }
  })

  it('is kept nowhere', async () => {
    const channelId = await channel('group', [], { unknown: 'secret-1' })
    const sent = (await service.call(`POST /v1/channels/${channelId}/messages`, { body: { textPayload: 'a', unknown: 'secret-1' } })).json()
    expect(JSON.stringify([sent, await get(`/v1/channels/${channelId}`)])).not.toContain('secret-1')
  })
})

describe('a POST with Content-Type: application/json and nothing else', () => {
  it('is a POST without a body, as the SDKs send it', async () => {
    const headers = { 'content-type': 'application/json' }
    const waiting = await channel('group', [], { groupType: 'private' }, '@amy')
    await service.call(`POST /v1/channels/${waiting}/participants`, { as: 'bob', body: { participantId: 'bob' } })
    expect(await gist(`POST /v1/channels/${waiting}/participants/bob/accept`, { as: '@amy', headers })).toEqual([204])
    for (const action of ['mute', 'unmute']) expect(await gist(`POST /v1/channels/${room}/participants/bob/${action}`, { as: '@amy', headers })).toEqual([204])
    expect(await gist('POST /v1/users/bob/tokens', { headers })).toEqual([200])
    expect(await gist('POST /v1/users/me/event-tokens', { as: 'bob', headers })).toEqual([200])
    expect(await gist(`DELETE /v1/channels/${waiting}/participants/me`, { as: 'bob', headers })).toEqual([204])
  })

  it('may have a body all the same where none is needed, and it is not looked at', async () => {
    expect(await gist('POST /v1/users/bob/tokens', { body: { anything: [1] } })).toEqual([200])
  })
})

describe('a content type', () => {
  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset=UTF-8'])('may be written as %s', async (type) => {
    expect(await gist('POST /v1/users', { body: {}, headers: { 'content-type': type } })).toEqual([200])
  })
})

describe('what is not supported yet', () => {
  it('is refused in every body that has it, and says so', async () => {
    const response = await service.call('POST /v1/users', { body: { appliedAcls: { plusAppliedAcls: ['read_message:any_user()'] } } })
    expect([response.statusCode, response.json().diagnostics]).toEqual([400, { field: 'body/appliedAcls' }])
    expect(response.json().message).toMatch(/a user has no access control lists of its own/)
    for (const [request, fields] of ['createUser', 'createChannel', 'sendMessage'].map(operationId => needed()[operationId]!)) {
      for (const more of [{ entityMetadata: { key: 'a', value: 1 } }, { entityProfile: { attributes: [{ key: 'a' }] } }]) {
        expect(await gist(request, { body: { ...fields(), ...more } })).toEqual([501, 'not_implemented'])
      }
      for (const field of ['entityMetadata', 'entityProfile']) {
        for (const noObject of [0, 1, '', 'a', true, []]) {
          expect(await gist(request, { body: { ...fields(), [field]: noObject } })).toEqual([400, 'invalid_domain_attribute'])
        }
        for (const empty of [{}, { attributes: [] }, null]) expect(await gist(request, { body: { ...fields(), [field]: empty } })).toEqual([200])
      }
    }
  })
})

describe('a refusal', () => {
  it('stores nothing under the id that it refused', async () => {
    const channelId = randomUUID()
    const body = { channelId, defaultRuleSet: RULESETS.direct, participation: [{ participantId: 'bob' }] }
    expect(await gist('POST /v1/channels', { body })).toEqual([400, 'channel_ruleset_violation'])
    expect(await gist(`GET /v1/channels/${channelId}`)).toEqual([404, 'entity_not_found', 'not_found'])
  })
})
