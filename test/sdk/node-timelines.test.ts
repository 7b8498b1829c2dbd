/** `@mitter-io/node` writes and reads the timelines of messages (protocol 5). */
import { type Identifier, StandardTimeLineEventTypeNames, TimelineEvent, User } from '@mitter-io/models'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { spawnService, type ServiceProcess } from '../support/process.ts'
import { channel, message } from './models.ts'
import { nodeSdk } from './sdks.ts'

const { DeliveredTime, ReadTime, SentTime } = StandardTimeLineEventTypeNames.messages

let service: ServiceProcess
let clients: ReturnType<ReturnType<typeof nodeSdk>['clients']>

beforeAll(async () => {
  service = await spawnService()
  clients = nodeSdk(service).clients()
  for (const userId of ['@amy', '@bob']) await clients.users().createUser(new User(userId, [], { screenName: userId }))
  await clients.channels().newChannel(channel('timed-channel', '@amy', '@bob'))
})

afterAll(async () => { await service.stop() })

const send = async (text: string) => (await clients.messages().sendMessage('timed-channel', message('@amy', text))).messageId
const by = (type: string, userId: string, timeMs: number) => new TimelineEvent(type, timeMs, { identifier: userId })
/** The SDK's types have plain ids here; what it hands through is the references of mitter's answer. */
const timelinesOf = async (messageIds: string) =>
  await clients.messages().getMessageTimelineEvent('timed-channel', messageIds) as unknown as Array<{ messageId: Identifier, channelId: Identifier, timelineEvent: TimelineEvent }>
const timelineOf = async (messageIds: string) =>
  (await timelinesOf(messageIds)).map(({ messageId, timelineEvent: { type, subject } }) => [messageId.identifier, type, subject.identifier])

test('a message has its SentTime, and then what is added, by whom and when', async () => {
  const messageId = await send('Hello')
  await clients.messages().addMessageTimelineEvent('timed-channel', messageId, by(DeliveredTime, '@bob', 1_000))
  await clients.messages().addMessageTimelineEvent('timed-channel', messageId, by(ReadTime, '@bob', 2_000))

  const of = { messageId: { identifier: messageId }, channelId: { identifier: 'timed-channel' } }
  expect(await timelinesOf(messageId)).toMatchObject([
    { ...of, timelineEvent: { type: SentTime, subject: { identifier: '@amy' } } },
    { ...of, timelineEvent: { type: DeliveredTime, eventTimeMs: 1_000, subject: { identifier: '@bob' } } },
    { ...of, timelineEvent: { type: ReadTime, eventTimeMs: 2_000, subject: { identifier: '@bob' } } }
  ])
})

test('an event may be added to several messages at once, and several timelines read', async () => {
  const [first, second] = [await send('first'), await send('second')]
  await clients.messages().addMessageTimelineEvent('timed-channel', `${first},${second}`, by(ReadTime, '@bob', 3_000))
  expect(await timelineOf(`${first},${second}`)).toEqual([
    [first, SentTime, '@amy'], [first, ReadTime, '@bob'], [second, SentTime, '@amy'], [second, ReadTime, '@bob']
  ])
})

test('a type of one\'s own is kept; one of mitter\'s that does not exist is refused', async () => {
  const messageId = await send('Hello')
  await clients.messages().addMessageTimelineEvent('timed-channel', messageId, by('com.example.Starred', '@bob', 4_000))
  expect(await timelineOf(messageId)).toEqual([[messageId, SentTime, '@amy'], [messageId, 'com.example.Starred', '@bob']])
  await expect(clients.messages().addMessageTimelineEvent('timed-channel', messageId, by('io.mitter.Starred', '@bob', 4_000))).rejects.toMatchObject({
    response: { status: 400, data: { errorCode: 'invalid_domain_attribute' } }
  })
})

test('where one message of several is not there, none gets the event', async () => {
  const messageId = await send('Hello')
  await expect(clients.messages().addMessageTimelineEvent('timed-channel', `${messageId},no-such-message`, by(ReadTime, '@bob', 5_000))).rejects.toMatchObject({
    response: { status: 404, data: { errorCode: 'entity_not_found' } }
  })
  expect(await timelineOf(messageId)).toEqual([[messageId, SentTime, '@amy']])
})
