/** Tabs that share one connection. Here they are subscriptions of one thread, which has channels and locks as a browser has. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { asApplication, asUser, spawnService, tokenFor, type ServiceProcess } from '../../../test/support/process.ts'
import { send } from '../client.js'
import { closeAll, follow as followAlone, type Following } from './following.ts'
import { begin, caughtUp, frame, startStub } from './stub.ts'
import { numbersFrom, startRoughProxy, type RoughProxy } from './rough-proxy.ts'

const channelId = 'general-1'
const heartbeatMs = 500
const seeds = process.env.SEEDS === undefined ? [1, 2, 3] : Array.from({ length: Number(process.env.SEEDS) }, (_, index) => index + 10)
let service: ServiceProcess
let token: string
let proxy: RoughProxy
beforeAll(async () => {
  service = await spawnService({ env: { LOG_LEVEL: 'warn', HEARTBEAT_MS: String(heartbeatMs) } })
  token = await tokenFor(service, 'amy')
  await asUser(service, token, 'POST', '/v1/channels', { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
})
beforeEach(async () => { proxy = await startRoughProxy(service.url) })
afterEach(async () => {
  closeAll()
  await proxy.close()
})
afterAll(() => service.stop())

let sent = 0
const say = async (texts: number) => {
  const all: string[] = []
  for (let left = texts; left > 0; left--) {
    all.push(`text-${sent++}`)
    await send({ url: service.url, channelId, token, message: all.at(-1)! })
  }
  return all
}
const follow = (options: Partial<Parameters<typeof followAlone>[0]> = {}) => followAlone({ url: proxy.url, token, heartbeatMs, share: true, ...options })
const live = async (...tabs: Following[]) => { for (const { subscription, until } of tabs) await until(() => subscription.state === 'live', 'live') }
const place = async () => (await asUser(service, token, 'GET', '/v1/users/me')).status === 200
  ? (await asUser(service, token, 'GET', '/v1/users/me/channels')).headers.get('x-event-cursor')!
  : ''

/** Resolves when there is one connection. */
async function oneIsLeft (): Promise<void> {
  while (proxy.open() !== 1) await sleep(10)
}

/** All have these, once each and in order. */
async function have (tabs: Array<Pick<Following, 'texts' | 'until'>>, texts: string[]): Promise<void> {
  for (const [index, tab] of tabs.entries()) {
    await tab.until(() => tab.texts().length >= texts.length, `tab ${index}: ${texts.length} texts`)
    expect(tab.texts(), `tab ${index}`).toEqual(texts)
  }
}

it('six have one connection, and each of them everything', async () => {
  const tabs = Array.from({ length: 6 }, () => follow())
  await live(...tabs)
  await have(tabs, await say(50))
  expect([proxy.made, proxy.open()]).toEqual([1, 1])
  expect(new Set(tabs.map(({ subscription }) => subscription.cursor)).size).toBe(1)
})

it('not with another user, format, channel or name', async () => {
  const bob = await tokenFor(service, 'bob')
  const tabs = [follow(), follow({ token: bob }), follow({ format: 'mitter' as 'compact' }), follow({ channelId }), follow({ share: 'amy and a name' }), follow({ share: false })]
  await live(...tabs)
  expect(proxy.open()).toBe(6)
  const [text] = await say(1)
  await have([0, 2, 3, 4, 5].map(index => tabs[index]!), [text!])
  expect(tabs[1]!.texts()).toEqual([])
})

it.each(['BroadcastChannel', 'locks'])('each has its own where a page may have no %s', async what => {
  const no = () => { throw new DOMException('It may not', 'SecurityError') }
  if (what === 'locks') vi.spyOn(navigator.locks, 'request').mockImplementation(async () => no())
  else vi.stubGlobal('BroadcastChannel', class { constructor () { no() } })
  try {
    const tabs = [follow(), follow()]
    await live(...tabs)
    expect(proxy.open()).toBe(2)
    await have(tabs, await say(5))
  } finally {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  }
})

it('one that comes later begins now, behind an event, behind what it has read, or from the earliest, and then shares', async () => {
  const first = follow()
  await live(first)
  const early = await say(10)
  await have([first], early)
  const behindThird = follow({ after: first.events[2]!.id })
  const behindRead = follow({ after: await place() })
  const now = follow()
  const whole = follow({ after: 'earliest' })
  await live(behindThird, behindRead, now, whole)
  const late = await say(10)
  await have([first], [...early, ...late])
  await have([behindThird], [...early.slice(3), ...late])
  await have([behindRead, now], late)
  await whole.until(() => whole.texts().at(-1) === late.at(-1))
  expect(whole.texts().slice(-20)).toEqual([...early, ...late])
  expect(new Set(whole.texts()).size).toBe(whole.texts().length)
  await oneIsLeft()
})

it('one that comes with a place while the first has none yet misses nothing', async () => {
  const before = follow({ share: false })
  await live(before)
  const early = await say(5)
  await have([before], early)
  const tabs = [follow(), follow({ after: before.events[1]!.id }), follow()]
  await live(...tabs)
  const late = await say(5)
  await have([tabs[0]!, tabs[2]!], late)
  await have([tabs[1]!], [...early.slice(2), ...late])
})

it('one that comes with a place which nobody knows shares at once, though nothing happens', async () => {
  const first = follow()
  await live(first)
  // The log goes on, without anything for this user.
  for (const user of ['carl', 'dora']) {
    await tokenFor(service, user)
    await asApplication(service, 'POST', '/v1/channels', { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: [{ participantId: user }] })
  }
  const tabs = [follow({ after: await place() }), follow({ after: await place() })]
  await live(...tabs)
  await oneIsLeft()
  await have([first, ...tabs], await say(5))
})

it('the next one goes on where the one that had the connection is closed', async () => {
  const tabs = Array.from({ length: 4 }, () => follow())
  await live(...tabs)
  const texts: string[] = []
  while (tabs.length > 1) {
    texts.push(...await say(5))
    const more = say(20)
    tabs.shift()!.subscription.close()
    texts.push(...await more)
    await have(tabs, texts)
  }
  await oneIsLeft()
})

it('the next one goes on where the one that had the connection stops for good, and where its token has ended', async () => {
  const { signedToken, tokenId } = (await asApplication(service, 'POST', '/v1/users/amy/tokens')).body.userToken
  const refused: unknown[] = []
  const first = follow({ token: signedToken })
  const second = follow({ token: async token => refused.push(token) === 1 ? signedToken : token })
  const third = follow()
  await live(first, second, third)
  await asApplication(service, 'DELETE', `/v1/users/amy/tokens/${tokenId}`)
  await have([third], await say(20))
  await first.until(() => first.subscription.state === 'closed')
  expect(first.errors.at(-1)).toMatchObject({ status: 401 })
})

it('another one takes over where nothing is heard of the one that has the connection, which then follows', async () => {
  const held = Promise.withResolvers<void>()
  const stuck = follow({ onEvent: ({ data }) => data.text === 'stuck' ? held.promise : undefined })
  await live(stuck)
  const [second, third] = [follow(), follow()]
  await live(second, third)
  const texts = ['stuck']
  await send({ url: service.url, channelId, token, message: 'stuck' })
  texts.push(...await say(10))
  await have([second, third], texts)
  expect(stuck.texts()).toEqual(['stuck'])
  held.resolve()
  await have([stuck], texts)
  texts.push(...await say(10))
  await have([second, third, stuck], texts)
  await oneIsLeft()
})

it('one that is ahead of the one with the connection is not told again what it has had', async () => {
  const slow = follow({ onEvent: async () => await sleep(50) })
  await live(slow)
  const early = await say(10)
  const ahead = follow({ after: await place() })
  const late = await say(10)
  await have([ahead], late)
  await have([slow], [...early, ...late])
  await oneIsLeft()
})

it('one that was cut off while it read by itself does not go on with what it had followed before', async () => {
  const stub = await startStub((response, number, { headers }) => {
    if (headers['last-event-id'] !== 'place-1') return begin(response, caughtUp('place-4'))
    begin(response, frame('event-3', { text: 'once' }))
    response.end(number === 1 ? 'event: bye\ndata: {"reason":"shutdown"}\n\n' : caughtUp('place-4'))
  })
  const name = `channel-relay/1 ${stub.url}/v1/users/me/events?format=compact a name`
  const leader = new BroadcastChannel(name)
  const done = Promise.withResolvers<void>()
  const held = navigator.locks.request(name, () => done.promise)
  try {
    const { texts, states, until } = follow({ url: stub.url, share: 'a name' })
    await once(leader, 'message') // it asks where the leader is
    leader.postMessage(['place-1', 'live'])
    await until(() => states.at(-1) === 'live')
    leader.postMessage(['place-2', 'live']) // another one, of which it does not know how it stands to the first
    await until(() => states.at(-1) === 'waiting')
    await sleep(100)
    leader.postMessage(['place-1', 'live', { type: 'message', id: 'event-3', data: { text: 'once' } }])
    leader.postMessage(['event-3', 'live', { type: 'message', id: 'event-5', data: { text: 'last' } }])
    await until(() => texts().includes('last'))
    expect(texts()).toEqual(['once', 'last'])
  } finally {
    closeAll()
    done.resolve()
    leader.close()
    await held
    await stub.close()
  }
})

it.each(seeds)('tabs that come, go, come back and dawdle, on connections and with tokens that do not last, lose and double nothing: %i', async seed => {
  const number = numbersFrom(seed)
  proxy.lasts = () => 300 + number(6_000)
  const all = followAlone({ url: service.url, token, share: false })
  await live(all)
  const openedAt = all.subscription.cursor
  const tokens: string[] = []
  const ask = async () => {
    const { signedToken, tokenId } = (await asApplication(service, 'POST', '/v1/users/amy/tokens')).body.userToken
    tokens.push(tokenId)
    return signedToken
  }
  /** One person's reading: what tabs that went on from each other had. */
  const readers: Array<{ tab: Following, after: string | undefined, texts: string[] }> = []
  const read = (reader: Partial<typeof readers[number]>, after: string | undefined) => {
    const dawdles = number(3) === 0
    const tab = follow({
      after,
      token: ask,
      async onEvent ({ data }) {
        if (dawdles && number(4) === 0) await sleep(number(40))
        if (tab.subscription.state !== 'closed') reader.texts!.push(data.text)
      }
    })
    reader.tab = tab
  }
  for (let round = 0; round < 60; round++) {
    await say(number(5))
    if (number(3) === 0) await sleep(number(30))
    if (number(6) === 0) for (const id of tokens.splice(0)) await asApplication(service, 'DELETE', `/v1/users/amy/tokens/${id}`)
    if (readers.length > 1 && number(2) === 0) {
      const reader = readers[number(readers.length)]!
      const { cursor } = reader.tab.subscription
      reader.tab.subscription.close()
      read(reader, cursor ?? reader.after)
    } else if (readers.length < 5) {
      const after = number(2) === 0 ? openedAt : all.events.at(-1)?.id ?? openedAt
      const reader = { after, texts: [] }
      read(reader, after)
      readers.push(reader as typeof reader & { tab: Following })
    }
  }
  proxy.lasts = () => Infinity
  const [last] = await say(1)
  for (const tab of [all, ...readers.map(({ tab }) => tab)]) await tab.until(() => tab.events.at(-1)?.data.text === last, 'the last text')
  for (const { texts } of readers) while (texts.at(-1) !== last) await sleep(5)
  for (const { after, texts } of readers) {
    expect(texts).toEqual(all.texts().slice(all.events.findIndex(({ id }) => id === after) + 1))
  }
  await oneIsLeft()
}, 60_000)
