/** `GET …/access`: who may ask about whom, and what it tells where something else than lists decides. */
import { beforeEach, describe, expect, it } from 'vitest'
import { theWorld, useStage } from '../relay/stage.ts'
import { SYSTEM } from '../relay/steps.ts'
import { make, named, NOTE_ACLS, read, ROOM_ACLS, set, tell } from './lists-calls.ts'

useStage()

/** amy is admin of `room`, bob and cleo are in it, dan is a stranger; bob has sent `note`. */
beforeEach(async () => {
  expect((await make('amy', { groupType: 'private', participation: [{ participantId: '{bob}' }, { participantId: '{cleo}' }] })).said).toBe('200')
  expect((await tell('bob', 'Hello', { messageId: '{note}' })).said).toBe('200')
})

const told = async (by: string, query: string) => await read(by, `/v1/channels/{room}/access?${query}`)

describe('asking', () => {
  it('is for the application and an active admin about anyone, for oneself about oneself', async () => {
    for (const [by, query, status] of [
      [SYSTEM, 'privilege=send_to_channel&userId={dan}', 200], ['amy', 'privilege=send_to_channel&userId={dan}', 200], ['bob', 'privilege=send_to_channel&userId={bob}', 200],
      ['bob', 'privilege=send_to_channel', 200], ['dan', 'privilege=send_to_channel', 200], ['bob', 'privilege=send_to_channel&userId={amy}', 403],
      ['dan', 'privilege=send_to_channel&userId={amy}', 403]
    ] as const) expect((await told(by, query)).status, `${by} ${query}`).toBe(status)
    await theWorld().take({ do: 'set status', by: SYSTEM, user: 'amy', channel: 'room', status: 'ReadOnly' })
    expect((await told('amy', 'privilege=send_to_channel&userId={bob}')).status).toBe(403)
  })

  it.each([
    ['', 400], ['privilege=fly', 400], ['privilege=create_channel', 400], ['privilege=read_message', 400], ['privilege=send_to_channel&messageId={note}', 400],
    ['privilege=toString', 400], ['privilege=send_to_channel&userId=not-there', 404], ['privilege=read_message&messageId=not-there', 404]
  ])('%s is %i', async (query, status) => {
    expect((await told(SYSTEM, query)).status).toBe(status)
  })

  it('in a channel that is not there is 404', async () => {
    expect((await read(SYSTEM, '/v1/channels/not-there/access?privilege=send_to_channel')).said).toBe('404 not_found')
  })
})

describe('the answer', () => {
  it('shows the entry to those who may read the entity, the status to all', async () => {
    await set(SYSTEM, ROOM_ACLS, '+send_to_channel:user({dan}),-send_to_channel:user({bob}),+send_to_channel:any_user()')
    expect((await told('dan', 'privilege=send_to_channel')).body).toEqual({ allowed: true, because: { rule: 'own-entry' } })
    const entry = named('send_to_channel:user({bob})')
    expect((await told('bob', 'privilege=send_to_channel')).body).toEqual({ allowed: false, because: { rule: 'minus-entry', entry, status: 'active' } })
    expect((await told('amy', 'privilege=send_to_channel&userId={dan}')).body).toEqual({ allowed: true, because: { rule: 'own-entry', entry: named('send_to_channel:user({dan})') } })
  })

  it('shows the default that allows', async () => {
    expect((await told('bob', 'privilege=send_to_channel')).body).toEqual({
      allowed: true, because: { rule: 'default', entry: named('send_to_channel:participant({room}:Active)'), status: 'active' }
    })
    expect((await told('dan', 'privilege=send_to_channel')).body).toEqual({ allowed: false, because: { rule: 'default' } })
  })

  it('says of a message what its channel and its sender make of it', async () => {
    expect((await told('bob', 'privilege=delete_message&messageId={note}')).body).toEqual({
      allowed: true, because: { rule: 'default', entry: named('delete_message:user({bob})'), status: 'active' }
    })
    expect((await told('cleo', 'privilege=delete_message&messageId={note}')).body).toEqual({ allowed: false, because: { rule: 'default', status: 'active' } })
    await set(SYSTEM, NOTE_ACLS, '+read_message:user({bob})')
    expect((await told('cleo', 'privilege=read_message&messageId={note}')).said).toBe('404')
    expect((await told(SYSTEM, 'privilege=read_message&messageId={note}&userId={cleo}')).body).toEqual({ allowed: false, because: { rule: 'no-entry', status: 'active' } })
  })

  it('is the application\'s rule for itself', async () => {
    expect((await told(SYSTEM, 'privilege=delete_channel')).body).toEqual({ allowed: true, because: { rule: 'application' } })
  })
})

describe('what no list allows', () => {
  const direct = { defaultRuleSet: 'io.mitter.ruleset.chats.DirectMessage', channelId: '{pair}', participation: [{ participantId: '{amy}' }, { participantId: '{bob}' }] }

  it('is decided by the ruleset, of the application too', async () => {
    const all = ['join_channel', 'remove_self', 'add_participant_to_channel', 'remove_participant']
    expect((await make(SYSTEM, { ...direct, appliedAcls: all.map(privilege => `+${privilege}:any_user()`).join(',') })).said).toBe('200')
    for (const privilege of all) {
      for (const by of ['amy', 'dan', SYSTEM]) {
        expect((await read(by, `/v1/channels/{pair}/access?privilege=${privilege}`)).body, `${by} ${privilege}`).toMatchObject({ allowed: false, because: { rule: 'ruleset' } })
      }
    }
    const world = theWorld()
    const pair = `/v1/channels/${world.id('pair')}/participants`
    expect((await world.call('dan', 'POST', pair, { participantId: world.id('dan') })).said).toBe('409')
    expect((await world.call('amy', 'POST', pair, { participantId: world.id('dan') })).said).toBe('409')
    expect((await world.call('amy', 'DELETE', `${pair}/me`)).said).toBe('409')
    expect((await world.call('amy', 'DELETE', `${pair}/${world.id('bob')}`)).said).toBe('409')
  })

  it('is decided by the group type: who is added to a private channel is pending, and nobody is muted in it', async () => {
    const world = theWorld()
    await set(SYSTEM, ROOM_ACLS, '+add_participant_to_channel:user({bob}),+modify_channel_participation:user({dan})')
    const added = await world.call('bob', 'POST', named('/v1/channels/{room}/participants'), named({ participantId: '{dan}', participationStatus: 'Active' }))
    expect([added.said, added.headers['x-relay-status']]).toEqual(['204', 'pending'])
    expect((await world.take({ do: 'mute', by: 'dan', user: 'cleo', channel: 'room' })).said).toBe('409 not_strict_private')
    expect((await world.take({ do: 'set status', by: 'dan', user: 'cleo', channel: 'room', status: 'ReadOnly' })).said).toBe('403')
    expect((await world.take({ do: 'set roles', by: 'dan', user: 'amy', channel: 'room', admin: false })).said).toBe('409')
    expect((await world.take({ do: 'accept', by: 'dan', user: 'dan', channel: 'room' })).said).toBe('403 not_admin')
    expect((await world.take({ do: 'accept', by: 'bob', user: 'dan', channel: 'room' })).said).toBe('204')
    expect(await world.members('room')).toEqual(['amy active admin', 'bob active', 'cleo active', 'dan active'])
  })

  it('takes nothing from an active admin who moderates', async () => {
    await set(SYSTEM, ROOM_ACLS, '+modify_channel_participation:user({bob}),-modify_channel_participation:user({amy})')
    expect((await told('amy', 'privilege=modify_channel_participation')).body).toMatchObject({ allowed: true, because: { rule: 'group-type', status: 'active' } })
    expect((await told('bob', 'privilege=modify_channel_participation')).body).toMatchObject({ allowed: true, because: { rule: 'own-entry', status: 'active' } })
    expect((await theWorld().take({ do: 'set roles', by: 'amy', user: 'cleo', channel: 'room', admin: true })).said).toBe('200')
  })
})
