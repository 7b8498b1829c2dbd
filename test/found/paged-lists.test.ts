/** Participants and timelines page by `after` and `limit`, and Link leads from page to page (protocol 1, rule 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { statusOf } from '../../src/rules/relay.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { call, type Answer } from '../support/process.ts'

const ROOM = 'room-of-many'
const OTHER = 'another-room'
const MESSAGE = 'message-of-many'
const QUIET = 'message-of-few'
const MEMBERS = 2_500
const EVENTS = 2_500
/** What a page holds where nobody says. */
const DEFAULT_LIMIT = 1_000

let on: TestApp
/** In order of joining. */
let members: Array<{ userId: string, status: string }>
/** In order of adding. */
let events: Array<{ eventId: string, type: string }>
beforeAll(async () => {
  on = await startApp()
  const append = (commands: Array<Parameters<typeof on.store.append>[0]>) => Promise.all(commands.map(command => on.store.append(command)))
  await append([createUser('reader'), createChannel(SYSTEM, ROOM), createChannel(SYSTEM, OTHER)])
  // Neither in the order of their ids, nor status by status; and many of them in one millisecond.
  members = Array.from({ length: MEMBERS }, (_, index) => ({
    userId: `user-${(index * 7_919) % 10_007}`, status: ['Active', 'ReadOnly', 'Active', 'Disabled', 'Active'][index % 5]!
  }))
  await append(members.map(({ userId }) => createUser(userId)))
  await append(members.map(({ userId, status }) => ({ type: 'add-participant', actor: SYSTEM, userId, channelId: ROOM, status: statusOf[status as 'Active'] })))
  await append([send(SYSTEM, ROOM, 'a', { messageId: MESSAGE }), send(SYSTEM, ROOM, 'b', { messageId: QUIET })])
  events = Array.from({ length: EVENTS }, (_, index) => ({ eventId: `event-${(index * 7_919) % 10_007}-of`, type: ['seen', 'heard', 'read by'][index % 3]! }))
  const event = ({ eventId, type }: { eventId: string, type: string }) => ({ eventId, type, eventTimeMs: 1_732_240_000_000, subject: SYSTEM })
  await append(events.map(one => ({ type: 'add-channel-event', actor: SYSTEM, channelId: ROOM, event: event({ ...one, eventId: `c-${one.eventId}` }) })))
  await append(events.map(one => ({ type: 'add-message-event', actor: SYSTEM, channelId: ROOM, messageIds: [MESSAGE], event: event({ ...one, eventId: `m-${one.eventId}` }) })))
  for (const [channelId, messageId] of [[OTHER, ''], [ROOM, QUIET]] as const) {
    const more = events.slice(0, 5).map(one => event({ ...one, eventId: `q-${channelId}-${one.eventId}` }))
    await append(more.map(one => messageId === ''
      ? { type: 'add-channel-event', actor: SYSTEM, channelId, event: one }
      : { type: 'add-message-event', actor: SYSTEM, channelId, messageIds: [messageId], event: one }))
  }
}, 60_000)
afterAll(() => on.stop())

const get = (path: string): Promise<Answer> => call(on.url, 'GET', path, on.application)

/** Where `Link` says that the next page is, or nothing. */
function nextOf ({ headers }: Answer, at: string): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get('link') ?? '')?.[1]
  if (target === undefined) return undefined
  const { pathname, search } = new URL(target, on.url + at)
  return pathname + search
}

/** All pages from a path on, as Link leads through them. */
async function pagesFrom (path: string): Promise<unknown[][]> {
  const pages: unknown[][] = []
  for (let at: string | undefined = path; at !== undefined;) {
    const answer: Answer = await get(at)
    expect(answer.status, `${at} ${JSON.stringify(answer.body).slice(0, 200)}`).toBe(200)
    pages.push(answer.body)
    if (pages.length > MEMBERS) throw new Error('Link leads round in circles')
    at = nextOf(answer, at)
  }
  return pages
}

interface List {
  path: string
  /** The ids of a page. */
  ids: (page: any[]) => string[]
  /** All ids that a query is to bring, in order. */
  all: () => string[]
}

const idsOfParticipants = (page: any[]) => page.map(({ participantId }) => participantId.identifier as string)
const idsOfEvents = (page: any[]) => page.map(({ timelineEvent }) => timelineEvent.eventId as string)
const membersThat = (...statuses: string[]) => () => members.filter(({ status }) => statuses.includes(status)).map(({ userId }) => userId)
const eventsThat = (prefix: string, ...types: string[]) => () => events.filter(({ type }) => types.includes(type)).map(({ eventId }) => `${prefix}-${eventId}`)
const participants = `/v1/channels/${ROOM}/participants`
const channelTimeline = `/v1/channels/${ROOM}/timeline`
const messageTimeline = `/v1/channels/${ROOM}/messages/${MESSAGE}/timeline`

const lists: Record<string, List> = {
  'active participants': { path: `${participants}?`, ids: idsOfParticipants, all: membersThat('Active') },
  'participants of all statuses': { path: `${participants}?participationStatus=Disabled,Active,ReadOnly&`, ids: idsOfParticipants, all: membersThat('Active', 'ReadOnly', 'Disabled') },
  'participants of two statuses, in short': { path: `${participants}?relayStatus=muted,active&expandParticipants=false&`, ids: idsOfParticipants, all: membersThat('Active', 'ReadOnly') },
  'events of a channel': { path: `${channelTimeline}?`, ids: idsOfEvents, all: eventsThat('c', 'seen', 'heard', 'read by') },
  'events of a channel, of two types': { path: `${channelTimeline}?eventTypeFilter=read%20by,seen&`, ids: idsOfEvents, all: eventsThat('c', 'seen', 'read by') },
  'events of a message': {
    path: `${messageTimeline}?`,
    ids: page => idsOfEvents(page.filter(({ timelineEvent: { type } }) => type !== 'mitter.mtet.SentTime')),
    all: eventsThat('m', 'seen', 'heard', 'read by')
  },
  'events of a message, of one type': { path: `${messageTimeline}?eventTypeFilter=heard&`, ids: idsOfEvents, all: eventsThat('m', 'heard') }
}

describe.each(Object.keys(lists))('%s', name => {
  const { path, ids, all } = lists[name]!

  it.each([97, 1_000])('come in pages of %i, each once and in order', async limit => {
    const pages = await pagesFrom(`${path}limit=${limit}`)
    for (const page of pages.slice(0, -1)) expect(page.length).toBe(limit)
    expect(pages.at(-1)!.length).toBeLessThanOrEqual(limit)
    expect(pages.at(-1)!.length).toBeGreaterThan(0)
    expect(pages.flatMap(page => ids(page))).toEqual(all())
  })

  it('are no more than 1,000 where nobody says how many, and Link leads on to the rest', async () => {
    const pages = await pagesFrom(path)
    expect(Math.max(...pages.map(page => page.length))).toBeLessThanOrEqual(DEFAULT_LIMIT)
    expect(pages.flatMap(page => ids(page))).toEqual(all())
  })

  it('go on after one of them, without it', async () => {
    const [first, ...rest] = all().slice(10, 14)
    const { status, body } = await get(`${path}limit=3&after=${first}`)
    expect([status, ids(body)]).toEqual([200, rest])
  })

  it('go on after what is there only: anything else is a 404', async () => {
    for (const after of ['unknown-1', 'reader', OTHER, QUIET]) {
      expect([after, (await get(`${path}after=${after}`)).body.errorCode]).toEqual([after, 'entity_not_found'])
    }
  })

  it('are 1 to 1,000', async () => {
    for (const limit of [0, 1_001, -1, 'a']) expect([limit, (await get(`${path}limit=${limit}`)).status]).toEqual([limit, 400])
    for (const limit of [1, 1_000]) expect([limit, (await get(`${path}limit=${limit}`)).status]).toEqual([limit, 200])
  })
})

describe('events that came with a channel or a message', () => {
  it.each([1, 2, 4])('are the first of its timeline, and pages of %i go on from them', async limit => {
    const event = (eventId: string) => ({ eventId, type: 'seen', eventTimeMs: 1_732_240_000_000, subject: SYSTEM })
    const [channelId, messageId] = [`channel-with-${limit}`, `message-with-${limit}`]
    const ids = ['one', 'two', 'three', 'four', 'five', 'six']
    const [ofChannel, ofMessage] = [ids.map(id => `c-${limit}-${id}`), ids.map(id => `m-${limit}-${id}`)]
    await on.store.append(createChannel(SYSTEM, channelId, { timelineEvents: ofChannel.slice(0, 3).map(event) }))
    await on.store.append(send(SYSTEM, channelId, 'a', { messageId, timelineEvents: ofMessage.slice(0, 3).map(event) }))
    for (const index of [3, 4, 5]) {
      await on.store.append({ type: 'add-channel-event', actor: SYSTEM, channelId, event: event(ofChannel[index]!) })
      await on.store.append({ type: 'add-message-event', actor: SYSTEM, channelId, messageIds: [messageId], event: event(ofMessage[index]!) })
    }
    const walked = async (path: string) => (await pagesFrom(`${path}/timeline?limit=${limit}&eventTypeFilter=seen`)).map(page => idsOfEvents(page))
    const paged = (all: string[]) => Array.from({ length: Math.ceil(all.length / limit) }, (_, page) => all.slice(page * limit, (page + 1) * limit))
    expect(await walked(`/v1/channels/${channelId}`)).toEqual(paged(ofChannel))
    expect(await walked(`/v1/channels/${channelId}/messages/${messageId}`)).toEqual(paged(ofMessage))
  })
})

describe('events of several at once', () => {
  const several = [`/v1/channels/${OTHER},${ROOM}/timeline`, `/v1/channels/${ROOM}/messages/${QUIET},${MESSAGE}/timeline`]

  it.each(several)('are the first so many of each: %s', async path => {
    const { status, body } = await get(`${path}?limit=7&eventTypeFilter=seen,heard,read%20by`)
    expect([status, body.length]).toEqual([200, 5 + 7])
    expect(idsOfEvents(body).slice(5)).toEqual((path.includes(MESSAGE) ? eventsThat('m', 'seen', 'heard', 'read by') : eventsThat('c', 'seen', 'heard', 'read by'))().slice(0, 7))
  })

  it.each(several)('are at most 1,000 of each: %s', async path => {
    const { body } = await get(`${path}?eventTypeFilter=seen,heard,read%20by`)
    expect(body.length).toBe(5 + DEFAULT_LIMIT)
  })

  it.each(several)('cannot go on after one of them: %s', async path => {
    const after = path.includes(MESSAGE) ? `m-${events[0]!.eventId}` : `c-${events[0]!.eventId}`
    expect((await get(`${path}?after=${after}`)).status).toBe(400)
  })
})

describe('participants who were deleted since', () => {
  it.each<[string, string[]]>([['the first', ['first']], ['the second', ['second']], ['both', ['first', 'second']]])('are each on a page: %s of two', async (_who, gone) => {
    const suffix = gone.join('-and-')
    const [first, second] = [`first-${suffix}`, `second-${suffix}`]
    const channelId = `direct-${suffix}`
    for (const userId of [first, second]) await on.store.append(createUser(userId))
    await on.store.append(createChannel(SYSTEM, channelId, {
      ruleset: 'io.mitter.ruleset.chats.DirectMessage',
      groupType: 'private',
      participants: [first, second].map(userId => ({ userId, status: 'active', roles: [] }))
    }))
    for (const which of gone) await on.store.append({ type: 'delete-user', actor: SYSTEM, userId: `${which}-${suffix}` })
    // Who stays in a direct channel is shown as .deleted there.
    const shown = [first, second].map((userId, index) => gone.includes(['first', 'second'][index]!) ? '.deleted' : userId)
    // A page goes on from a place: it may end on somebody who has no id any more.
    expect((await pagesFrom(`/v1/channels/${channelId}/participants?limit=1`)).map(page => idsOfParticipants(page))).toEqual(shown.map(id => [id]))
  })
})

describe('the cost of a page', () => {
  it.each(['events of a channel', 'events of a message'])('of one of %s is far less than that of all', async name => {
    const { path } = lists[name]!
    const timeOf = async (work: () => Promise<unknown>) => {
      const begun = performance.now()
      await work()
      return performance.now() - begun
    }
    const leastOf = async (runs: number, work: () => Promise<unknown>) => {
      let least = Infinity
      for (let run = 0; run < runs; run++) least = Math.min(least, await timeOf(work))
      return least
    }
    const one = await leastOf(20, () => get(`${path}limit=1`))
    const all = await leastOf(3, () => pagesFrom(`${path}limit=200`))
    expect(one).toBeLessThan(all / 3)
  })
})

it.each(['/v1/channels', '/v1/users/walker/channels'])('Link of %s goes on from where a channel stood that was made again since', async list => {
  await on.store.append(createUser('walker')).catch(() => {}) // by the other case
  const names = Array.from({ length: 5 }, (_, index) => `walk-${index}-${list.length}`)
  for (const name of names) await on.store.append(createChannel('walker', name))
  const first = await get(`${list}?after=${names[0]}&limit=1`)
  const next = nextOf(first, list)!
  await on.store.append({ type: 'delete-channel', actor: SYSTEM, channelId: names[1]! })
  await on.store.append(createChannel('walker', names[1]!))
  const rest = (await get(next.replace('limit=1', 'limit=3'))).body.map(({ identifier }: { identifier: string }) => identifier)
  expect(rest).toEqual(names.slice(2))
})

it('Link of a path that is written in another way can be followed', async () => {
  const at = `/v1/channels/${ROOM}/%74imeline?limit=1`
  expect((await get(nextOf(await get(at), at)!)).status).toBe(200)
})
