/** `@mitter-io/node`, as mitter published it, calls the service as the application. */
import { StandardRuleSetNames, User } from '@mitter-io/models'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asUser, spawnService, type ServiceProcess } from '../support/process.ts'
import { channel, message, participation, texts } from './models.ts'
import { nodeSdk } from './sdks.ts'

let service: ServiceProcess
let clients: ReturnType<ReturnType<typeof nodeSdk>['clients']>

beforeAll(async () => {
  service = await spawnService()
  clients = nodeSdk(service).clients()
  await clients.users().createUser(new User('@amy', [], { screenName: 'Amy' }))
  await clients.users().createUser(new User('@bob', [], { screenName: 'Bob' }))
})

afterAll(async () => { await service.stop() })

const participantsOf = async (channelId: string) =>
  (await clients.channels().getChannelParticipants(channelId)).map(({ participantId, participationStatus }) => [participantId, participationStatus])

describe('@mitter-io/node', () => {
  test('creates a user, reads it, and gets a token that is good', async () => {
    expect(await clients.users().createUser(new User('@carl', [], { screenName: 'Carl' }))).toEqual({ identifier: '@carl' })
    expect(await clients.users().getUser('@carl')).toMatchObject({ userId: '@carl', identifier: '@carl', screenName: { screenName: 'Carl' } })
    const { userToken } = await clients.userAuth().getUserToken('@carl')
    expect(await asUser(service, userToken.signedToken, 'GET', '/v1/users/me')).toMatchObject({ status: 200, body: { userId: '@carl' } })
  })

  test('finds a user among all of them', async () => {
    expect((await clients.users().getUsers()).map(({ userId }) => userId)).toEqual(expect.arrayContaining(['@amy', '@bob']))
  })

  test('gets a 409 for a duplicate user', async () => {
    await expect(clients.users().createUser(new User('@amy', [], { screenName: 'Another' }))).rejects.toMatchObject({
      response: { status: 409, data: { errorCode: 'duplicate_entity' } }
    })
    expect(await clients.users().getUser('@amy')).toMatchObject({ screenName: { screenName: 'Amy' } })
  })

  test('gets a 404 for a token of a user that is not there', async () => {
    await expect(clients.userAuth().getUserToken('@nobody')).rejects.toMatchObject({ response: { status: 404, data: { errorCode: 'entity_not_found' } } })
  })

  test('creates a channel and reads it', async () => {
    expect(await clients.channels().newChannel(channel('created-channel', '@amy'))).toEqual({ identifier: 'created-channel' })
    expect(await clients.channels().getChannel('created-channel')).toMatchObject({
      channelId: 'created-channel', identifier: 'created-channel', defaultRuleSet: StandardRuleSetNames.GroupChat, participation: [], systemChannel: false
    })
    expect(await participantsOf('created-channel')).toEqual([[{ identifier: '@amy' }, 'Active']])
  })

  test('adds a participant and removes it', async () => {
    await clients.channels().newChannel(channel('joined-channel', '@amy'))
    await clients.channels().addParticipantToChannel('joined-channel', participation('@bob'))
    expect(await participantsOf('joined-channel')).toEqual([[{ identifier: '@amy' }, 'Active'], [{ identifier: '@bob' }, 'Active']])
    await clients.channels().deleteParticipantFromChannel('joined-channel', '@amy')
    expect(await participantsOf('joined-channel')).toEqual([[{ identifier: '@bob' }, 'Active']])
  })

  test('sends a message as a participant, and reads it in the list and by its id', async () => {
    await clients.channels().newChannel(channel('message-channel', '@amy'))
    const sent = await clients.messages().sendMessage('message-channel', message('@amy', 'Hello'))
    expect(sent).toMatchObject({ channelId: { identifier: 'message-channel' }, senderId: { identifier: '@amy' }, textPayload: 'Hello' })
    expect(sent.timelineEvents[0]).toMatchObject({ type: 'mitter.mtet.SentTime', subject: { identifier: '@amy' } })

    // What only sending answers is left out: the rest is the message.
    const { relay, ...stored } = sent as typeof sent & { relay: unknown }
    expect(relay).toMatchObject({ status: 'relayed', recipientsCount: 1 })
    expect(await clients.messages().getMessages('message-channel')).toEqual([stored])
    expect(await clients.messages().getMessage(sent.messageId)).toEqual(stored)
  })

  test('deletes one message of two, then all', async () => {
    await clients.channels().newChannel(channel('emptied-channel', '@amy'))
    const first = await clients.messages().sendMessage('emptied-channel', message('@amy', 'first'))
    await clients.messages().sendMessage('emptied-channel', message('@amy', 'second'))
    await clients.messages().deleteMessages('emptied-channel', first.messageId)
    expect(texts(await clients.messages().getMessages('emptied-channel'))).toEqual(['second'])
    await clients.channels().deleteAllMessages('emptied-channel')
    expect(await clients.messages().getMessages('emptied-channel')).toEqual([])
  })

  test('deletes a channel', async () => {
    await clients.channels().newChannel(channel('deleted-channel'))
    await clients.channels().deleteChannel('deleted-channel')
    await expect(clients.channels().getChannel('deleted-channel')).rejects.toMatchObject({ response: { status: 404 } })
  })

  test('gets a 409 for a second identical add', async () => {
    await clients.channels().newChannel(channel('twice-channel'))
    await clients.channels().addParticipantToChannel('twice-channel', participation('@amy'))
    await expect(clients.channels().addParticipantToChannel('twice-channel', participation('@amy'))).rejects.toMatchObject({
      response: { status: 409, data: { errorCode: 'duplicate_entity', reason: 'already_member' } }
    })
    expect(await participantsOf('twice-channel')).toEqual([[{ identifier: '@amy' }, 'Active']])
  })

  test('finds the whole error envelope in response.data', async () => {
    await expect(clients.messages().sendMessage('no-such-channel', message('@amy', 'Hello'))).rejects.toMatchObject({
      response: {
        status: 404,
        data: {
          error: 'Not Found',
          message: 'There is no channel "no-such-channel"',
          errorCode: 'entity_not_found',
          error_code: 'entity_not_found',
          reason: 'not_found',
          instanceId: expect.any(String),
          timestamp: expect.any(Number)
        }
      }
    })
  })
})
