/** Access control lists as mitter's own models carry them: `@mitter-io/node` gives them, and `@mitter-io/core` meets what they decide. */
import { EventEmitter, once } from 'node:events'
import * as core from '@mitter-io/core'
import {
  Channel, EntityProfile, ErrorTypes, Message, type MessagingPipelinePayload, type NewMessagePayload, StandardRuleSetNames, User
} from '@mitter-io/models'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { message, participation, texts } from './models.ts'
import { coreSdk, nodeSdk } from './sdks.ts'
import { SseDriver } from './sse-driver.ts'

let service: ServiceProcess
let clients: ReturnType<ReturnType<typeof nodeSdk>['clients']>
const drivers: SseDriver[] = []

beforeAll(async () => {
  // The SDK tells the console about everything that it does.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  service = await spawnService()
  clients = nodeSdk(service).clients()
  for (const userId of ['@amy', '@bob', '@carl']) await clients.users().createUser(new User(userId, [], { screenName: userId }))
})

afterEach(() => { for (const driver of drivers.splice(0)) driver.halt() })

afterAll(async () => { await service.stop() })

const listed = (channelId: string, plusAppliedAcls: string[], minusAppliedAcls: string[] = []) =>
  new Channel(
    StandardRuleSetNames.GroupChat, ['@amy', '@bob', '@carl'].map(participation), new EntityProfile({ identifier: channelId }, []), channelId, [],
    { plusAppliedAcls, minusAppliedAcls }
  )

const listedMessage = (senderId: string, text: string, plusAppliedAcls: string[], minusAppliedAcls: string[] = []) =>
  new Message({ identifier: senderId }, text, [], [], { plusAppliedAcls, minusAppliedAcls })

/** The SDK of a user with its stream open, and the texts that it has been given once one of them is `last`. */
async function connect (userId: string) {
  const driver = new SseDriver()
  drivers.push(driver)
  const connected = Promise.withResolvers<void>()
  const mitter = coreSdk(service, driver, () => connected.resolve())
  const [received, arrivals] = [[] as NewMessagePayload[], new EventEmitter()]
  mitter.subscribeToPayload((payload: MessagingPipelinePayload) => {
    if (!core.isNewMessagePayload(payload)) return
    received.push(payload)
    arrivals.emit('message')
  })
  mitter.setUserAuthorization(await tokenFor(service, userId))
  await connected.promise
  return {
    mitter,
    async textsUntil (last: string) {
      while (!received.some(({ message }) => message.textPayload === last)) await once(arrivals, 'message')
      return received.map(({ message }) => message.textPayload)
    }
  }
}

/** What the SDK's own predicates say of a call that was refused. */
async function refusalOf (call: Promise<unknown>) {
  const { response: { status, data } } = await call.then(() => { throw new Error('it was not refused') }, (err: any) => err)
  return [status, ErrorTypes.isMissingPrivilege(data), data.diagnostics.missingPrivileges]
}

test('a channel\'s lists decide who sends, and are read back as the model has them', async () => {
  const channel = listed('listed-channel', ['send_to_channel:user(@amy)', 'send_to_channel:participant(listed-channel:ReadOnly)'], ['list_participants:user(@bob)'])
  await clients.channels().newChannel(channel)
  expect((await clients.channels().getChannel('listed-channel')).appliedAcls).toEqual(channel.appliedAcls)

  const { mitter: amy } = await connect('@amy')
  const { mitter: bob } = await connect('@bob')
  await amy.clients().messages().sendMessage('listed-channel', message('@amy', 'Hello'))
  expect(await refusalOf(bob.clients().messages().sendMessage('listed-channel', message('@bob', 'Hello')))).toEqual([403, true, ['send_to_channel']])
  expect(await refusalOf(bob.clients().channels().getChannelParticipants('listed-channel'))).toEqual([403, true, ['list_participants']])
  expect(texts(await bob.clients().messages().getMessages('listed-channel'))).toEqual(['Hello'])
})

test('a message\'s lists decide who reads it: on streams, in lists, by id', async () => {
  await clients.channels().newChannel(listed('whispers-channel', []))
  const [amy, bob, carl] = [await connect('@amy'), await connect('@bob'), await connect('@carl')]
  const whisper = listedMessage('@amy', 'For Bob', ['read_message:user(@amy)', 'read_message:user(@bob)'])
  const sent = await amy.mitter.clients().messages().sendMessage('whispers-channel', whisper)
  expect(sent).toMatchObject({ appliedAcls: whisper.appliedAcls })
  await clients.messages().sendMessage('whispers-channel', listedMessage('@amy', 'For all but Bob', [], ['read_message:user(@bob)']))
  await clients.messages().sendMessage('whispers-channel', message('@amy', 'For all'))

  expect(await amy.textsUntil('For all')).toEqual(['For Bob', 'For all but Bob', 'For all'])
  expect(await bob.textsUntil('For all')).toEqual(['For Bob', 'For all'])
  expect(await carl.textsUntil('For all')).toEqual(['For all but Bob', 'For all'])
  for (const [{ mitter }, listed] of [[bob, ['For all', 'For Bob']], [carl, ['For all', 'For all but Bob']]] as const) {
    expect(texts(await mitter.clients().messages().getMessages('whispers-channel'))).toEqual(listed)
  }
  expect((await bob.mitter.clients().messages().getMessage(sent.messageId)).appliedAcls).toEqual(whisper.appliedAcls)
  await expect(carl.mitter.clients().messages().getMessage(sent.messageId)).rejects.toMatchObject({ response: { status: 404, data: { errorCode: 'entity_not_found' } } })
})

test('models with empty lists, as they are made by default, have none', async () => {
  await clients.channels().newChannel(listed('unlisted-channel', []))
  await clients.messages().sendMessage('unlisted-channel', message('@amy', 'Hello'))
  expect(await clients.channels().getChannel('unlisted-channel')).not.toHaveProperty('appliedAcls')
  expect((await clients.messages().getMessages('unlisted-channel'))[0]).not.toHaveProperty('appliedAcls')
})
