/** The four rulesets, at creation and on every later change (protocol 3). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo, RULESETS, type Gist } from './calls.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy', 'bob', 'cleo']) })
afterAll(() => service.stop())
const { get, gist, channel } = callsTo(() => service)

const VIOLATION_AT_CREATION: Gist = [400, 'channel_ruleset_violation']
const VIOLATION_LATER: Gist = [409, 'channel_ruleset_violation']

type Name = keyof typeof RULESETS
/** How creating a channel ends, by a user or, without one, by the application. */
const creating = async (name: Name, participants: unknown[], as?: string, more: object = {}) => await gist('POST /v1/channels', {
  ...(as === undefined ? {} : { as }),
  body: { defaultRuleSet: RULESETS[name], participation: participants.map(one => typeof one === 'string' ? { participantId: one } : one), ...more }
})
const membersOf = async (channelId: string) => (await get(`/v1/channels/${channelId}/participants?participationStatus=Active,ReadOnly,Disabled`))
  .map((one: { participantId: { identifier: string }, relayStatus: string, roles: string[] }) => [one.participantId.identifier, one.relayStatus, ...one.roles].join(' ')).sort()

describe('at creation', () => {
  it.each<[Name, string[], string | undefined, Gist]>([
    ['direct', [], undefined, VIOLATION_AT_CREATION],
    ['direct', ['amy'], undefined, VIOLATION_AT_CREATION],
    ['direct', ['amy'], 'amy', VIOLATION_AT_CREATION],
    ['direct', ['amy', 'bob'], undefined, [200]],
    ['direct', ['amy', 'bob'], 'amy', [200]],
    ['direct', ['amy', 'bob'], 'bob', [200]],
    ['direct', ['amy', 'bob'], 'cleo', VIOLATION_AT_CREATION],
    ['direct', ['bob'], 'amy', VIOLATION_AT_CREATION],
    ['direct', ['amy', 'bob', 'cleo'], undefined, VIOLATION_AT_CREATION],
    ['group', [], undefined, [200]],
    ['group', [], 'amy', [200]],
    ['group', ['bob', 'cleo'], 'amy', [200]],
    ['single', [], undefined, VIOLATION_AT_CREATION],
    ['single', [], 'amy', VIOLATION_AT_CREATION],
    ['single', ['amy'], undefined, [200]],
    ['single', ['amy'], 'amy', [200]],
    ['single', ['amy'], 'bob', VIOLATION_AT_CREATION],
    ['single', ['amy', 'bob'], undefined, VIOLATION_AT_CREATION],
    ['system', [], undefined, VIOLATION_AT_CREATION],
    ['system', ['amy'], undefined, [200]],
    ['system', ['amy'], 'amy', [200]],
    ['system', ['amy'], 'bob', VIOLATION_AT_CREATION],
    ['system', ['amy', 'bob'], undefined, VIOLATION_AT_CREATION]
  ])('a %s channel of %j by %s', async (name, participants, as, expected) => {
    expect(await creating(name, participants, as)).toEqual(expected)
  })

  it('two participants are two users: the same one twice is refused, however it is written', async () => {
    expect(await creating('direct', ['amy', { participantId: { identifier: 'amy' } }], 'amy')).toEqual([400, 'invalid_domain_attribute'])
  })

  it('participants are users that there are', async () => {
    for (const name of ['direct', 'group'] as const) expect(await creating(name, ['amy', 'nobody'], 'amy')).toEqual([404, 'entity_not_found'])
    for (const name of ['single', 'system'] as const) expect(await creating(name, ['nobody'])).toEqual([404, 'entity_not_found'])
  })

  it('the application is no participant but of a SystemChannel, where it is the admin', async () => {
    expect(await membersOf(await channel('system', ['amy']))).toEqual(['.system active admin', 'amy active'])
    expect(await membersOf(await channel('system', ['amy'], {}, 'amy'))).toEqual(['.system active admin', 'amy active'])
    expect(await membersOf(await channel('direct', ['amy', 'bob']))).toEqual(['amy active', 'bob active'])
    expect(await membersOf(await channel('single', ['amy']))).toEqual(['amy active'])
    expect(await membersOf(await channel('group', []))).toEqual([])
    expect(await creating('group', ['.system'])).toEqual([404, 'entity_not_found'])
  })

  it('only a SystemChannel is a system channel', async () => {
    for (const [name, participants] of [['direct', ['amy', 'bob']], ['group', []], ['single', ['amy']]] as const) {
      expect(await creating(name, [...participants], undefined, { systemChannel: true })).toEqual(VIOLATION_AT_CREATION)
      expect((await get(`/v1/channels/${await channel(name, [...participants], { systemChannel: false })}`)).systemChannel).toBe(false)
    }
    expect((await get(`/v1/channels/${await channel('system', ['amy'])}`)).systemChannel).toBe(true)
    expect((await get(`/v1/channels/${await channel('system', ['amy'], { systemChannel: true })}`)).systemChannel).toBe(true)
  })

  it.each<[Name, string[], string[]]>([
    ['direct', ['amy', 'bob'], ['private']],
    ['group', ['amy'], ['public', 'private', 'strict_private']],
    ['system', ['amy'], ['strict_private']],
    ['single', ['amy'], ['private']]
  ])('a %s channel has one of its group types, by default the first', async (name, participants, allowed) => {
    expect((await get(`/v1/channels/${await channel(name, participants)}`)).groupType).toBe(allowed[0])
    for (const groupType of ['public', 'private', 'strict_private']) {
      if (!allowed.includes(groupType)) expect(await creating(name, participants, undefined, { groupType })).toEqual(VIOLATION_AT_CREATION)
      else expect((await get(`/v1/channels/${await channel(name, participants, { groupType })}`)).groupType).toBe(groupType)
    }
  })

  it.each(['io.mitter.chats.GroupChat', 'io.mitter.chats.GroupChannel', RULESETS.group])('%s is stored as GroupChat', async (defaultRuleSet) => {
    expect((await get(`/v1/channels/${await channel('group', [], { defaultRuleSet })}`)).defaultRuleSet).toBe(RULESETS.group)
  })

  it.each(['', 'GroupChat', 'io.mitter.chats.DirectMessage', 'io.mitter.ruleset.chats.groupchat', 'constructor', `${RULESETS.group} `])('%j is no ruleset', async (defaultRuleSet) => {
    const response = await service.call('POST /v1/channels', { as: 'amy', body: { defaultRuleSet } })
    expect([response.statusCode, response.json().errorCode, response.json().diagnostics]).toEqual([400, 'invalid_domain_attribute', { field: 'body/defaultRuleSet' }])
    expect(response.json().message).toContain(RULESETS.direct)
  })

  it('by a user gives nobody a status or a role, with any ruleset', async () => {
    for (const more of [{ participationStatus: 'ReadOnly' }, { participationStatus: 'Disabled' }, { roles: ['admin'] }]) {
      expect(await creating('group', [{ participantId: 'bob', ...more }], 'amy')).toEqual([403, 'missing_privilege'])
      expect(await creating('direct', ['amy', { participantId: 'bob', ...more }], 'amy')).toEqual([403, 'missing_privilege'])
    }
  })

  it('makes its user the active admin of a GroupChat, whatever it lists itself as', async () => {
    const participation = [{ participantId: 'amy', participationStatus: 'ReadOnly' }, { participantId: 'bob' }]
    expect(await membersOf(await channel('group', [], { participation }, 'amy'))).toEqual(['amy active admin', 'bob active'])
  })

  it('takes 1,000 participants', async () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => `many-${index}`)
    for (const userId of ids) await service.store.append({ type: 'create-user', actor: '.system', userId, userLocators: [], systemUser: false })
    const channelId = await channel('group', ids)
    expect(await get(`/v1/channels/${channelId}/participants`)).toHaveLength(1_000)
  })
})

describe('later', () => {
  const fixed: Array<[Name, string[]]> = [['direct', ['amy', 'bob']], ['single', ['amy']], ['system', ['amy']]]

  it.each(fixed)('the participants of a %s channel never change', async (name, participants) => {
    const channelId = await channel(name, participants)
    const path = `/v1/channels/${channelId}/participants`
    const before = await membersOf(channelId)
    expect(await gist(`POST ${path}`, { as: 'cleo', body: { participantId: 'cleo' } })).toEqual(VIOLATION_LATER)
    expect(await gist(`POST ${path}`, { body: { participantId: 'cleo' } })).toEqual(VIOLATION_LATER)
    expect(await gist(`POST ${path}`, { as: 'amy', body: { participantId: 'amy' } })).toEqual(VIOLATION_LATER)
    for (const user of ['me', 'amy']) expect(await gist(`DELETE ${path}/${user}`, { as: 'amy' })).toEqual(VIOLATION_LATER)
    for (const user of ['amy', '.system', 'cleo']) expect(await gist(`DELETE ${path}/${user}`)).toEqual(VIOLATION_LATER)
    expect(await gist(`POST ${path}/amy/accept`)).toEqual(VIOLATION_LATER)
    expect(await gist(`POST ${path}/amy/reject`, { as: 'amy' })).toEqual(VIOLATION_LATER)
    expect(await gist(`PATCH ${path}/amy`, { body: { newStatus: 'Disabled' } })).toEqual(VIOLATION_LATER)
    expect(await membersOf(channelId)).toEqual(before)
  })

  it('the participants of a GroupChat do', async () => {
    const channelId = await channel('group', ['amy'])
    expect(await gist(`POST /v1/channels/${channelId}/participants`, { as: 'cleo', body: { participantId: 'cleo' } })).toEqual([204])
    expect(await gist(`DELETE /v1/channels/${channelId}/participants/amy`)).toEqual([204])
    expect(await membersOf(channelId)).toEqual(['cleo active'])
  })

  it('the application joins nothing and leaves nothing', async () => {
    const channelId = await channel('group', ['amy'])
    expect(await gist(`POST /v1/channels/${channelId}/participants`, { body: { participantId: '.system' } })).toEqual([404, 'entity_not_found'])
    expect(await gist(`DELETE /v1/channels/${channelId}/participants/.system`)).toEqual([404, 'entity_not_found', 'user_not_in_group'])
  })

  it('the application\'s own part in a SystemChannel stays as it is: its user gets no power over the channel', async () => {
    const channelId = await channel('system', ['amy'])
    for (const body of [{ newStatus: 'ReadOnly' }, { newStatus: 'Disabled' }, { newStatus: 'Active' }, { roles: [] }]) {
      expect(await gist(`PATCH /v1/channels/${channelId}/participants/.system`, { body })).toEqual([409, 'channel_ruleset_violation'])
    }
    expect(await gist(`PATCH /v1/channels/${channelId}/participants/amy`, { as: 'amy', body: { roles: ['admin'] } })).not.toEqual([200])
  })

  it('the user of a SystemChannel may write there, and the application may make it read-only', async () => {
    const channelId = await channel('system', ['amy'])
    const send = async () => await gist(`POST /v1/channels/${channelId}/messages`, { as: 'amy', body: { textPayload: 'a' } })
    expect(await send()).toEqual([200])
    expect(await gist(`POST /v1/channels/${channelId}/participants/amy/mute`)).toEqual([204])
    expect(await send()).toEqual([403, 'missing_privilege', 'muted'])
    expect(await gist(`POST /v1/channels/${channelId}/participants/amy/unmute`)).toEqual([204])
    expect(await send()).toEqual([200])
  })
})
