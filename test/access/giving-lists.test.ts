/** Lists that channels and messages are made with: who may give them, in which spelling, and that they are in force from the start. */
import { describe, expect, it } from 'vitest'
import { theWorld, useStage } from '../relay/stage.ts'
import { SYSTEM } from '../relay/steps.ts'
import { make, missing, named, own, patch, read, refusal, ROOM_ACLS, set, tell } from './lists-calls.ts'

useStage()

const people = (...names: string[]) => names.map(name => ({ participantId: `{${name}}` }))
const members = { participation: people('bob', 'cleo') }
const lists = (...plusAppliedAcls: string[]) => ({ appliedAcls: { plusAppliedAcls } })
const onlyAmy = 'send_to_channel:user({amy})'

describe('a new channel', () => {
  it('has lists of the user who makes it, a GroupChat', async () => {
    expect((await make('amy', { ...members, ...lists(onlyAmy) })).said).toBe('200')
    expect((await read('bob', '/v1/channels/{room}')).body.appliedAcls).toEqual(named({ plusAppliedAcls: [onlyAmy], minusAppliedAcls: [] }))
    expect((await tell('amy', 'Hello')).said).toBe('200')
    expect(refusal(await tell('bob', 'Hello'))).toEqual(missing('send_to_channel'))
  })

  it.each([
    ['DirectMessage', people('amy', 'bob')], ['SingleParticipantChannel', people('amy')], ['SystemChannel', people('amy')]
  ])('of the ruleset %s has none of a user, but of the application', async (ruleset, participation) => {
    const body = { defaultRuleSet: `io.mitter.ruleset.chats.${ruleset}`, participation, ...lists(onlyAmy) }
    const { status, body: { errorCode } } = await make('amy', body)
    expect([status, errorCode]).toEqual([403, 'missing_privilege'])
    expect((await read(SYSTEM, '/v1/channels/{room}')).said).toBe('404 not_found')
    expect((await make('amy', { ...body, appliedAcls: null })).said).toBe('200')
    expect((await theWorld().call(SYSTEM, 'DELETE', named('/v1/channels/{room}'))).said).toBe('204')
    expect((await make(SYSTEM, body)).said).toBe('200')
    expect((await own(ROOM_ACLS)).plusAppliedAcls).toEqual(named([onlyAmy]))
  })

  it('shows lists wherever it is read, to everybody who gets it', async () => {
    expect((await make('amy', { ...members, groupType: 'public', ...lists(onlyAmy) })).said).toBe('200')
    const appliedAcls = named({ plusAppliedAcls: [onlyAmy], minusAppliedAcls: [] })
    expect((await read('dan', '/v1/channels/{room}')).body).toMatchObject({ appliedAcls })
    expect((await read('bob', '/v1/users/me/channels')).body).toMatchObject([{ channel: { appliedAcls } }])
    expect((await read(SYSTEM, '/v1/channels/{room},{room}')).body).toMatchObject([{ appliedAcls }])
  })
})

describe('a new message', () => {
  it('has lists of whoever sends it, and is for whom they name', async () => {
    await make('amy', { ...members, groupType: 'public' })
    const sent = await tell('amy', 'For Bob', { messageId: '{note}', ...lists('read_message:user({bob})', 'read_message:user({amy})') })
    const appliedAcls = named({ plusAppliedAcls: ['read_message:user({bob})', 'read_message:user({amy})'], minusAppliedAcls: [] })
    expect(sent.body).toMatchObject({ appliedAcls, relay: { recipientsCount: 2 } })
    expect((await read('bob', '/v1/messages/{note}')).body.appliedAcls).toEqual(appliedAcls)
    expect((await read('cleo', '/v1/messages/{note}')).said).toBe('404')
    for (const [who, texts] of [['bob', ['For Bob']], ['cleo', []]] as const) {
      expect((await read(who, '/v1/channels/{room}/messages')).body.map(({ textPayload }: { textPayload: string }) => textPayload)).toEqual(texts)
    }
  })

  it('that does not name its sender is in the answers to its sending and its edits, and 404 afterwards', async () => {
    await make('amy', members)
    expect((await tell('cleo', 'For Bob', { messageId: '{note}', ...lists('read_message:user({bob})') })).body).toMatchObject({ textPayload: 'For Bob' })
    expect((await read('cleo', '/v1/messages/{note}')).said).toBe('404')
    const edited = await patch('cleo', '/v1/channels/{room}/messages/{note}', { textPayload: 'For you, Bob' })
    expect(edited.body).toMatchObject({ textPayload: 'For you, Bob', editedAt: expect.any(Number) })
    expect((await read('bob', '/v1/messages/{note}')).body.textPayload).toBe('For you, Bob')
    expect((await read('cleo', '/v1/messages/{note}')).said).toBe('404')
    expect((await theWorld().call('cleo', 'DELETE', named('/v1/channels/{room}/messages/{note}'))).said).toBe('404')
  })

  it.each([
    ['a stranger', 'read_message:user({dan})'], ['a member who is pending', 'read_message:user({eve})'], ['a stranger, for another privilege', 'delete_message:user({dan})']
  ])('names %s in its plus list by the application only', async (_, entry) => {
    const world = theWorld()
    await world.people('eve')
    await make('amy', { ...members, groupType: 'private' })
    expect((await world.take({ do: 'join', by: 'eve', channel: 'room' })).said).toBe('204')
    const sent = await tell('amy', 'Psst', { messageId: '{note}', ...lists(entry) })
    expect([sent.status, sent.body.errorCode]).toEqual([403, 'missing_privilege'])
    expect((await read(SYSTEM, '/v1/messages/{note}')).said).toBe('404')
    expect((await tell('amy', 'Psst', { appliedAcls: { minusAppliedAcls: [entry] } })).said).toBe('200')
    expect((await tell(SYSTEM, 'Psst', { messageId: '{note}', ...lists(entry) })).said).toBe('200')
  })

  it('names its sender only where that receives the channel', async () => {
    await make('amy', { groupType: 'private', ...lists('send_to_channel:any_user()') })
    expect((await tell('dan', 'Let me in')).said).toBe('200')
    expect((await tell('dan', 'Let me in', lists('read_message:user({dan})'))).said).toBe('403')
    expect((await tell('dan', 'Let me in', lists('read_message:admin({room})'))).said).toBe('200')
  })
})

it('who may send as another is said by the application only', async () => {
  const entry = 'send_as_other_to_channel:user({bob})'
  const { status, body } = await make('amy', { ...members, ...lists(entry) })
  expect([status, body.errorCode]).toEqual([403, 'missing_privilege'])
  expect((await make('amy', { ...members, ...lists('modify_acl:user({amy})') })).said).toBe('200')
  expect((await set('amy', ROOM_ACLS, `+modify_acl:user({amy}),+${entry}`)).said).toBe('403')
  expect((await set(SYSTEM, ROOM_ACLS, `+modify_acl:user({amy}),+${entry}`)).said).toBe('204')
  expect((await patch('amy', ROOM_ACLS, { patchType: 'Diff', addAcls: `+${onlyAmy},+send_to_channel:user({bob})` })).said).toBe('204')
  expect((await tell('bob', 'In her name', { senderId: '{amy}' })).body.senderId).toEqual(named({ identifier: '{amy}' }))
  expect((await tell('bob', 'In nobody\'s name', { senderId: 'nobody-there' })).said).toBe('404')
})

describe('lists', () => {
  const spelled = '+send_to_channel:user({amy}), -send_to_channel:any_user(),+send_to_channel:user({amy}),'

  it('are an object or a string, and say the same', async () => {
    await make('amy', { appliedAcls: spelled })
    expect(await own(ROOM_ACLS)).toEqual(named({ plusAppliedAcls: [onlyAmy], minusAppliedAcls: ['send_to_channel:any_user()'] }))
    await set(SYSTEM, ROOM_ACLS, { minusAppliedAcls: ['join_channel:any_user()'], plusAppliedAcls: null })
    expect(await own(ROOM_ACLS)).toEqual({ plusAppliedAcls: [], minusAppliedAcls: ['join_channel:any_user()'] })
    await set(SYSTEM, ROOM_ACLS, spelled)
    expect(await own(ROOM_ACLS)).toEqual(named({ plusAppliedAcls: [onlyAmy], minusAppliedAcls: ['send_to_channel:any_user()'] }))
  })

  it.each([[null], [{}], [''], [{ plusAppliedAcls: [], minusAppliedAcls: [] }], [{ plusAppliedAcls: null }]])('%j are none', async appliedAcls => {
    expect((await make('amy', { ...members, appliedAcls })).said).toBe('200')
    expect((await read('amy', '/v1/channels/{room}')).body).not.toHaveProperty('appliedAcls')
    const sent = await tell('bob', 'Hello', { messageId: '{note}', appliedAcls })
    expect(sent.body).not.toHaveProperty('appliedAcls')
    expect((await read('cleo', '/v1/messages/{note}')).body).not.toHaveProperty('appliedAcls')
    await set(SYSTEM, ROOM_ACLS, `+${onlyAmy}`)
    expect((await set(SYSTEM, ROOM_ACLS, appliedAcls)).said).toBe('204')
    expect((await read('amy', '/v1/channels/{room}')).body).not.toHaveProperty('appliedAcls')
    expect((await tell('bob', 'Hello')).said).toBe('200')
  })
})
