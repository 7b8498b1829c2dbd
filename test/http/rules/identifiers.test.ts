/** Identifiers and references (protocol 1, rules 1, 2 and 5). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo, RULESETS } from './calls.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy', 'bob']) })
afterAll(() => service.stop())
const { get, gist, channel, send } = callsTo(() => service)

describe('an id that may be', () => {
  const sized = (length: number) => `@${randomUUID()}${randomUUID()}`.slice(0, length)

  it.each([8, 72])('of a channel, a message and an event has %i characters, of every kind that is allowed', async (length) => {
    const id = `#a-_@$#${sized(length)}`.slice(0, length)
    const defaultRuleSet = RULESETS.group
    expect((await service.call('POST /v1/channels', { body: { channelId: id, defaultRuleSet } })).json()).toEqual({ identifier: id })
    const path = `/v1/channels/${encodeURIComponent(id)}`
    expect((await service.call(`POST ${path}/messages`, { body: { messageId: id, textPayload: 'a' } })).json()).toMatchObject({ messageId: id, identifier: id })
    const event = { eventId: id, type: 'seen', eventTimeMs: 1, subject: 'amy' }
    expect((await service.call(`POST ${path}/messages/${encodeURIComponent(id)}/timeline`, { body: event })).json()).toEqual({ identifier: id })
    expect((await get(path)).channelId).toBe(id)
    expect((await get(`/v1/messages/${encodeURIComponent(id)}`)).channelId).toEqual({ identifier: id })
  })

  it.each([1, 72])('of a user has %i characters', async (length) => {
    const userId = '9'.repeat(length)
    expect((await service.call('POST /v1/users', { body: { userId } })).json()).toEqual({ identifier: userId })
    expect((await get(`/v1/users/${userId}`)).userId).toBe(userId)
  })

  it('differs from one in other letters', async () => {
    expect(await gist('POST /v1/users', { body: { userId: 'AMY' } })).toEqual([200])
    expect((await get('/v1/users/AMY')).userId).toBe('AMY')
  })
})

describe('an id that may not be', () => {
  it('names the field and says what would be right', async () => {
    const wrong: Array<[request: string, body: object, field: string]> = [
      ['POST /v1/users', { userId: 'with.dot' }, 'body/userId'],
      ['POST /v1/users', { userId: 'me' }, 'body/userId'],
      ['POST /v1/channels', { channelId: '.control', defaultRuleSet: RULESETS.group }, 'body/channelId'],
      ['POST /v1/channels', { channelId: 'sevens7', defaultRuleSet: RULESETS.group }, 'body/channelId'],
      ['POST /v1/channels', { defaultRuleSet: RULESETS.group, timelineEvents: [{ eventId: 'short', type: 'a', eventTimeMs: 1, subject: 'amy' }] }, 'body/timelineEvents/0/eventId'],
      ['POST /v1/channels', { defaultRuleSet: RULESETS.group, timelineEvents: [{ type: 'a', eventTimeMs: 1, subject: 'no user' }] }, 'body/timelineEvents/0/subject'],
      [`POST /v1/channels/${await channel('group', ['amy'])}/messages`, { messageId: '.typing-indicator-stream', textPayload: 'a' }, 'body/messageId']
    ]
    for (const [request, body, field] of wrong) {
      const response = await service.call(request, { body })
      expect([response.statusCode, response.json()]).toEqual([400, expect.objectContaining({ errorCode: 'invalid_domain_attribute', diagnostics: { field } })])
      expect(response.json().message).toMatch(/it must have|is reserved/)
    }
  })
})

describe('an id left out', () => {
  it('is made by the service, as a UUID', async () => {
    const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
    const { identifier } = (await service.call('POST /v1/channels', { body: { defaultRuleSet: RULESETS.group } })).json()
    expect(identifier).toMatch(uuid)
    const messageId = await send(identifier, 'a')
    expect(messageId).toMatch(uuid)
    expect((await get(`/v1/messages/${messageId}`)).timelineEvents[0].eventId).toMatch(uuid)
  })
})

describe('a reference', () => {
  it('is a string or an object with an identifier, wherever one is taken', async () => {
    for (const amy of ['amy', { identifier: 'amy' }]) {
      const event = { type: 'seen', eventTimeMs: 1, subject: amy }
      const channelId = await channel('group', [], { participation: [{ participantId: amy }], timelineEvents: [event] })
      expect((await get(`/v1/channels/${channelId}/participants`))[0].participantId).toEqual({ identifier: 'amy' })
      expect((await get(`/v1/channels/${channelId}`)).timelineEvents[0].subject).toEqual({ identifier: 'amy' })
      const message = (await service.call(`POST /v1/channels/${channelId}/messages`, { body: { textPayload: 'a', senderId: amy, timelineEvents: [event] } })).json()
      expect([message.senderId, message.timelineEvents[0].subject]).toEqual([{ identifier: 'amy' }, { identifier: 'amy' }])
      const joined = await channel('group', [])
      expect(await gist(`POST /v1/channels/${joined}/participants`, { as: 'amy', body: { participantId: amy } })).toEqual([204])
    }
  })
})

describe('an entity', () => {
  it('carries its own id twice, and its times twice and alike', async () => {
    const channelId = await channel('group', ['amy'])
    const messageId = await send(channelId, 'a', 'amy')
    const [participation] = await get(`/v1/channels/${channelId}/participants`)
    const message = await get(`/v1/messages/${messageId}`)
    const { channel: participated } = (await get('/v1/users/amy/channels?limit=1'))[0]
    for (const entity of [await get(`/v1/channels/${channelId}`), participated, await get('/v1/users/amy'), message, message.timelineEvents[0], participation]) {
      expect(entity.audit).toEqual({ createdAt: expect.any(Number), updatedAt: expect.any(Number) })
      expect(entity.auditInfo).toEqual(entity.audit)
      const own = entity.channelParticipationId === undefined ? entity : participation.participant
      expect([own.channelId, own.messageId, own.userId, own.eventId]).toContain(own.identifier)
      expect(JSON.stringify(entity)).not.toContain('null')
    }
  })

  it('takes no times from its maker', async () => {
    const audit = { createdAt: 5, updatedAt: 5 }
    const channelId = await channel('group', ['amy'], { audit, auditInfo: audit })
    const { audit: kept } = await get(`/v1/channels/${channelId}`)
    expect(kept.createdAt).toBeGreaterThan(5)
  })
})

describe('a path', () => {
  it('ends without a slash: with one it names nothing, and never the list', async () => {
    for (const path of ['/v1/channels/', '/v1/users/', '/v1/messages/', '/v1/channels/unknown-1/timeline/', '/v1/users/amy/channels/']) {
      expect([path, ...await gist(`GET ${path}`)]).toEqual([path, 404, 'entity_not_found'])
    }
  })

  it('with a # in an id that is not escaped names nothing', async () => {
    expect(await gist('GET /v1/channels/#channel-1')).toEqual([404, 'entity_not_found'])
  })

  it('reads up to 45 channels of a list at once, in its order, all or none', async () => {
    const ids: string[] = []
    for (let index = 10; index < 55; index++) ids.push(await channel('group', [], { channelId: `@${index}${'x'.repeat(69)}` }))
    const asked = [...ids].reverse()
    expect((await get(`/v1/channels/${asked.map(encodeURIComponent).join('%2C')}`)).map((one: { channelId: string }) => one.channelId)).toEqual(asked)
    expect(await gist(`GET /v1/channels/${[...ids, 'unknown-1'].slice(1).join(',')}`)).toEqual([404, 'entity_not_found', 'not_found'])
    expect(await gist(`GET /v1/channels/${[...ids, 'unknown-1'].join(',')}`)).toEqual([413, 'limit_exceeded'])
  })
})
