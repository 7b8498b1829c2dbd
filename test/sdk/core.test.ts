/** `@mitter-io/core`, as mitter published it, lives on the service's event stream. */
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as core from '@mitter-io/core'
import { type ChannelParticipation, type MessagingPipelinePayload, Message } from '@mitter-io/models'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { byeFrame, caughtUpFrame, checkpointFrame, gapFrame, readyFrame } from '../../src/relay/frames.ts'
import { asApplication, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { coreSdk } from './sdks.ts'
import { SseDriver } from './sse-driver.ts'

const matchers = [
  core.isNewMessagePayload, core.isNewChannelPayload, core.isNewMessageTimelineEventPayload, core.isNewChannelTimelineEventPayload,
  core.isParticipantChangedEventPayload, core.isChannelStreamData, core.isPipelineControlPayload
]

let service: ServiceProcess
let dataDir: string
let driver: SseDriver | undefined

beforeAll(async () => {
  // The SDK tells the console about everything that it does.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-sdk-'))
  service = await spawnService({ dataDir })
})

afterEach(() => { driver?.halt() })

afterAll(async () => {
  await service.stop()
  await rm(dataDir, { recursive: true })
})

/** The SDK of a user, its stream open, and what it hands to its subscriber. */
async function connect (userId: string, after?: string) {
  driver = new SseDriver(after)
  const connected = Promise.withResolvers<void>()
  const onConnect = vi.fn(() => connected.resolve())
  const mitter = coreSdk(service, driver, onConnect)
  const payloads: MessagingPipelinePayload[] = []
  const arrivals = new EventEmitter()
  mitter.subscribeToPayload(payload => {
    payloads.push(payload)
    arrivals.emit('payload')
  })
  mitter.setUserAuthorization(await tokenFor(service, userId))
  // Not `onPipelinesInit`: the SDK resolves it before its drivers are connected.
  await connected.promise

  /** The first payload that fits, as soon as it is there. */
  const received = async <T extends MessagingPipelinePayload>(fits: (payload: any) => payload is T, detail: (payload: T) => boolean = () => true): Promise<T> => {
    for (;;) {
      const found = payloads.find((payload): payload is T => fits(payload) && detail(payload))
      if (found !== undefined) return found
      await once(arrivals, 'payload')
    }
  }
  return { mitter, payloads, received, onConnect }
}

const typed = (type: string) => (payload: MessagingPipelinePayload): payload is MessagingPipelinePayload & { reason?: string } => payload['@type'] === type

const withText = (text: string) => (payload: { message: { textPayload: string } }) => payload.message.textPayload === text

const messageTexts = (payloads: MessagingPipelinePayload[]) => payloads.filter(core.isNewMessagePayload).map(({ message }) => message.textPayload)

const newMessage = (senderId: string, text: string) =>
  new Message({ identifier: senderId }, text, [], [], { plusAppliedAcls: [], minusAppliedAcls: [] })

/** A public channel that is there already, with these participants. */
async function channelWith (channelId: string, ...userIds: string[]) {
  for (const userId of userIds) await tokenFor(service, userId)
  const { status } = await asApplication(service, 'POST', '/v1/channels', {
    channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: userIds.map(participantId => ({ participantId }))
  })
  expect(status).toBe(200)
}

describe('@mitter-io/core', () => {
  test('gets a message that another user sends, once, in subscribeToPayload', async () => {
    await channelWith('first-channel', 'amy', 'bob')
    const { payloads, received, onConnect } = await connect('amy')
    await asApplication(service, 'POST', '/v1/channels/first-channel/messages', { senderId: 'bob', textPayload: 'Hello, Amy' })
    await asApplication(service, 'POST', '/v1/channels/first-channel/messages', { senderId: 'bob', textPayload: 'and bye' })
    await received(core.isNewMessagePayload, withText('and bye'))

    expect(messageTexts(payloads)).toEqual(['Hello, Amy', 'and bye'])
    expect(payloads.find(core.isNewMessagePayload)).toMatchObject({
      globalPipelinePayloadId: expect.any(String),
      channelId: { identifier: 'first-channel' },
      message: { textPayload: 'Hello, Amy', senderId: { identifier: 'bob' }, timelineEvents: [{ type: 'mitter.mtet.SentTime' }] }
    })
    expect(onConnect).toHaveBeenCalledOnce()
  })

  test('gets the message that it sends itself, as the answer to sending had it', async () => {
    await channelWith('own-channel', 'amy')
    const { mitter, received } = await connect('amy')
    const { relay, ...sent } = await mitter.clients().messages().sendMessage('own-channel', newMessage('amy', 'Hello')) as any
    expect(await received(core.isNewMessagePayload)).toMatchObject({ globalPipelinePayloadId: relay.cursor, message: sent })
  })

  test('knows its user from the token, and from the service', async () => {
    const { mitter } = await connect('amy')
    expect(mitter.me()).toEqual({ identifier: 'amy' })
    expect(await mitter.getUserId()).toBe('amy')
    expect(await mitter.clients().users().getUser('me')).toMatchObject({ userId: 'amy' })
  })

  test('joins a channel, and is told of its participation', async () => {
    await channelWith('joined-channel', 'bob')
    const { mitter, received } = await connect('amy')
    await mitter.clients().channels().addParticipantToChannel('joined-channel', { participantId: 'amy' } as ChannelParticipation)
    expect(await received(core.isParticipantChangedEventPayload)).toMatchObject({
      channelId: { identifier: 'joined-channel' }, participantId: { identifier: 'amy' }, newStatus: 'Active'
    })
  })

  test('is told of a channel that it is made a participant of', async () => {
    const { received } = await connect('amy')
    await channelWith('created-channel', 'amy')
    expect(await received(core.isNewChannelPayload)).toMatchObject({ channel: { channelId: 'created-channel' } })
  })

  test('finds the error envelope in response.data', async () => {
    await channelWith('bobs-channel', 'bob')
    const { mitter } = await connect('amy')
    await expect(mitter.clients().messages().sendMessage('bobs-channel', newMessage('amy', 'Hello'))).rejects.toMatchObject({
      response: { status: 403, data: { errorCode: 'missing_privilege', reason: 'user_not_in_group' } }
    })
  })

  test('is not confused by control events: each is a payload, and none fits a type that it knows', () => {
    for (const frame of [readyFrame('c', 'mitter'), caughtUpFrame('c', 'mitter'), checkpointFrame('c', 'mitter'), gapFrame('c', 'expired', 'mitter'), byeFrame('slow', 'mitter')]) {
      const payload = JSON.parse(/^data: (.*)$/m.exec(frame.toString())![1]!)
      expect(payload).toMatchObject({ '@type': expect.any(String), globalPipelinePayloadId: expect.any(String) })
      expect(matchers.filter(fits => fits(payload))).toEqual([])
    }
  })

  test('goes on after ready, gap and caught-up', async () => {
    await channelWith('gap-channel', 'amy')
    const { payloads, received } = await connect('amy', 'not-a-cursor')
    await asApplication(service, 'POST', '/v1/channels/gap-channel/messages', { senderId: 'amy', textPayload: 'after the gap' })
    await received(core.isNewMessagePayload)
    expect(payloads.map(payload => payload['@type'])).toEqual(
      ['stream-ready-payload', 'stream-gap-payload', 'stream-caught-up-payload', 'new-message-payload']
    )
  })

  test('is logged out: its stream ends, and its token is refused', async () => {
    const { mitter, received } = await connect('amy')
    await mitter.clients().users().logout()
    expect(await received(typed('stream-closed-payload'))).toMatchObject({ reason: 'expired' })
    await expect(mitter.clients().users().getUser('me')).rejects.toMatchObject({ response: { status: 401, data: { errorCode: 'claim_rejected' } } })
  })

  test('gets what it missed while the service was restarted, once', async () => {
    await channelWith('restart-channel', 'amy')
    const { payloads, received } = await connect('amy')
    const send = (textPayload: string) => asApplication(service, 'POST', '/v1/channels/restart-channel/messages', { senderId: 'amy', textPayload })
    await send('before')
    await received(core.isNewMessagePayload)
    await service.stop()
    expect(await received(typed('stream-closed-payload'))).toMatchObject({ reason: 'shutdown' })

    service = await spawnService({ dataDir, env: { PORT: new URL(service.url).port } })
    await send('meanwhile')
    await received(core.isNewMessagePayload, withText('meanwhile'))
    await send('after')
    await received(core.isNewMessagePayload, withText('after'))
    expect(messageTexts(payloads)).toEqual(['before', 'meanwhile', 'after'])
  })
})
