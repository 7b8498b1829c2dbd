/** docs/access.md, "What streams carry", sentence by sentence: live, and at a resume from before it all. */
import { beforeEach, expect, it } from 'vitest'
import { carried, gists, goodbye, join, say, setStatus, subscribe, theApp, theWorld, useStage } from '../relay/stage.ts'
import { SYSTEM } from '../relay/steps.ts'
import { openReader, type Reader } from '../support/sse.ts'
import { make, named, NOTE_ACLS, read, ROOM_ACLS, set, tell } from './lists-calls.ts'

useStage()

/** amy is admin of `room`, bob is in it, cleo asked to join, and dan is a stranger. */
beforeEach(async () => {
  expect((await make('amy', { groupType: 'private', participation: [{ participantId: '{bob}' }] })).said).toBe('200')
  expect(await join('cleo')).toBe('204')
})

const call = async (by: string, method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<string> => (await theWorld().call(by, method, named(path), body && named(body))).said

let bells = 0

/** A stream of all that is somebody's, once it has carried what is made for it last. */
async function carriedByOwn (user: string, reader: Reader): Promise<string[]> {
  const name = `bell-${++bells}`
  expect((await make(SYSTEM, { channelId: `{${name}}`, participation: [{ participantId: `{${user}}` }] })).said).toBe('200')
  await reader.until(({ json }) => json.channel?.channelId === theWorld().id(name))
  return gists(reader).filter(line => !line.includes('bell'))
}

/** What a stream carries that resumes where another began. */
async function resumed (by: string, { frames }: Reader, path = '/v1/users/me/events'): Promise<string[]> {
  const reader = await openReader(theApp().url + named(path), { ...theWorld().headers(by), 'last-event-id': frames[0]!.id! })
  await reader.until('caught-up')
  reader.close()
  await reader.ended
  return gists(reader).filter(line => !line.includes('bell'))
}

it('a stream of a user carries channels in which it is a participant of any status and may read', async () => {
  const [cleo, dan] = [await subscribe('cleo', 'me'), await subscribe('dan', 'me')]
  expect(await say('bob', 'unheard')).toBe('200')
  expect((await set(SYSTEM, ROOM_ACLS, '+read_from_channel:any_user()')).said).toBe('204')
  expect(await say('bob', 'heard')).toBe('200')
  const lines = ['channel-acls-changed room', 'message room bob heard']
  expect([await carriedByOwn('cleo', cleo), await carriedByOwn('dan', dan)]).toEqual([lines, []])
  expect([await resumed('cleo', cleo), await resumed('dan', dan)]).toEqual([lines, []])
})

it('and, from whatever channel, messages that name it, with all that becomes of them', async () => {
  const dan = await subscribe('dan', 'me')
  expect((await tell(SYSTEM, 'For Dan', { messageId: '{note}', senderId: '{bob}', appliedAcls: '+read_message:user({dan}),+read_message:user({bob})' })).body.relay.recipientsCount).toBe(2)
  expect(await call('bob', 'PATCH', '/v1/channels/{room}/messages/{note}', { textPayload: 'For you' })).toBe('200')
  expect(await call('dan', 'POST', '/v1/channels/{room}/messages/{note}/timeline', { type: 'mitter.mtet.ReadTime', eventTimeMs: 1, subject: '{dan}' })).toBe('200')
  expect(await say('bob', 'not for Dan')).toBe('200')
  const lines = ['message room bob For Dan', 'message-updated room note bob For you edited', 'message-timeline room note [mitter.mtet.ReadTime dan]']
  expect(await carriedByOwn('dan', dan)).toEqual(lines)
  expect(await resumed('dan', dan)).toEqual(lines)
  expect((await read('dan', '/v1/channels/{room}/messages')).said).toBe('403 user_not_in_group')

  expect(await call(SYSTEM, 'DELETE', '/v1/channels/{room}/messages')).toBe('204')
  expect((await tell(SYSTEM, 'Still there?', { appliedAcls: '+read_message:user({dan})' })).said).toBe('200')
  expect(await call(SYSTEM, 'DELETE', '/v1/channels/{room}')).toBe('204')
  const gone = ['messages-truncated room', 'message room .system Still there?', 'channel-deleted room']
  expect((await carriedByOwn('dan', dan)).slice(lines.length)).toEqual(gone)
  expect(await resumed('dan', dan)).toEqual(['messages-truncated room', 'channel-deleted room'])
})

it('a stream of a channel opens for whoever may read from it, strangers too, and ends with that right', async () => {
  expect((await theWorld().take({ do: 'stream', by: 'dan', channel: 'room' })).said).toBe('403 user_not_in_group')
  await set(SYSTEM, ROOM_ACLS, '+read_from_channel:any_user()')
  const [bob, dan] = [await subscribe('bob'), await subscribe('dan')]
  expect(await say('bob', 'Hello')).toBe('200')
  await set(SYSTEM, ROOM_ACLS, '+read_from_channel:participant({room})')
  expect(await goodbye(dan)).toBe('bye removed')
  expect(gists(dan)).toEqual(['message room bob Hello', 'channel-acls-changed room'])
  expect(dan.frames.find(({ event }) => event === 'channel-acls-changed')!.json).not.toHaveProperty('appliedAcls')
  expect(await say('bob', 'Among us')).toBe('200')
  expect(await carried(bob)).toEqual([['message room bob Hello', 'channel-acls-changed room', 'message room bob Among us']])
})

it('and under a mute, where lists say so', async () => {
  await set(SYSTEM, ROOM_ACLS, '+read_from_channel:participant({room}:Active)')
  const [ofRoom, ofBob, amy] = [await subscribe('bob'), await subscribe('bob', 'me'), await subscribe('amy')]
  expect(await setStatus('bob', 'ReadOnly')).toBe('200')
  expect(await goodbye(ofRoom)).toBe('bye removed')
  expect(await say('amy', 'unheard')).toBe('200')
  expect(await setStatus('bob', 'Active')).toBe('200')
  expect(await say('amy', 'heard')).toBe('200')
  const statuses = ['participation room bob Active to ReadOnly, muted', 'participation room bob ReadOnly to Active, active']
  expect(await carried(ofBob, amy)).toEqual([
    [...statuses, 'message room amy heard'], [statuses[0], 'message room amy unheard', statuses[1], 'message room amy heard']
  ])
  expect(await resumed('bob', ofBob)).toEqual([...statuses, 'message room amy heard'])
})

it('whose right to read ends gets nothing more, whose right begins gets what comes from there on', async () => {
  const [bob, cleo] = [await subscribe('bob', 'me'), await subscribe('cleo', 'me')]
  await set(SYSTEM, ROOM_ACLS, '+read_from_channel:participant({room}:Disabled)')
  expect(await say('bob', 'unseen by who sends it')).toBe('200')
  const lines = [['channel-acls-changed room'], ['channel-acls-changed room', 'message room bob unseen by who sends it']]
  expect([await carriedByOwn('bob', bob), await carriedByOwn('cleo', cleo)]).toEqual(lines)
  expect([await resumed('bob', bob), await resumed('cleo', cleo)]).toEqual(lines)
  expect(bob.frames.find(({ event }) => event === 'channel-acls-changed')!.json).not.toHaveProperty('appliedAcls')
  expect((await read('bob', '/v1/channels/{room}')).body).toHaveProperty('appliedAcls')
})

it('a change of a message\'s lists is an update for who may read it then, a deletion for who may no more', async () => {
  expect((await tell('amy', 'Hello', { messageId: '{note}' })).said).toBe('200')
  const [bob, dan] = [await subscribe('bob', 'me'), await subscribe('dan', 'me')]
  await set(SYSTEM, NOTE_ACLS, '+read_message:user({dan})')
  await set(SYSTEM, NOTE_ACLS, '+read_message:admin({room})')
  const lines = [['message-deleted room note'], ['message-updated room note amy Hello', 'message-deleted room note']]
  expect([await carriedByOwn('bob', bob), await carriedByOwn('dan', dan)]).toEqual(lines)
  expect([await resumed('bob', bob), (await resumed('dan', dan)).at(-1)]).toEqual([lines[0], 'message-deleted room note'])
})
