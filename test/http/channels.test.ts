/** Channels and participants over HTTP (protocol 3 and 4). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GROUP_CHAT, startService, type Service } from './service.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy', 'bob', 'cleo']) })
afterAll(() => service.stop())

const call: Service['call'] = async (request, options) => await service.call(request, options)

/** A new channel's id. */
async function makeChannel (as: string | undefined, more: object = {}): Promise<string> {
  const response = await call('POST /v1/channels', { ...(as === undefined ? {} : { as }), body: { defaultRuleSet: GROUP_CHAT, ...more } })
  expect(response.statusCode).toBe(200)
  return response.json().identifier
}
const participantsOf = async (channelId: string, query = '') =>
  (await call(`GET /v1/channels/${channelId}/participants?relayStatus=active,pending,muted,disabled${query}`)).json() as Array<Record<string, unknown>>
const gistOf = async (channelId: string) => (await participantsOf(channelId))
  .map(({ participantId, relayStatus, roles }) => [(participantId as { identifier: string }).identifier, relayStatus, ...(roles as string[])].join(' ')).sort()

describe('creating a channel', () => {
  it('answers exactly its id, and reads back whole', async () => {
    const channelId = `football-${randomUUID()}`
    const response = await call('POST /v1/channels', { as: 'amy', body: { channelId, defaultRuleSet: 'io.mitter.chats.GroupChannel', groupType: 'private' } })
    expect(response.json()).toEqual({ identifier: channelId })
    const read = await call(`GET /v1/channels/${channelId}`, { as: 'amy' })
    expect(read.headers['x-event-cursor']).toBeTruthy()
    expect(read.json()).toEqual({
      identifier: channelId,
      channelId,
      defaultRuleSet: GROUP_CHAT,
      groupType: 'private',
      participation: [],
      systemChannel: false,
      timelineEvents: [],
      audit: { createdAt: expect.any(Number), updatedAt: expect.any(Number) },
      auditInfo: { createdAt: expect.any(Number), updatedAt: expect.any(Number) }
    })
  })

  it('makes its user the active admin, listed or not, and others participants', async () => {
    expect(await gistOf(await makeChannel('amy', { participation: [{ participantId: 'bob' }] }))).toEqual(['amy active admin', 'bob active'])
    expect(await gistOf(await makeChannel('amy', { participation: [{ participantId: { identifier: 'amy' } }] }))).toEqual(['amy active admin'])
  })

  it('by the application gives participants what it names', async () => {
    const participation = [{ participantId: 'amy', roles: ['admin'] }, { participantId: 'bob', participationStatus: 'ReadOnly' }, { participantId: 'cleo', participationStatus: 'Disabled' }]
    expect(await gistOf(await makeChannel(undefined, { participation }))).toEqual(['amy active admin', 'bob muted', 'cleo disabled'])
  })

  it.each<[string, string | undefined, object, number, string]>([
    ['a ruleset that there is not', 'amy', { defaultRuleSet: 'io.mitter.ruleset.chats.Unknown' }, 400, 'invalid_domain_attribute'],
    ['a group type that there is not', 'amy', { groupType: 'secret' }, 400, 'invalid_domain_attribute'],
    ['a reserved id', 'amy', { channelId: '.broadcast' }, 400, 'invalid_domain_attribute'],
    ['an id that is too short', 'amy', { channelId: 'short' }, 400, 'invalid_domain_attribute'],
    ['a participant twice', 'amy', { participation: [{ participantId: 'bob' }, { participantId: { identifier: 'bob' } }] }, 400, 'invalid_domain_attribute'],
    ['a participant that there is not', 'amy', { participation: [{ participantId: 'nobody' }] }, 404, 'entity_not_found'],
    ['another status, from a user', 'amy', { participation: [{ participantId: 'bob', participationStatus: 'ReadOnly' }] }, 403, 'missing_privilege'],
    ['roles, from a user', 'amy', { participation: [{ participantId: 'bob', roles: ['admin'] }] }, 403, 'missing_privilege'],
    ['over 1,000 participants', undefined, { participation: Array.from({ length: 1_001 }, (_, index) => ({ participantId: `user-${index}` })) }, 413, 'limit_exceeded'],
    ['another\'s timeline event, from a user', 'amy', { timelineEvents: [{ type: 'seen', eventTimeMs: 1, subject: 'bob' }] }, 403, 'missing_privilege'],
    ['a type of event that is mitter\'s', undefined, { timelineEvents: [{ type: 'io.mitter.own', eventTimeMs: 1, subject: 'bob' }] }, 400, 'invalid_domain_attribute'],
    ['metadata, which is to come', 'amy', { entityMetadata: { a: 1 } }, 501, 'not_implemented']
  ])('with %s is refused', async (_, as, body, status, errorCode) => {
    const response = await call('POST /v1/channels', { ...(as === undefined ? {} : { as }), body: { defaultRuleSet: GROUP_CHAT, ...body } })
    expect([response.statusCode, response.json().errorCode]).toEqual([status, errorCode])
  })

  it('under an id that is taken is a 409 with the relay\'s reason', async () => {
    const channelId = await makeChannel('amy')
    const response = await call('POST /v1/channels', { as: 'bob', body: { channelId, defaultRuleSet: GROUP_CHAT } })
    expect([response.statusCode, response.json().reason]).toEqual([409, 'already_exists'])
  })
})

describe('reading a channel', () => {
  it('is for participants, but a public one is for anyone', async () => {
    expect((await call(`GET /v1/channels/${await makeChannel('amy')}`, { as: 'bob' })).statusCode).toBe(200)
    expect((await call(`GET /v1/channels/${await makeChannel('amy', { groupType: 'private' })}`, { as: 'bob' })).statusCode).toBe(403)
    expect((await call('GET /v1/channels/unknown-1', { as: 'bob' })).statusCode).toBe(404)
  })

  it('with a comma answers an array', async () => {
    const [one, two] = [await makeChannel('amy'), await makeChannel('amy')]
    const response = await call(`GET /v1/channels/${one},${two}`, { as: 'amy' })
    expect(response.json().map((channel: { channelId: string }) => channel.channelId)).toEqual([one, two])
    expect(response.headers['x-event-cursor']).toBeTruthy()
  })
})

describe('deleting a channel', () => {
  it('is for the application, and frees the id', async () => {
    const channelId = await makeChannel('amy')
    expect((await call(`DELETE /v1/channels/${channelId}`, { as: 'amy' })).statusCode).toBe(403)
    const deleted = await call(`DELETE /v1/channels/${channelId}`)
    expect([deleted.statusCode, deleted.body]).toEqual([204, ''])
    expect((await call(`DELETE /v1/channels/${channelId}`)).statusCode).toBe(404)
    expect(await makeChannel('bob', { channelId })).toBe(channelId)
  })
})

describe('joining', () => {
  it('answers 204 and the status that resulted', async () => {
    const response = await call(`POST /v1/channels/${await makeChannel('amy')}/participants`, { as: 'bob', body: { participantId: { identifier: 'bob' } } })
    expect([response.statusCode, response.headers['x-relay-status'], response.body]).toEqual([204, 'active', ''])
  })

  it('answers the participation where the caller prefers that', async () => {
    const channelId = await makeChannel('amy', { groupType: 'private' })
    const response = await call(`POST /v1/channels/${channelId}/participants`, {
      as: 'bob', body: { participantId: 'bob', participationStatus: 'Active' }, headers: { prefer: 'respond-async, return=representation' }
    })
    expect(response.headers).toMatchObject({ 'x-relay-status': 'pending', 'preference-applied': 'return=representation' })
    expect(response.json()).toMatchObject({
      participantId: { identifier: 'bob' }, channelId: { identifier: channelId }, participationStatus: 'Disabled', relayStatus: 'pending', roles: []
    })
  })

  it('for another is the application\'s', async () => {
    const path = `POST /v1/channels/${await makeChannel('amy')}/participants`
    expect((await call(path, { as: 'bob', body: { participantId: 'cleo' } })).statusCode).toBe(403)
    const added = await call(path, { body: { participantId: 'cleo', participationStatus: 'ReadOnly' } })
    expect([added.statusCode, added.headers['x-relay-status']]).toEqual([204, 'muted'])
  })

  it('again is a 409, but a repeat under the same key answers what the first did', async () => {
    const path = `POST /v1/channels/${await makeChannel('amy')}/participants`
    const join = { as: 'bob', body: { participantId: 'bob' }, headers: { 'idempotency-key': randomUUID() } }
    expect((await call(path, join)).statusCode).toBe(204)
    const repeated = await call(path, join)
    expect([repeated.statusCode, repeated.headers['x-relay-status']]).toEqual([204, 'active'])
    const response = await call(path, { as: 'bob', body: { participantId: 'bob' } })
    expect([response.statusCode, response.json().reason]).toEqual([409, 'already_member'])
  })
})

describe('leaving', () => {
  it('is by id or as me, and once', async () => {
    const channelId = await makeChannel('amy', { participation: [{ participantId: 'bob' }, { participantId: 'cleo' }] })
    expect((await call(`DELETE /v1/channels/${channelId}/participants/me`, { as: 'bob' })).statusCode).toBe(204)
    expect((await call(`DELETE /v1/channels/${channelId}/participants/bob`, { as: 'bob' })).json().reason).toBe('user_not_in_group')
    expect((await call(`DELETE /v1/channels/${channelId}/participants/cleo`, { as: 'amy' })).statusCode).toBe(403)
    expect((await call(`DELETE /v1/channels/${channelId}/participants/cleo`)).statusCode).toBe(204)
    expect((await call(`DELETE /v1/channels/${channelId}/participants/me`)).json().errorCode).toBe('missing_context')
    expect(await gistOf(channelId)).toEqual(['amy active admin'])
  })
})

describe('listing participants', () => {
  const participation = [{ participantId: 'amy' }, { participantId: 'bob', participationStatus: 'ReadOnly' }, { participantId: 'cleo', participationStatus: 'Disabled' }]
  const listed = async (channelId: string, query: string) => {
    const response = await call(`GET /v1/channels/${channelId}/participants${query}`)
    return response.statusCode === 200 ? response.json().map((one: { participantId: { identifier: string } }) => one.participantId.identifier) : response.json().diagnostics.field
  }

  it.each([
    ['', ['amy']],
    ['?participationStatus=Active,ReadOnly', ['amy', 'bob']],
    ['?participationStatus=Disabled', ['cleo']],
    ['?relayStatus=muted,disabled', ['bob', 'cleo']],
    ['?relayStatus=pending', []],
    ['?participationStatus=Active&relayStatus=muted', ['amy', 'bob']],
    ['?participationStatus=active', 'query/participationStatus'],
    ['?relayStatus=', 'query/relayStatus']
  ])('shows those asked for: %s', async (query, expected) => {
    expect(await listed(await makeChannel(undefined, { participation }), query)).toEqual(expected)
  })

  it('shows them in full or in short, and says as of when', async () => {
    const channelId = await makeChannel(undefined, { participation })
    const full = await call(`GET /v1/channels/${channelId}/participants`, { as: 'amy' })
    expect(full.headers['x-event-cursor']).toBeTruthy()
    expect(full.json()[0]).toMatchObject({ participant: { userId: 'amy' }, roles: [], joinedAt: expect.any(Number) })
    expect((await call(`GET /v1/channels/${channelId}/participants?expandParticipants=false`)).json())
      .toEqual([{ participantId: { identifier: 'amy' }, participationStatus: 'Active' }])
  })
})
