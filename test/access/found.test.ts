/** What lists were seen to let through, or to say, that they must not. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { call } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

const GROUP_CHAT = 'io.mitter.ruleset.chats.GroupChat'
let on: TestApp
const as: Record<string, Record<string, string>> = {}
let rooms = 0

beforeAll(async () => {
  on = await startApp({ alone: true })
  for (const user of ['amy', 'bob', 'eve', 'out']) as[user] = await on.user(user)
  as['.system'] = on.application
})
afterAll(() => on.stop())

const ask = (who: string, method: string, path: string, body?: unknown) => call(on.url, method, path, as[who]!, body)

async function room (more: object = {}): Promise<string> {
  const channelId = `room-number-${++rooms}`
  expect((await ask('.system', 'POST', '/v1/channels', { channelId, defaultRuleSet: GROUP_CHAT, participation: [{ participantId: 'amy' }, { participantId: 'eve' }], ...more })).status).toBe(200)
  return channelId
}

it('whom a minus entry names, a user may still not name in a plus entry: nothing is pushed to a stranger', async () => {
  const stranger = await openReader(`${on.url}/v1/users/me/events`, as.out)
  await stranger.until('caught-up')
  const channelId = await room()
  const appliedAcls = { plusAppliedAcls: ['modify_acl:user(eve)', 'read_message:user(eve)'], minusAppliedAcls: ['read_message:user(out)'] }
  const { status, body } = await ask('eve', 'POST', `/v1/channels/${channelId}/messages`, { textPayload: 'buy', appliedAcls })
  expect(status).toBe(200)
  const moved = await ask('eve', 'PATCH', `/v1/messages/${body.messageId}/acls`, {
    patchType: 'Diff', addAcls: { plusAppliedAcls: ['read_message:user(out)'] }, removeAcls: { minusAppliedAcls: ['read_message:user(out)'] }
  })
  expect([moved.status, moved.body.diagnostics]).toEqual([403, { entry: 'read_message:user(out)' }])
  // Whatever comes is told of behind it.
  await ask('.system', 'POST', `/v1/channels/${channelId}/messages`, { textPayload: 'at last', appliedAcls: '+read_message:user(out)' })
  await stranger.until('message')
  expect(stranger.frames.map(({ event }) => event)).toEqual(['ready', 'caught-up', 'message'])
  stranger.close()
})

it('nor give to itself what the application took away: send_as_other_to_channel', async () => {
  const channelId = await room()
  const lists = { plusAppliedAcls: ['modify_acl:user(eve)'], minusAppliedAcls: ['send_as_other_to_channel:user(eve)'] }
  expect((await ask('.system', 'PATCH', `/v1/channels/${channelId}/acls`, { patchType: 'Set', setAcls: lists })).status).toBe(204)
  const moved = await ask('eve', 'PATCH', `/v1/channels/${channelId}/acls`, { patchType: 'Set', setAcls: { plusAppliedAcls: ['modify_acl:user(eve)', 'send_as_other_to_channel:user(eve)'] } })
  expect(moved.status).toBe(403)
})

it('what a channel began with is not told to a participant who may not read it, live or later', async () => {
  const bob = () => openReader(`${on.url}/v1/users/me/events?after=earliest`, as.bob)
  const live = await bob()
  await live.until('caught-up')
  const timelineEvents = [{ type: 'secret-plan', eventTimeMs: 5, subject: 'amy' }]
  const channelId = await room({ participation: [{ participantId: 'amy' }, { participantId: 'bob' }], timelineEvents, appliedAcls: '-read_from_channel:user(bob)' })
  const later = await bob()
  for (const reader of [live, later]) {
    const { json } = await reader.until(({ event, json }) => event === 'channel' && json.channel.channelId === channelId)
    expect(json.channel).toMatchObject({ timelineEvents: [], appliedAcls: { minusAppliedAcls: ['read_from_channel:user(bob)'] } })
    reader.close()
  }
  const { body } = await ask('amy', 'GET', `/v1/channels/${channelId}`)
  expect(body.timelineEvents).toHaveLength(1)
})

it('the lists of a private channel are not shown to the sender of a message there who has left', async () => {
  const channelId = await room({ groupType: 'private' })
  const { body } = await ask('eve', 'POST', `/v1/channels/${channelId}/messages`, { textPayload: 'x' })
  await ask('eve', 'DELETE', `/v1/channels/${channelId}/participants/me`)
  await ask('.system', 'PATCH', `/v1/channels/${channelId}/acls`, { patchType: 'Set', setAcls: '+read_from_channel:user(amy),-read_from_channel:user(out)' })
  const lists = await ask('eve', 'GET', `/v1/messages/${body.messageId}/acls`)
  expect(lists.body.inForce).toEqual({ plusAppliedAcls: ['read_message:user(eve)', 'delete_message:user(eve)'], minusAppliedAcls: [] })
  expect((await ask('amy', 'GET', `/v1/messages/${body.messageId}/acls`)).body.inForce.plusAppliedAcls).toContain('read_message:user(amy)')
})

it('lists that name two who are gone are the same as those that are shown', async () => {
  for (const user of ['gone-1', 'gone-2']) await on.user(user)
  const channelId = await room({ appliedAcls: '+join_channel:user(gone-1),+join_channel:user(gone-2)' })
  for (const user of ['gone-1', 'gone-2']) await ask('.system', 'DELETE', `/v1/users/${user}`)
  await on.store.settle()
  const before = await on.store.head()
  const { body } = await ask('.system', 'GET', `/v1/channels/${channelId}/acls`)
  expect(body.appliedAcls).toEqual({ plusAppliedAcls: ['join_channel:user(.deleted)'], minusAppliedAcls: [] })
  expect((await ask('.system', 'PATCH', `/v1/channels/${channelId}/acls`, { patchType: 'Set', setAcls: body.appliedAcls })).status).toBe(204)
  expect(await on.store.head()).toEqual(before)
})

it('the application is counted among the recipients where it is a participant, with lists as without', async () => {
  const channelId = await room({ defaultRuleSet: 'io.mitter.ruleset.chats.SystemChannel', participation: [{ participantId: 'bob' }] })
  for (const appliedAcls of [undefined, '+read_message:user(bob)']) {
    expect((await ask('.system', 'POST', `/v1/channels/${channelId}/messages`, { textPayload: 'x', appliedAcls })).body.relay.recipientsCount).toBe(2)
  }
})

it('whoever may create users may not create system users', async () => {
  const path = `/v1/applications/${on.credentials.applicationId}/acls`
  await ask('.system', 'PATCH', path, { patchType: 'Set', setAcls: '+create_user:user(eve)' })
  expect((await ask('eve', 'POST', '/v1/users', { userId: 'new-1', systemUser: true })).status).toBe(403)
  expect((await ask('eve', 'POST', '/v1/users', { userId: 'new-1' })).status).toBe(200)
  await ask('.system', 'PATCH', path, { patchType: 'Set', setAcls: {} })
})
