/** The pagination managers of mitter's SDKs walk back to the first of 200, and forward again to the last. */
import { User } from '@mitter-io/models'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { spawnService, type ServiceProcess } from '../support/process.ts'
import { channel, message } from './models.ts'
import { coreSdk, nodeSdk } from './sdks.ts'
import { SseDriver } from './sse-driver.ts'

const COUNT = 200
/** How many the SDKs ask for at once, at most. */
const PAGE = 45
const channelIds = Array.from({ length: COUNT }, (_, i) => `channel-${String(i).padStart(3, '0')}`)
const texts = Array.from({ length: COUNT }, (_, i) => `text ${i}`)

let service: ServiceProcess
let clients: ReturnType<ReturnType<typeof nodeSdk>['clients']>

beforeAll(async () => {
  // The core SDK tells the console about everything that it does.
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  service = await spawnService()
  clients = nodeSdk(service).clients()
  await clients.users().createUser(new User('@amy', [], { screenName: 'Amy' }))
  for (const channelId of channelIds) await clients.channels().newChannel(channel(channelId, '@amy'))
  for (const text of texts) await clients.messages().sendMessage(channelIds[0]!, message('@amy', text))
})

afterAll(async () => { await service.stop() })

interface Pages<T> {
  prevPage (): Promise<T[]>
  nextPage (): Promise<T[]>
}

/** Every page until an empty one. */
async function pagesOf<T> (page: () => Promise<T[]>): Promise<T[][]> {
  const pages: T[][] = []
  for (let items = await page(); items.length > 0; items = await page()) pages.push(items)
  return pages
}

/** `nameOf` tells the items apart; `all` are their names, oldest first. */
async function walk<T> (manager: Pages<T>, nameOf: (item: T) => string, all: string[]): Promise<void> {
  const back = await pagesOf(() => manager.prevPage())
  expect(back.map(page => page.length)).toEqual([PAGE, PAGE, PAGE, PAGE, 20])
  expect(back.flat().map(nameOf)).toEqual(all.toReversed())

  // It goes on from the newest of the page that it read last, which is not repeated.
  const forward = await pagesOf(() => manager.nextPage())
  expect(forward.map(page => page.length)).toEqual([PAGE, PAGE, PAGE, PAGE])
  expect(forward.flat().map(nameOf)).toEqual(all.slice(20))

  // And back from there: the page before the last one.
  expect((await manager.prevPage()).map(nameOf)).toEqual(all.slice(-2 * PAGE, -PAGE).toReversed())
}

test('messages of a channel, as the application', async () => {
  await walk(clients.messages().getPaginatedMessagesManager(channelIds[0]!, false, false, undefined), ({ textPayload }) => textPayload, texts)
})

test('all channels, as the application', async () => {
  await walk(clients.channels().getPaginatedChannelsManager(), ({ channelId }) => channelId!, channelIds)
})

test('all channels by their count, as the application', async () => {
  const manager = clients.channels().getPaginatedChannelsManager(PAGE, true)
  const pages = await pagesOf(() => manager.nextPage())
  expect(pages.flat().map(({ channelId }) => channelId)).toEqual(channelIds.toReversed())
})

test('the channels of a user, and messages, as that user', async () => {
  const driver = new SseDriver()
  const { promise: connected, resolve } = Promise.withResolvers<void>()
  const mitter = coreSdk(service, driver, resolve)
  mitter.setUserAuthorization((await clients.userAuth().getUserToken('@amy')).userToken.signedToken)
  try {
    await connected
    const own = mitter.clients()
    await walk(own.channels().getPaginatedParticipatedChannelsManager(), ({ channel }) => channel.channelId!, channelIds)
    await walk(own.messages().getPaginatedMessagesManager(channelIds[0]!, false, false, undefined), ({ textPayload }) => textPayload, texts)
  } finally {
    driver.halt()
  }
})
