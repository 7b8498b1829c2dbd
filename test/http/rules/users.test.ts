/** Users and their tokens (protocol 7). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo } from './calls.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy', 'bob']) })
afterAll(() => service.stop())
const { get, gist, channel, send } = callsTo(() => service)

const create = async (userId: string, more: object = {}) => await gist('POST /v1/users', { body: { userId, ...more } })
const showing = (token: string) => ({ as: null, headers: { authorization: `Bearer ${token}` } })
const tokenOf = async (userId: string, options: object = {}) => (await service.call(`POST /v1/users/${userId}/tokens`, options)).json().userToken as { signedToken: string, tokenId: string }

describe('a user', () => {
  it('with nothing but an id reads back with what it did not say', async () => {
    await create('plain')
    const { audit, ...user } = await get('/v1/users/plain')
    expect(user).toEqual({ userId: 'plain', identifier: 'plain', userLocators: [], systemUser: false, synthetic: false, auditInfo: audit })
  })

  it('needs no body to be made', async () => {
    const response = await service.call('POST /v1/users', { body: {} })
    expect(response.json()).toEqual({ identifier: expect.any(String) })
  })

  it('under an id that is taken is a 409', async () => {
    expect(await create('amy')).toEqual([409, 'duplicate_entity'])
  })

  it('is shown to others in a channel by its id and screen name', async () => {
    await create('named', { screenName: { screenName: 'Named Ö' } })
    const room = await channel('group', ['named', 'amy'])
    const shown = (await get(`/v1/channels/${room}/participants`, 'amy')).map((one: { participant: object }) => one.participant)
    expect(shown).toHaveLength(2)
    expect(shown).toEqual(expect.arrayContaining([{ userId: 'named', identifier: 'named', screenName: { screenName: 'Named Ö' } }, { userId: 'amy', identifier: 'amy' }]))
  })

  it('is the application\'s to make, list and delete', async () => {
    for (const request of ['GET /v1/users', 'DELETE /v1/users/amy', 'DELETE /v1/users/bob']) expect(await gist(request, { as: 'amy' })).toEqual([403, 'missing_privilege'])
    expect(await gist('POST /v1/users', { as: 'amy', body: {} })).toEqual([403, 'missing_privilege'])
  })

  it('that is not there is a 404, to read and to delete', async () => {
    for (const request of ['GET /v1/users/nobody', 'DELETE /v1/users/nobody', 'GET /v1/users/nobody/tokens', 'POST /v1/users/nobody/tokens', 'GET /v1/users/nobody/channels']) {
      expect([request, ...await gist(request)]).toEqual([request, 404, 'entity_not_found'])
    }
  })
})

describe('a deleted user', () => {
  it('leaves every channel that allows it, and its messages stay under .deleted', async () => {
    await create('leaver')
    const [group, direct] = [await channel('group', ['leaver', 'amy']), await channel('direct', ['leaver', 'amy'])]
    for (const room of [group, direct]) await service.call(`POST /v1/channels/${room}/messages`, { body: { textPayload: 'kept', senderId: 'leaver' } })
    expect(await gist('DELETE /v1/users/leaver')).toEqual([204])
    expect((await get(`/v1/channels/${group}/participants`)).map((one: { participantId: { identifier: string } }) => one.participantId.identifier)).toEqual(['amy'])
    for (const room of [group, direct]) {
      const [message] = await get(`/v1/channels/${room}/messages`, 'amy')
      expect(message).toMatchObject({ textPayload: 'kept', senderId: { identifier: '.deleted' } })
      expect(JSON.stringify(message)).not.toContain('leaver')
    }
    expect((await service.call(`POST /v1/channels/${group}/messages`, { as: 'amy', body: { textPayload: 'a' } })).json().relay.recipientsCount).toBe(1)
  })

  it('is nobody any more: not to add, to name, to act as, or to make again', async () => {
    await create('gone')
    const room = await channel('group', ['amy'])
    await service.call('DELETE /v1/users/gone')
    expect(await gist('DELETE /v1/users/gone')).toEqual([404, 'entity_not_found'])
    expect(await gist(`POST /v1/channels/${room}/participants`, { body: { participantId: 'gone' } })).toEqual([404, 'entity_not_found'])
    expect(await gist(`POST /v1/channels/${room}/messages`, { body: { textPayload: 'a', senderId: 'gone' } })).toEqual([404, 'entity_not_found'])
    expect(await gist(`POST /v1/channels/${room}/timeline`, { body: { type: 'a', eventTimeMs: 1, subject: 'gone' } })).toEqual([404, 'entity_not_found'])
    expect(await gist('GET /v1/users/me', { headers: { 'x-mitter-sudo-user-id': 'gone' } })).toEqual([404, 'entity_not_found'])
    expect(await create('gone')).toEqual([409, 'duplicate_entity'])
    expect(await create('.deleted')).toEqual([400, 'invalid_domain_attribute'])
  })

  it('hands its channel to whoever has been active longest', async () => {
    await create('owner')
    const { signedToken } = await tokenOf('owner')
    const room = (await service.call('POST /v1/channels', { ...showing(signedToken), body: { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: [{ participantId: 'bob' }] } })).json().identifier
    await service.call(`POST /v1/channels/${room}/participants`, { as: 'amy', body: { participantId: 'amy' } })
    await service.call('DELETE /v1/users/owner')
    expect((await get(`/v1/channels/${room}/participants`)).map((one: { participantId: { identifier: string }, roles: string[] }) => [one.participantId.identifier, ...one.roles])).toEqual([['bob', 'admin'], ['amy']])
  })
})

describe('a token', () => {
  it('that a user makes for itself is revoked with the one that made it', async () => {
    const first = await tokenOf('bob')
    const second = await tokenOf('me', showing(first.signedToken))
    const third = await tokenOf('me', showing(second.signedToken))
    expect(await gist('GET /v1/users/me', showing(third.signedToken))).toEqual([200])
    expect(await gist(`DELETE /v1/users/bob/tokens/${second.tokenId}`)).toEqual([204])
    expect(await gist('GET /v1/users/me', showing(first.signedToken))).toEqual([200])
    for (const { signedToken } of [second, third]) expect(await gist('GET /v1/users/me', showing(signedToken))).toEqual([401, 'claim_rejected'])
  })

  it('is revoked together with others, comma-separated, and is then no token to list or revoke', async () => {
    const [one, two] = [await tokenOf('bob'), await tokenOf('bob')]
    expect(await gist(`DELETE /v1/users/me/tokens/${one.tokenId},${two.tokenId}`, { as: 'bob' })).toEqual([204])
    const listed = (await get('/v1/users/bob/tokens')).map(({ tokenId }: { tokenId: string }) => tokenId)
    for (const { signedToken, tokenId } of [one, two]) {
      expect(listed).not.toContain(tokenId)
      expect(await gist('GET /v1/users/me', showing(signedToken))).toEqual([401, 'claim_rejected'])
      expect(await gist(`DELETE /v1/users/bob/tokens/${tokenId}`)).toEqual([404, 'entity_not_found'])
    }
  })

  it('of another user is not found, even by the application', async () => {
    const { tokenId } = await tokenOf('bob')
    expect(await gist(`DELETE /v1/users/amy/tokens/${tokenId}`)).toEqual([404, 'entity_not_found'])
    expect(await gist('GET /v1/users/bob/tokens', { as: 'amy' })).toEqual([403, 'missing_privilege'])
  })

  it('decodes as the SDKs read it, and says for whom it is', async () => {
    const { signedToken, tokenId } = await tokenOf('amy')
    const claims = JSON.parse(atob(signedToken.split('.')[1]!))
    expect(claims).toMatchObject({ iss: 'mitter-io', userTokenId: tokenId, userId: 'amy', applicationId: 'application-1', usertoken: expect.any(String), exp: expect.any(Number) })
    expect(JSON.parse(atob(signedToken.split('.')[0]!)).alg).toBe('HS512')
  })

  it('is shown under either header, and both must be the same user\'s', async () => {
    const [amy, bob] = [await tokenOf('amy'), await tokenOf('bob')]
    expect((await service.call('GET /v1/users/me', { as: null, headers: { 'x-issued-mitter-user-authorization': amy.signedToken } })).json().userId).toBe('amy')
    const both = (other: string) => ({ as: null, headers: { authorization: `Bearer ${amy.signedToken}`, 'x-issued-mitter-user-authorization': other } })
    expect(await gist('GET /v1/users/me', both(amy.signedToken))).toEqual([200])
    expect(await gist('GET /v1/users/me', both(bob.signedToken))).toEqual([401, 'claim_rejected'])
  })
})

describe('the application as a user', () => {
  it('is that user, with its rights and no more', async () => {
    const as = (userId: string) => ({ headers: { 'x-mitter-sudo-user-id': userId } })
    const room = await channel('group', ['amy'], { groupType: 'private' })
    expect((await service.call(`POST /v1/channels/${room}/messages`, { ...as('amy'), body: { textPayload: 'a' } })).json().senderId).toEqual({ identifier: 'amy' })
    expect(await gist(`POST /v1/channels/${room}/messages`, { ...as('bob'), body: { textPayload: 'a' } })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
    expect((await service.call('GET /v1/users/me', as('amy'))).json().userId).toBe('amy')
    expect(await gist('GET /v1/users', as('amy'))).toEqual([403, 'missing_privilege'])
    expect(await gist('POST /v1/users/me/event-tokens', as('amy'))).toEqual([200])
    await send(room, 'b')
  })

  it('without one has no token and no "me"', async () => {
    for (const request of ['POST /v1/users/me/event-tokens', 'GET /v1/users/me/logout', 'POST /v1/users/me/tokens', 'DELETE /v1/users/me', 'GET /v1/users/me/channels']) {
      expect([request, ...await gist(request)]).toEqual([request, 400, 'missing_context'])
    }
  })
})
