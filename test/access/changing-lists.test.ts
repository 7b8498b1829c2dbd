/** `PATCH …/acls` and `GET …/acls`: who may, what they do and say, and what of it is told on streams. */
import { beforeEach, describe, expect, it } from 'vitest'
import { carried, subscribe, theWorld, useStage } from '../relay/stage.ts'
import { SYSTEM } from '../relay/steps.ts'
import { applicationAcls, make, missing, named, NOTE_ACLS, own, patch, read, refusal, ROOM_ACLS, set, tell } from './lists-calls.ts'

useStage()

/** amy is admin of `room`, bob and cleo are in it; bob has sent `note`. */
beforeEach(async () => {
  expect((await make('amy', { groupType: 'private', participation: [{ participantId: '{bob}' }, { participantId: '{cleo}' }] })).said).toBe('200')
  expect((await tell('bob', 'Hello', { messageId: '{note}' })).said).toBe('200')
})

const onlyAmy = 'send_to_channel:user({amy})'
const lists = (plusAppliedAcls: string[], minusAppliedAcls: string[] = []) => named({ plusAppliedAcls, minusAppliedAcls })

describe('changing lists', () => {
  it('is for the application: neither for an admin nor for a sender', async () => {
    for (const [by, path] of [['amy', ROOM_ACLS], ['bob', ROOM_ACLS], ['bob', NOTE_ACLS], ['amy', applicationAcls()]] as const) {
      const answer = await set(by, path, '')
      expect(refusal(answer), `${by} ${path}`).toEqual([403, 'missing_privilege', undefined, undefined])
    }
    for (const path of [ROOM_ACLS, NOTE_ACLS, applicationAcls()]) expect((await set(SYSTEM, path, '')).said).toBe('204')
  })

  it('is for who has modify_acl, a stranger too', async () => {
    await set(SYSTEM, ROOM_ACLS, '+modify_acl:user({dan})')
    expect((await set('dan', ROOM_ACLS, `+${onlyAmy}`)).said).toBe('204')
    expect((await set('dan', ROOM_ACLS, '')).said).toBe('403')
    expect(await own(ROOM_ACLS)).toEqual(lists([onlyAmy]))
    await set(SYSTEM, NOTE_ACLS, '+modify_acl:user({cleo})')
    expect((await read('cleo', '/v1/messages/{note}')).said).toBe('404')
    expect((await set('cleo', NOTE_ACLS, '+read_message:any_user(),+modify_acl:user({cleo})')).said).toBe('204')
    expect((await read('cleo', '/v1/messages/{note}')).said).toBe('200')
  })

  it('of a message that one may not read is 404', async () => {
    await set(SYSTEM, NOTE_ACLS, '+read_message:user({bob})')
    for (const by of ['amy', 'dan']) expect((await set(by, NOTE_ACLS, '')).said).toBe('404')
    expect((await set('bob', NOTE_ACLS, '')).said).toBe('403')
    expect((await set(SYSTEM, '/v1/messages/not-there/acls', '')).said).toBe('404')
  })

  it('of a message names users who do not receive the channel by the application only; those who are there already may stay', async () => {
    await set(SYSTEM, NOTE_ACLS, '+read_message:user({dan}),+read_message:user({bob}),+modify_acl:user({bob})')
    expect((await patch('bob', NOTE_ACLS, { patchType: 'Diff', addAcls: '+read_message:user({cleo})' })).said).toBe('204')
    await theWorld().people('eve')
    const { status, body } = await patch('bob', NOTE_ACLS, { patchType: 'Diff', addAcls: '+read_message:user({eve})' })
    expect([status, body.errorCode]).toEqual([403, 'missing_privilege'])
    expect((await read('dan', '/v1/messages/{note}')).said).toBe('200')
  })

  it('sets others in the place of those that are there', async () => {
    await set(SYSTEM, ROOM_ACLS, `+${onlyAmy},-join_channel:any_user()`)
    expect(await own(ROOM_ACLS)).toEqual(lists([onlyAmy], ['join_channel:any_user()']))
    await set(SYSTEM, ROOM_ACLS, { plusAppliedAcls: ['send_to_channel:any_user()'] })
    expect(await own(ROOM_ACLS)).toEqual(lists(['send_to_channel:any_user()']))
    expect((await tell('dan', 'I am no member')).said).toBe('200')
  })

  it('adds entries and takes entries out, on each side by itself', async () => {
    await set(SYSTEM, ROOM_ACLS, `+${onlyAmy},-join_channel:any_user()`)
    await patch(SYSTEM, ROOM_ACLS, { patchType: 'Diff', addAcls: { plusAppliedAcls: ['send_to_channel:user({bob})'] }, removeAcls: { minusAppliedAcls: ['join_channel:any_user()'] } })
    expect(await own(ROOM_ACLS)).toEqual(lists([onlyAmy, 'send_to_channel:user({bob})']))
    await patch(SYSTEM, ROOM_ACLS, { patchType: 'Diff', removeAcls: { minusAppliedAcls: [onlyAmy], plusAppliedAcls: [onlyAmy, 'send_to_channel:any_user()'] } })
    expect(await own(ROOM_ACLS)).toEqual(lists(['send_to_channel:user({bob})']))
    expect([(await tell('amy', 'I?')).said, (await tell('bob', 'I')).said]).toEqual(['403', '200'])
  })

  it('is told once, with the lists, and not at all where nothing changes', async () => {
    const [amy, ofRoom] = [await subscribe('amy', 'me'), await subscribe('cleo')]
    await set(SYSTEM, ROOM_ACLS, `+${onlyAmy},-join_channel:any_user()`)
    for (const unchanged of [
      { patchType: 'Set', setAcls: `-join_channel:any_user(),+${onlyAmy},+${onlyAmy}` }, { patchType: 'Diff', addAcls: { plusAppliedAcls: [onlyAmy] } },
      { patchType: 'Diff', removeAcls: '+join_channel:any_user()' }, { patchType: 'Diff', addAcls: `+${onlyAmy}`, removeAcls: `+${onlyAmy}` }
    ]) expect((await patch(SYSTEM, ROOM_ACLS, unchanged)).said).toBe('204')
    await set(SYSTEM, NOTE_ACLS, '')
    expect(await carried(amy, ofRoom)).toEqual([['channel-acls-changed room'], ['channel-acls-changed room']])
    for (const { frames } of [amy, ofRoom]) {
      expect(frames.find(({ event }) => event === 'channel-acls-changed')!.json).toEqual({
        '@type': 'channel-acls-changed-payload',
        globalPipelinePayloadId: expect.any(String),
        channelId: { identifier: theWorld().id('room') },
        appliedAcls: lists([onlyAmy], ['join_channel:any_user()'])
      })
    }
  })

  it('of a message is an update for who may read it then, and a deletion for who may no more', async () => {
    const open = [await subscribe('amy', 'me'), await subscribe('bob'), await subscribe('cleo')]
    await set(SYSTEM, NOTE_ACLS, '-read_message:user({cleo})')
    await set(SYSTEM, NOTE_ACLS, '-read_message:user({cleo}),-read_message:user({amy})')
    const told = 'message-updated room note bob Hello'
    expect(await carried(...open)).toEqual([[told, 'message-deleted room note'], [told, told], ['message-deleted room note']])
    const { message } = open[1]!.frames.findLast(({ event }) => event === 'message-updated')!.json
    expect(message.appliedAcls).toEqual(lists([], ['read_message:user({cleo})', 'read_message:user({amy})']))
    expect(message).not.toHaveProperty('editedAt')
  })
})

describe('reading lists', () => {
  it('shows those of the entity, and what is in force', async () => {
    await set(SYSTEM, ROOM_ACLS, '+send_to_channel:admin({room}),-join_channel:any_user()')
    expect((await read('cleo', ROOM_ACLS)).body).toEqual({
      appliedAcls: lists(['send_to_channel:admin({room})'], ['join_channel:any_user()']),
      inForce: lists([
        'join_channel:any_user()', ...['Active', 'ReadOnly', 'Disabled'].map(status => `remove_self:participant({room}:${status})`),
        'list_participants:participant({room})', 'read_from_channel:participant({room})', 'send_to_channel:admin({room})'
      ], ['join_channel:any_user()'])
    })
    expect((await read('cleo', NOTE_ACLS)).body).toEqual({
      appliedAcls: lists([]),
      inForce: lists(['read_message:participant({room})', 'read_message:user({bob})', 'delete_message:user({bob})'])
    })
    expect((await read(SYSTEM, applicationAcls())).body).toEqual({ appliedAcls: lists([]), inForce: lists(['create_channel:any_user()']) })
  })

  it('is for who may read the entity; the application\'s are its own', async () => {
    expect((await read('dan', ROOM_ACLS)).status).toBe(403)
    expect((await read('dan', NOTE_ACLS)).said).toBe('404')
    expect((await read('amy', applicationAcls())).said).toBe('403')
    expect((await read(SYSTEM, '/v1/applications/another-one/acls')).said).toBe('404')
    expect((await read(SYSTEM, '/v1/channels/not-there/acls')).said).toBe('404 not_found')
    await set(SYSTEM, NOTE_ACLS, '+read_message:user({bob})')
    expect([(await read('bob', NOTE_ACLS)).said, (await read('cleo', NOTE_ACLS)).said]).toEqual(['200', '404'])
  })

  it('shows a user who was deleted since as .deleted', async () => {
    await set(SYSTEM, ROOM_ACLS, '+send_to_channel:user({bob}),-join_channel:user({dan})')
    await set(SYSTEM, NOTE_ACLS, '+read_message:any_user(),+delete_message:user({dan})')
    for (const user of ['bob', 'dan']) expect((await theWorld().take({ do: 'delete user', by: SYSTEM, user })).said).toBe('204')
    const gone = lists(['send_to_channel:user(.deleted)'], ['join_channel:user(.deleted)'])
    expect(await own(ROOM_ACLS)).toEqual(gone)
    expect((await read('amy', '/v1/channels/{room}')).body.appliedAcls).toEqual(gone)
    expect((await read('amy', '/v1/messages/{note}')).body.appliedAcls).toEqual(lists(['read_message:any_user()', 'delete_message:user(.deleted)']))
    expect(refusal(await tell('amy', 'Nobody sends here'))).toEqual(missing('send_to_channel'))
  })
})
