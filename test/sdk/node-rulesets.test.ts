/** `@mitter-io/node` makes channels of each ruleset, which hold (protocol 3). */
import { StandardRuleSetNames, User } from '@mitter-io/models'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { spawnService, type ServiceProcess } from '../support/process.ts'
import { channelOf, message, participation, texts } from './models.ts'
import { nodeSdk } from './sdks.ts'

const { DirectMessage, GroupChat, SingleParticipantChannel, SystemChannel } = StandardRuleSetNames

let service: ServiceProcess
let clients: ReturnType<ReturnType<typeof nodeSdk>['clients']>

beforeAll(async () => {
  service = await spawnService()
  clients = nodeSdk(service).clients()
  for (const userId of ['@amy', '@bob', '@carl']) await clients.users().createUser(new User(userId, [], { screenName: userId }))
})

afterAll(async () => { await service.stop() })

const membersOf = async (channelId: string) =>
  (await clients.channels().getChannelParticipants(channelId)).map(({ participantId }) => (participantId as { identifier: string }).identifier).toSorted()

const refused = (status: number) => ({ response: { status, data: { errorCode: 'channel_ruleset_violation' } } })

describe.each([
  { ruleset: DirectMessage, participants: ['@amy', '@bob'], members: ['@amy', '@bob'], systemChannel: false },
  { ruleset: SystemChannel, participants: ['@amy'], members: ['.system', '@amy'], systemChannel: true },
  { ruleset: SingleParticipantChannel, participants: ['@amy'], members: ['@amy'], systemChannel: false }
])('a $ruleset', ({ ruleset, participants, members, systemChannel }) => {
  const channelId = `the-${ruleset.split('.').at(-1)}`
  beforeAll(async () => { await clients.channels().newChannel(channelOf(ruleset, channelId, ...participants)) })

  test('is made with its participants, and carries messages', async () => {
    expect(await clients.channels().getChannel(channelId)).toMatchObject({ channelId, defaultRuleSet: ruleset, systemChannel })
    expect(await membersOf(channelId)).toEqual(members)
    await clients.messages().sendMessage(channelId, message('@amy', 'Hello'))
    expect(texts(await clients.messages().getMessages(channelId))).toEqual(['Hello'])
  })

  test('takes nobody in afterwards, and lets nobody go', async () => {
    await expect(clients.channels().addParticipantToChannel(channelId, participation('@carl'))).rejects.toMatchObject(refused(409))
    await expect(clients.channels().deleteParticipantFromChannel(channelId, '@amy')).rejects.toMatchObject(refused(409))
    expect(await membersOf(channelId)).toEqual(members)
  })

  test('is not made with one participant more', async () => {
    await expect(clients.channels().newChannel(channelOf(ruleset, `${channelId}-2`, ...participants, '@carl'))).rejects.toMatchObject(refused(400))
    await expect(clients.channels().getChannel(`${channelId}-2`)).rejects.toMatchObject({ response: { status: 404 } })
  })
})

describe(`a ${GroupChat}`, () => {
  test('is made with nobody, and takes participants in and lets them go', async () => {
    await clients.channels().newChannel(channelOf(GroupChat, 'the-group'))
    for (const userId of ['@amy', '@bob', '@carl']) await clients.channels().addParticipantToChannel('the-group', participation(userId))
    await clients.channels().deleteParticipantFromChannel('the-group', '@bob')
    expect(await membersOf('the-group')).toEqual(['@amy', '@carl'])
  })

  test.each(['io.mitter.chats.GroupChat', 'io.mitter.chats.GroupChannel'])('is what %s in mitter\'s samples means', async (alias) => {
    const channelId = alias.replaceAll('.', '-')
    await clients.channels().newChannel(channelOf(alias, channelId, '@amy'))
    expect(await clients.channels().getChannel(channelId)).toMatchObject({ defaultRuleSet: GroupChat })
  })
})

test('a ruleset of another name is refused', async () => {
  await expect(clients.channels().newChannel(channelOf('io.mitter.ruleset.chats.Other', 'other-channel'))).rejects.toMatchObject({
    response: { status: 400, data: { errorCode: 'invalid_domain_attribute' } }
  })
})

test('SystemChannels are not among all channels', async () => {
  const listed = (await clients.channels().getAllChannels()).map(({ channelId }) => channelId)
  expect(listed).toContain('the-DirectMessage')
  expect(listed).not.toContain('the-SystemChannel')
})
