/** Which channels are listed for whom, and who is in the list of one's own (protocol 3). */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo, RULESETS } from './calls.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy', 'bob']) })
afterAll(() => service.stop())
const { get, gist, channel, total } = callsTo(() => service)

/** Made anew for each test, and taken away after it. */
let ids: Record<keyof typeof RULESETS, string>
beforeEach(async () => {
  ids = { direct: await channel('direct', ['amy', 'bob']), group: await channel('group', ['bob'], {}, 'amy'), system: await channel('system', ['amy']), single: await channel('single', ['amy']) }
})
afterEach(async () => {
  for (const { channelId } of await get('/v1/channels?includeSystemChannels=true&limit=200')) await service.call(`DELETE /v1/channels/${channelId}`)
})
/** Names of the rulesets of what a list holds, in its order. */
const listed = async (path: string, as?: string) => (await get(path, as))
  .map(({ identifier }: { identifier: string }) => Object.entries(ids).find(([, id]) => id === identifier)?.[0])

describe('the list of all channels', () => {
  it('is newest first, and leaves SystemChannels out unless they are asked for', async () => {
    expect(await listed('/v1/channels')).toEqual(['single', 'group', 'direct'])
    expect(await listed('/v1/channels?includeSystemChannels=false')).toEqual(['single', 'group', 'direct'])
    expect(await listed('/v1/channels?includeSystemChannels=true')).toEqual(['single', 'system', 'group', 'direct'])
  })

  it('says exactly how many there are with and without them', async () => {
    expect([await total('/v1/channels?limit=1'), await total('/v1/channels?limit=1&includeSystemChannels=true')]).toEqual([3, 4])
    await service.call(`DELETE /v1/channels/${ids.system}`)
    expect([await total('/v1/channels'), await total('/v1/channels?includeSystemChannels=true')]).toEqual([3, 3])
    await service.call(`DELETE /v1/channels/${ids.group}`)
    expect([await total('/v1/channels'), await total('/v1/channels?includeSystemChannels=true')]).toEqual([2, 2])
  })

  it('is the application\'s, and so it is where the application acts as a user', async () => {
    expect(await gist('GET /v1/channels', { as: 'amy' })).toEqual([403, 'missing_privilege'])
    expect(await gist('GET /v1/channels', { headers: { 'x-mitter-sudo-user-id': 'amy' } })).toEqual([403, 'missing_privilege'])
  })

  it('does not filter by metadata: that is not there yet', async () => {
    expect(await gist('GET /v1/channels?metadata=a')).toEqual([501, 'not_implemented'])
  })
})

describe('the list of a user\'s channels', () => {
  it('holds those that it is in, for itself and for the application', async () => {
    expect(await listed('/v1/users/me/channels', 'amy')).toEqual(['single', 'group', 'direct'])
    expect(await listed('/v1/users/amy/channels', 'amy')).toEqual(['single', 'group', 'direct'])
    expect(await listed('/v1/users/bob/channels')).toEqual(['group', 'direct'])
    expect(await listed('/v1/users/me/channels?includeSystemChannels=true', 'amy')).toEqual(['single', 'system', 'group', 'direct'])
    expect(await gist('GET /v1/users/amy/channels', { as: 'bob' })).toEqual([403, 'missing_privilege'])
    expect(await gist('GET /v1/users/nobody/channels')).toEqual([404, 'entity_not_found'])
    expect(await gist('GET /v1/users/me/channels')).toEqual([400, 'missing_context'])
  })

  it('has for each its participation and the whole channel, and nothing else', async () => {
    const response = await service.call('GET /v1/users/me/channels?limit=1', { as: 'bob' })
    expect(response.headers['x-event-cursor']).toBeTruthy()
    const [participation] = (await get(`/v1/channels/${ids.group}/participants`)).filter((one: { participantId: { identifier: string } }) => one.participantId.identifier === 'bob')
    expect(response.json()).toEqual([{
      participationId: participation.channelParticipationId,
      identifier: ids.group,
      participationStatus: 'Active',
      channel: await get(`/v1/channels/${ids.group}`, 'bob')
    }])
  })

  it('can be of one ruleset, by its name or an alias, with its own total', async () => {
    for (const [name, ruleset] of Object.entries(RULESETS)) {
      const path = `/v1/users/amy/channels?includeSystemChannels=true&rulesetFilter=${ruleset}`
      expect([await listed(path), await total(path)]).toEqual([[name], 1])
    }
    expect(await listed('/v1/users/amy/channels?rulesetFilter=io.mitter.chats.GroupChat')).toEqual(['group'])
    expect(await gist('GET /v1/users/amy/channels?rulesetFilter=io.mitter.ruleset.chats.Unknown')).toEqual([400, 'invalid_domain_attribute'])
  })

  it('shows a SystemChannel only where it is asked for, whatever the filter', async () => {
    const path = `/v1/users/amy/channels?rulesetFilter=${RULESETS.system}`
    expect([await listed(path), await total(path)]).toEqual([[], 0])
  })

  it('shows pending, muted and disabled ones with their status', async () => {
    const pending = await channel('group', [], { groupType: 'private' })
    await service.call(`POST /v1/channels/${pending}/participants`, { as: 'bob', body: { participantId: 'bob' } })
    const participation = [{ participantId: 'bob', participationStatus: 'Disabled' }]
    const disabled = await channel('group', [], { participation })
    const muted = await channel('group', [], { participation: [{ participantId: 'bob', participationStatus: 'ReadOnly' }] })
    const statuses = (await get('/v1/users/me/channels?limit=3', 'bob')).map((one: { identifier: string, participationStatus: string }) => [one.identifier, one.participationStatus])
    expect(statuses).toEqual([[muted, 'ReadOnly'], [disabled, 'Disabled'], [pending, 'Disabled']])
    expect(await total('/v1/users/me/channels', 'bob')).toBe(5)
  })

  it('has an exact total after joins, leaves, removals and deletions', async () => {
    const path = `/v1/users/me/channels?rulesetFilter=${RULESETS.group}`
    const totals = async () => [await total('/v1/users/me/channels', 'bob'), await total(path, 'bob'), (await get('/v1/users/me/channels', 'bob')).length]
    expect(await totals()).toEqual([2, 1, 2])
    const another = await channel('group', [], {}, 'amy')
    await service.call(`POST /v1/channels/${another}/participants`, { as: 'bob', body: { participantId: 'bob' } })
    expect(await totals()).toEqual([3, 2, 3])
    await service.call(`DELETE /v1/channels/${another}/participants/me`, { as: 'bob' })
    expect(await totals()).toEqual([2, 1, 2])
    await service.call(`DELETE /v1/channels/${ids.group}/participants/bob`)
    expect(await totals()).toEqual([1, 0, 1])
    await service.call(`DELETE /v1/channels/${ids.direct}`)
    expect(await totals()).toEqual([0, 0, 0])
    await channel('group', ['bob'], { channelId: ids.direct })
    expect(await totals()).toEqual([1, 1, 1])
  })

  it('goes by pages whose cursor is the channel\'s id', async () => {
    const path = '/v1/users/amy/channels?includeSystemChannels=true'
    expect(await listed(`${path}&before=${ids.single}&limit=2`)).toEqual(['system', 'group'])
    expect(await listed(`${path}&after=${ids.direct}&limit=2`)).toEqual(['group', 'system'])
    expect(await listed(`${path}&entityCountOffset=2&limit=1`)).toEqual(['group'])
    expect(await gist(`GET ${path}&before=unknown-1`)).toEqual([404, 'entity_not_found', 'not_found'])
  })
})

describe('a deleted channel', () => {
  it('is gone for everyone at once, with its messages and participants', async () => {
    const messageId = (await service.call(`POST /v1/channels/${ids.group}/messages`, { as: 'amy', body: { textPayload: 'a' } })).json().messageId
    expect(await gist(`DELETE /v1/channels/${ids.group}`)).toEqual([204])
    const path = `/v1/channels/${ids.group}`
    for (const request of [`GET ${path}`, `GET ${path}/messages`, `GET ${path}/participants`, `GET ${path}/timeline`, `DELETE ${path}`, `DELETE ${path}/messages`, `DELETE ${path}/participants/me`]) {
      expect([request, ...await gist(request, request.endsWith('me') ? { as: 'amy' } : {})]).toEqual([request, 404, 'entity_not_found', 'not_found'])
    }
    expect(await gist(`POST ${path}/messages`, { as: 'amy', body: { textPayload: 'b' } })).toEqual([404, 'entity_not_found', 'not_found'])
    expect(await gist(`GET /v1/messages/${messageId}`, { as: 'amy' })).toEqual([404, 'entity_not_found'])
  })

  it('leaves its id to another channel, which has nothing of it', async () => {
    const first = await get(`/v1/channels/${ids.group}/participants`)
    await service.call(`POST /v1/channels/${ids.group}/messages`, { as: 'amy', body: { textPayload: 'a' } })
    await service.call(`POST /v1/channels/${ids.group}/timeline`, { as: 'amy', body: { type: 'seen', eventTimeMs: 1, subject: 'amy' } })
    await service.call(`DELETE /v1/channels/${ids.group}`)
    await channel('group', ['amy'], { channelId: ids.group, groupType: 'private' })
    const path = `/v1/channels/${ids.group}`
    expect([await get(`${path}/messages`), await total(`${path}/messages`), await get(`${path}/timeline`)]).toEqual([[], 0, []])
    const [participation, ...others] = await get(`${path}/participants`)
    expect(others).toEqual([])
    expect(first.map((one: { channelParticipationId: string }) => one.channelParticipationId)).not.toContain(participation.channelParticipationId)
    expect(await gist(`GET ${path}`, { as: 'bob' })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
  })
})
