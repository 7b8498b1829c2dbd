/** Walks the API with a client made from the document: its types hold for tsc, its schemas for every answer. */
import type { Client } from 'openapi-fetch'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { checkedClients, type Checked } from './checked-client.ts'
import type { components, paths } from './api.d.ts'
import { operationsOf, type Document } from './document.ts'

const rulesets = 'io.mitter.ruleset.chats'
let service: TestApp
let document: Document
let checked: Checked
let application: Client<paths>
let amy: Client<paths>
let bob: Client<paths>
let nobody: Client<paths>

beforeAll(async () => {
  service = await startApp()
  document = await (await fetch(`${service.url}/openapi.json`)).json() as Document
  checked = checkedClients(service.url, document)
  application = checked.as(service.application)
  amy = checked.as(await service.user('@amy'))
  bob = checked.as(await service.user('bob'))
  nobody = checked.as({})
})

afterAll(() => service.stop())

/** A channel of amy's. */
async function group (groupType: components['schemas']['GroupType']): Promise<string> {
  const { data } = await amy.POST('/v1/channels', { body: { defaultRuleSet: `${rulesets}.GroupChat`, groupType } })
  return data!.identifier
}

async function send (client: Client<paths>, channelId: string, textPayload: string): Promise<string> {
  const { data } = await client.POST('/v1/channels/{channelId}/messages', { params: { path: { channelId } }, body: { textPayload } })
  return data!.messageId
}

it('asks for the health', async () => {
  expect((await nobody.GET('/health/live')).data).toEqual({ status: 'ok' })
  expect((await nobody.GET('/health/ready')).data).toEqual({ status: 'ok' })
})

it('walks users', async () => {
  const user = { userId: 'eve', screenName: { screenName: 'Eve' }, userLocators: [{ '@type': 'email', locator: 'email:eve@example.com' }] }
  expect((await application.POST('/v1/users', { body: user })).data).toEqual({ identifier: 'eve' })
  const { data: made } = await application.GET('/v1/users/{userId}', { params: { path: { userId: 'eve' } } })
  expect(made).toMatchObject(user)
  const { data: page, response } = await application.GET('/v1/users', { params: { query: { after: '@amy', limit: 1 } } })
  expect(page!.map(({ userId }) => userId)).toEqual(['bob'])
  expect(response.headers.get('x-mitter-paginated-estimated-count')).toBe('3')
  expect((await amy.GET('/v1/users/{userId}', { params: { path: { userId: 'me' } } })).data!.userId).toBe('@amy')
  expect((await application.DELETE('/v1/users/{userId}', { params: { path: { userId: 'eve' } } })).response.status).toBe(204)

  const refused = await amy.GET('/v1/users/{userId}', { params: { path: { userId: 'bob' } } })
  expect(refused.error!.errorCode).toBe('missing_privilege')
  expect((await application.POST('/v1/users', { body: user })).response.status).toBe(409)
  expect((await application.GET('/v1/users/{userId}', { params: { path: { userId: 'eve' } } })).response.status).toBe(404)
  expect((await nobody.GET('/v1/users')).response.status).toBe(401)
})

it('walks tokens', async () => {
  const own = { params: { path: { userId: 'me' } } }
  const { data } = await amy.POST('/v1/users/{userId}/tokens', own)
  const { signedToken, tokenId } = data!.userToken
  const { data: tokens } = await amy.GET('/v1/users/{userId}/tokens', own)
  expect(tokens!.map(token => token.tokenId)).toContain(tokenId)

  const second = checked.as({ 'X-Issued-Mitter-User-Authorization': signedToken })
  expect((await second.GET('/v1/users/me/logout')).response.status).toBe(204)
  expect((await second.GET('/v1/users/{userId}/tokens', own)).response.status).toBe(401)

  const third = (await amy.POST('/v1/users/{userId}/tokens', own)).data!.userToken.tokenId
  const revoked = await amy.DELETE('/v1/users/{userId}/tokens/{tokenIds}', { params: { path: { userId: 'me', tokenIds: third } } })
  expect(revoked.response.status).toBe(204)
})

it('walks channels of every ruleset', async () => {
  const create = (ruleset: string, participants: string[]) => application.POST('/v1/channels', {
    body: { defaultRuleSet: `${rulesets}.${ruleset}`, participation: participants.map(participantId => ({ participantId })) }
  })
  const made: string[] = []
  for (const [ruleset, participants] of [
    ['DirectMessage', ['@amy', 'bob']], ['GroupChat', ['@amy']], ['SystemChannel', ['@amy']], ['SingleParticipantChannel', ['@amy']]
  ] as const) {
    const { data } = await create(ruleset, [...participants])
    made.push(data!.identifier)
    const { data: channel } = await amy.GET('/v1/channels/{channelId}', { params: { path: { channelId: data!.identifier } } })
    expect(channel).toMatchObject({ defaultRuleSet: `${rulesets}.${ruleset}`, systemChannel: ruleset === 'SystemChannel' })
  }
  const { data: several } = await amy.GET('/v1/channels/{channelId}', { params: { path: { channelId: made.join(',') } } })
  expect(several).toHaveLength(4)
  const { data: all } = await application.GET('/v1/channels', { params: { query: { includeSystemChannels: true } } })
  expect(all!.map(({ channelId }) => channelId)).toEqual(expect.arrayContaining(made))
  const { data: own } = await amy.GET('/v1/users/{userId}/channels', {
    params: { path: { userId: 'me' }, query: { rulesetFilter: `${rulesets}.DirectMessage` } }
  })
  expect(own!.map(({ identifier }) => identifier)).toEqual([made[0]])

  expect((await create('DirectMessage', ['@amy'])).error!.errorCode).toBe('channel_ruleset_violation')
  for (const channelId of made) {
    expect((await application.DELETE('/v1/channels/{channelId}', { params: { path: { channelId } } })).response.status).toBe(204)
  }
})

it('walks participants, from a request to join to the end', async () => {
  const channelId = await group('strict_private')
  const join = async (prefer: { prefer?: string }) => await bob.POST('/v1/channels/{channelId}/participants', {
    params: { path: { channelId }, header: prefer }, body: { participantId: { identifier: 'bob' } }
  })
  const bobs = { params: { path: { channelId, userId: 'bob' } } }
  const own = { params: { path: { channelId, userId: 'me' } } }

  const asked = await join({})
  expect(asked.response.status).toBe(204)
  expect(asked.response.headers.get('x-relay-status')).toBe('pending')
  const { data: waiting } = await amy.GET('/v1/channels/{channelId}/participants', { params: { path: { channelId }, query: { relayStatus: 'pending' } } })
  expect(waiting!.map(({ participantId }) => participantId.identifier)).toEqual(['bob'])
  const { response: rejected } = await amy.POST('/v1/channels/{channelId}/participants/{userId}/reject', bobs)
  expect(rejected.status).toBe(204)

  expect((await join({ prefer: 'return=representation' })).data).toMatchObject({ relayStatus: 'pending' })
  expect((await join({})).error).toMatchObject({ reason: 'already_member' })
  expect((await amy.POST('/v1/channels/{channelId}/participants/{userId}/accept', bobs)).response.status).toBe(204)
  expect((await amy.POST('/v1/channels/{channelId}/participants/{userId}/accept', bobs)).error).toMatchObject({ reason: 'user_not_pending' })
  expect((await amy.POST('/v1/channels/{channelId}/participants/{userId}/mute', bobs)).response.status).toBe(204)
  expect((await amy.POST('/v1/channels/{channelId}/participants/{userId}/unmute', bobs)).response.status).toBe(204)
  const { data: change } = await amy.PATCH('/v1/channels/{channelId}/participants/{userId}', { ...bobs, body: { roles: ['admin'] } })
  expect([change!.oldChannelParticipation.roles, change!.newChannelParticipation.roles]).toEqual([[], ['admin']])

  const { data: brief } = await bob.GET('/v1/channels/{channelId}/participants', { params: { path: { channelId }, query: { expandParticipants: false } } })
  expect(brief).toContainEqual({ participantId: { identifier: 'bob' }, participationStatus: 'Active' })
  expect((await bob.DELETE('/v1/channels/{channelId}/participants/{userId}', own)).response.status).toBe(204)
  expect((await bob.DELETE('/v1/channels/{channelId}/participants/{userId}', own)).error).toMatchObject({ reason: 'user_not_in_group' })
})

it('walks messages', async () => {
  const channelId = await group('public')
  const once = { params: { path: { channelId }, header: { 'idempotency-key': 'walk-send-1' } } }
  const body = {
    messageId: 'message-1',
    textPayload: 'Hello',
    messageData: [{ dataType: 'com.example.location', data: { latitude: 52.5 } }],
    timelineEvents: [{ type: 'mitter.mtet.SentTime', eventTimeMs: 1732240000000, subject: '@amy' }]
  }
  const { data: sent } = await amy.POST('/v1/channels/{channelId}/messages', { ...once, body })
  expect(sent).toMatchObject({ messageData: body.messageData, relay: { status: 'relayed', recipientsCount: 1 } })
  expect((await amy.POST('/v1/channels/{channelId}/messages', { ...once, body })).data).toEqual(sent)
  expect((await amy.POST('/v1/channels/{channelId}/messages', { ...once, body: { textPayload: 'Other' } })).response.status).toBe(422)
  expect((await bob.POST('/v1/channels/{channelId}/messages', { ...once, body: { textPayload: 'Hi' } })).error).toMatchObject({ reason: 'user_not_in_group' })

  const both = [body.messageId, await send(amy, channelId, 'Goodbye')]
  const edit = { textPayload: 'Hello again' }
  const { data: edited } = await amy.PATCH('/v1/channels/{channelId}/messages/{messageIds}', { params: { path: { channelId, messageIds: both[0]! } }, body: edit })
  expect(edited!.editedAt).toBeGreaterThan(0)
  expect((await amy.GET('/v1/messages/{messageId}', { params: { path: { messageId: both[0]! } } })).data).toEqual(edited)
  const { data: page } = await amy.GET('/v1/channels/{channelId}/messages', { params: { path: { channelId }, query: { limit: 20 } } })
  expect(page).toHaveLength(2)

  const { response: deleted } = await amy.DELETE('/v1/channels/{channelId}/messages/{messageIds}', { params: { path: { channelId, messageIds: both.join(',') } } })
  expect(deleted.status).toBe(204)
  expect((await application.DELETE('/v1/channels/{channelId}/messages', { params: { path: { channelId } } })).response.status).toBe(204)
})

it('walks timelines', async () => {
  const channelId = await group('public')
  const path = { channelId, messageIds: [await send(amy, channelId, 'one'), await send(amy, channelId, 'two')].join(',') }
  const event = { type: 'mitter.mtet.ReadTime', eventTimeMs: 1732240000000, subject: { identifier: '@amy' } }

  expect((await amy.POST('/v1/channels/{channelId}/timeline', { params: { path }, body: event })).response.status).toBe(204)
  const { data: ofChannel } = await amy.GET('/v1/channels/{channelId}/timeline', { params: { path } })
  expect(ofChannel!.map(({ timelineEvent }) => timelineEvent.type)).toEqual([event.type])

  const { data: added } = await amy.POST('/v1/channels/{channelId}/messages/{messageIds}/timeline', { params: { path }, body: event })
  const query = { eventTypeFilter: event.type }
  const { data: ofMessages } = await amy.GET('/v1/channels/{channelId}/messages/{messageIds}/timeline', { params: { path, query } })
  expect(ofMessages).toHaveLength(2)
  expect(ofMessages![0]!.timelineEvent.eventId).toBe(added!.identifier)
})

it('walks access control lists', async () => {
  const channelId = await group('private')
  const channel = { params: { path: { channelId } } }
  const lists = { plusAppliedAcls: [`send_to_channel:admin(${channelId})`], minusAppliedAcls: [] }
  expect((await application.PATCH('/v1/channels/{channelId}/acls', { ...channel, body: { patchType: 'Set', setAcls: lists } })).response.status).toBe(204)
  const { data: ofChannel } = await amy.GET('/v1/channels/{channelId}/acls', channel)
  expect(ofChannel).toMatchObject({ appliedAcls: lists, inForce: { plusAppliedAcls: expect.arrayContaining(lists.plusAppliedAcls) } })
  expect((await amy.GET('/v1/channels/{channelId}', channel)).data).toMatchObject({ appliedAcls: lists })
  expect((await bob.GET('/v1/channels/{channelId}/acls', channel)).error).toMatchObject({ reason: 'user_not_in_group' })
  const { data: access } = await amy.GET('/v1/channels/{channelId}/access', { params: { path: { channelId }, query: { privilege: 'send_to_channel', userId: 'bob' } } })
  expect(access).toEqual({ allowed: false, because: { rule: 'no-entry' } })

  const { data: sent } = await amy.POST('/v1/channels/{channelId}/messages', { ...channel, body: { textPayload: 'Hello', appliedAcls: '+read_message:user(@amy)' } })
  const message = { params: { path: { messageId: sent!.messageId } } }
  const ofMessage = await amy.GET('/v1/messages/{messageId}/acls', message)
  expect(ofMessage.data!.appliedAcls).toEqual({ plusAppliedAcls: ['read_message:user(@amy)'], minusAppliedAcls: [] })
  expect((await application.PATCH('/v1/messages/{messageId}/acls', { ...message, body: { patchType: 'Diff', removeAcls: { plusAppliedAcls: ['read_message:user(@amy)'] } } })).response.status).toBe(204)

  const own = { params: { path: { applicationId: service.credentials.applicationId } } }
  expect((await application.PATCH('/v1/applications/{applicationId}/acls', { ...own, body: { patchType: 'Set', setAcls: {} } })).response.status).toBe(204)
  expect((await application.GET('/v1/applications/{applicationId}/acls', own)).data!.inForce.plusAppliedAcls).toEqual(['create_channel:any_user()'])
})

it('opens every stream, one of them with an event token', async () => {
  const channelId = await group('public')
  const { data } = await amy.POST('/v1/users/me/event-tokens')
  const open = { parseAs: 'stream' } as const
  // Credentials are no parameters of an operation, so this one goes into the query by itself.
  const querySerializer = () => `access_token=${data!.eventToken}`
  const streams = [
    await nobody.GET('/v1/users/{userId}/events', { ...open, querySerializer, params: { path: { userId: 'me' } } }),
    await amy.GET('/v1/channels/{channelId}/events', { ...open, params: { path: { channelId }, query: { after: 'earliest' } } }),
    await application.GET('/v1/events', open)
  ]
  for (const { response } of streams) {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toMatch(/event: ready\n/)
    await reader.cancel()
  }
  const refused = await amy.GET('/v1/events', { headers: { accept: 'application/json' } })
  expect(refused.response.status).toBe(403)
  expect((await application.GET('/v1/events', { headers: { accept: 'application/json' } })).response.status).toBe(406)
})

it('has walked every operation of the document, with success', () => {
  const walked = [...checked.answers].filter(answer => / 20\d$/.test(answer)).map(answer => answer.replace(/ \d+$/, ''))
  expect(operationsOf(document).map(([name]) => name).filter(name => !walked.includes(name))).toEqual([])
})
