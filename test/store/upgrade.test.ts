/** The service of the day on stores that real runs of earlier versions left (fixtures/README.md). */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asApplication, asUser, basicOf, call, spawnService, type ServiceProcess } from '../support/process.ts'
import { isEntry, openReader } from '../support/sse.ts'
import { faultsOf, faultsOfIntervals, hasTable, schemaOf } from './consistency.ts'
import { activeAdmins, expectationOf, fixtures, settingsAt, unpack, type Expectation } from './fixtures/fixture.ts'
import { COUNT_HEADER, listAll, observe, participantsOf, replay, type List, type Observed } from './fixtures/observe.ts'
import { RULESETS } from './fixtures/program.ts'

/** Users whom the program deletes. */
const DELETED_USERS = ['eve', 'hal', 'rex']
/** One of them as the subject of an event, as `observe` writes timelines. */
const namedInLine = / of (?:eve|hal|rex), added at /

const [GROUP_CHAT] = RULESETS

/** Small enough that every list has several pages. */
const SMALL_PAGE = 3

describe.each(fixtures)('a store found as %s', fixture => {
  const expectation = expectationOf(fixture)
  const expected = comparable(expectation.observed, expectation)
  let dataDir: string
  let service: ServiceProcess
  let asFound: Observed
  let found: Observed
  beforeAll(async () => {
    dataDir = unpack(fixture)
    service = await spawnService({ dataDir, env: settingsAt(expectation.at) })
    asFound = await observe({ service, tokens: expectation.tokens })
    found = comparable(asFound, expectation)
  })
  afterAll(async () => {
    await service?.stop() // absent where it did not start
    rmSync(dataDir, { recursive: true })
  })

  const app = (method: string, path: string, body?: object) => asApplication(service, method, path, body)
  const as = (userId: string, method: string, path: string, body?: object) => asUser(service, expectation.tokens[userId]!, method, path, body)
  const standingOf = async (userId: string, channelId: string): Promise<{ relayStatus: string, roles: string[] } | undefined> => {
    const participants = await participantsOf({ service }, channelId)
    return participants.find(({ participantId }: any) => participantId.identifier === userId)
  }

  describe('is as it was', () => {
    it('its users, their total, and their good tokens', () => {
      expect(found.users).toEqual(expected.users)
      expect(found.tokens).toEqual(expected.tokens)
    })

    it('its channels', () => {
      expect(found.channels.all.items).toEqual(expected.channels.all.items)
      expect(found.channels.listed.items).toEqual(expected.channels.all.items.filter(channel => isListed(channel, asFound)))
    })

    it('the channels of each user, and what each is there', () => {
      for (const [userId, { all, byRuleset }] of Object.entries(expected.of)) {
        expect(found.of[userId]!.all.items, userId).toEqual(all.items)
        expect(itemsOf(found.of[userId]!.byRuleset), userId).toEqual(itemsOf(byRuleset))
        expect(found.of[userId]!.listed.items, userId).toEqual(all.items.filter(participation => isListed(participation, asFound)))
      }
    })

    it('the participants of each channel, with their standing and roles', () => {
      for (const channelId of Object.keys(expected.in)) {
        expect(found.in[channelId]?.participants, channelId).toEqual(expected.in[channelId]!.participants)
      }
    })

    it('the messages of each channel, their edits, and their total', () => {
      for (const channelId of Object.keys(expected.in)) {
        expect(found.in[channelId]?.messages, channelId).toEqual(expected.in[channelId]!.messages)
      }
    })

    it('the timelines of channels and messages', () => {
      for (const channelId of Object.keys(expected.in)) {
        expect(found.in[channelId]?.timeline, channelId).toEqual(expected.in[channelId]!.timeline)
        expect(found.in[channelId]?.timelines, channelId).toEqual(expected.in[channelId]!.timelines)
      }
    })

    it('what every stream tells from the earliest on', () => {
      expect(Object.keys(found.streams).sort()).toEqual(Object.keys(expected.streams).sort())
      for (const name of Object.keys(expected.streams)) {
        const was = told(expected, expected.streams[name])
        // Earlier versions did not tell a member of a channel's beginning that came to receive the channel only later.
        const is = told(found, found.streams[name]).filter(({ event, id }) => event !== 'channel' || was.some(frame => frame.id === id))
        expect(is, name).toEqual(was)
      }
    })

    it('what every stream tells from its middle on', () => {
      expect(Object.keys(found.resumed).sort()).toEqual(Object.keys(expected.resumed).sort())
      for (const name of Object.keys(expected.resumed)) {
        const rest = told(found, found.resumed[name])
        const whole = told(found, found.streams[name])
        expect(rest, name).toEqual(whole.slice(whole.length - rest.length))
        if (found.streams[name]!.length === expected.streams[name]!.length) expect(rest, name).toEqual(told(expected, expected.resumed[name]))
      }
    })
  })

  describe('still knows', () => {
    it('whose tokens are good', async () => {
      for (const userId of Object.keys(expectation.tokens)) {
        const { status, body } = await as(userId, 'GET', '/v1/users/me')
        expect([status, body.userId]).toEqual([200, userId])
      }
      const { token, userId } = expectation.eventToken
      const reader = await openReader(`${service.url}/v1/users/${userId}/events?access_token=${token}`)
      await reader.until('caught-up')
      reader.close()
    })

    it.each(Object.keys(expectation.dead) as Array<keyof Expectation['dead']>)('tokens that are not: %s', async why => {
      expect(expectation.dead[why]).not.toEqual([])
      for (const token of expectation.dead[why]) {
        expect(await asUser(service, token, 'GET', '/v1/users/me')).toMatchObject({ status: 401 })
      }
    })

    it('what it answered to requests that are repeated', async () => {
      const { cursor } = await head(service)
      for (const { userId, method, path, body, key, answer } of expectation.repeats) {
        const authorization = userId === undefined ? basicOf(service.credentials) : `Bearer ${expectation.tokens[userId]}`
        const { status, body: again } = await call(service.url, method, path, { authorization, 'idempotency-key': key }, body)
        expect({ status, ...(again === undefined ? {} : { body: again }) }, `${method} ${path}`).toEqual(answer)
      }
      expect(await head(service)).toEqual({ cursor })
    })

    it('the cursor of its end, as one that nothing follows', async () => {
      expect(await head(service)).toEqual({ cursor: expectation.cursors.head })
      expect(await replay({ service }, '/v1/events', expectation.cursors.head)).toEqual([])
    })

    it('a cursor that is too old', async () => {
      expect(await gapAfter('/v1/events', expectation.cursors.expired)).toBe('expired')
    })

    it('a cursor of a channel that had the same id', async () => {
      const { channelId, cursor } = expectation.cursors.ofEarlierLife
      expect(await gapAfter(`/v1/channels/${channelId}/events`, cursor)).toBe('unknown')
    })

    it('ids that were taken: of users who were deleted, of messages, of events', async () => {
      expect(await app('POST', '/v1/users', { userId: 'eve' })).toMatchObject({ status: 409 })
      expect(await as('amy', 'POST', '/v1/channels/town-square/messages', { messageId: 'first-day-8', textPayload: '' })).toMatchObject({ status: 409 })
      for (const eventId of ['event-of-town-square', 'event-of-third-day-3']) {
        const event = { eventId, type: 'com.example.again', eventTimeMs: 1, subject: 'amy' }
        expect(await as('amy', 'POST', '/v1/channels/town-square/timeline', event), eventId).toMatchObject({ status: 409 })
      }
    })
  })

  it('names nobody who was deleted in what happened to channels and messages', () => {
    const lines = Object.values(asFound.in).flatMap(({ timeline, timelines }) => [...timeline, ...Object.values(timelines).flat()])
    const subjects = JSON.stringify(asFound).match(/"subject":\{[^}]*\}/g)!
    expect(lines.filter(line => namedInLine.test(line))).toEqual([])
    expect(subjects.filter(subject => DELETED_USERS.some(userId => subject.includes(`"${userId}"`)))).toEqual([])
  })

  it('has totals that are those of its lists', async () => {
    await expectTotals()
  })

  describe('goes on', () => {
    it('relays to everyone who is there', async () => {
      for (const channelId of Object.keys(expected.in)) {
        const receiving = (await participantsOf({ service }, channelId)).filter(({ relayStatus }: any) => relayStatus === 'active' || relayStatus === 'muted')
        const sent = await app('POST', `/v1/channels/${channelId}/messages`, { senderId: '.system', textPayload: 'After the upgrade' })
        expect([channelId, sent.status, sent.body.relay?.recipientsCount]).toEqual([channelId, 200, receiving.length])
        for (const { participantId: { identifier } } of receiving) {
          const after = `after=${expectation.cursors.head}`
          if (!(identifier in expectation.tokens)) continue
          const reader = await openReader(`${service.url}/v1/users/${identifier}/events?${after}`, { authorization: basicOf(service.credentials) })
          await reader.until(({ json }) => json.message?.messageId === sent.body.messageId)
          reader.close()
        }
      }
    })

    it('lets in who waits, and keeps it muted where it left muted', async () => {
      const [channelId, { participants }] = Object.entries(found.in).find(([, { participants }]) =>
        activeAdmins(participants).length > 0 && participants.some(({ relayStatus }) => relayStatus === 'pending'))!
      const { identifier: pending } = participants.find(({ relayStatus }) => relayStatus === 'pending').participantId
      const [admin] = activeAdmins(participants)
      expect(await as(admin!, 'POST', `/v1/channels/${channelId}/participants/${pending}/accept`)).toMatchObject({ status: 204 })
      expect(['active', 'muted']).toContain((await standingOf(pending, channelId))?.relayStatus)

      if (await standingOf('ned', 'garden-club') === undefined) await as('ned', 'POST', '/v1/channels/garden-club/participants', { participantId: 'ned' })
      expect(await standingOf('ned', 'garden-club')).toMatchObject({ relayStatus: 'pending' })
      expect(await as('bob', 'POST', '/v1/channels/garden-club/participants/ned/accept')).toMatchObject({ status: 204 })
      expect(await standingOf('ned', 'garden-club')).toMatchObject({ relayStatus: 'muted' })
    })

    it.each([['bob', 'muted'], ['mia', 'muted'], ['cat', 'disabled'], ['ned', 'disabled']])('lets %s leave and come back %s', async (userId, held) => {
      if (await standingOf(userId, 'news-desk') !== undefined) {
        expect(await as(userId, 'DELETE', '/v1/channels/news-desk/participants/me')).toMatchObject({ status: 204 })
      }
      const joined = await as(userId, 'POST', '/v1/channels/news-desk/participants', { participantId: userId })
      expect([joined.status, joined.headers.get('x-relay-status')]).toEqual([204, held])
      expect(await standingOf(userId, 'news-desk')).toMatchObject({ relayStatus: held, roles: [] })
    })

    it('lets an old message be edited, and deleted with all its edits', async () => {
      expect(await as('amy', 'PATCH', '/v1/channels/town-square/messages/first-day-3', { textPayload: 'Edited after the upgrade' }))
        .toMatchObject({ status: 200, body: { messageId: 'first-day-3', textPayload: 'Edited after the upgrade' } })
      expect(await as('amy', 'DELETE', '/v1/channels/town-square/messages/first-day-3')).toMatchObject({ status: 204 })
      expect(await app('GET', '/v1/messages/first-day-3')).toMatchObject({ status: 404 })
      const frames = await replay({ service }, '/v1/channels/town-square/events', 'earliest')
      expect(frames.filter(({ json }) => json.message?.messageId === 'first-day-3')).toEqual([])
    })

    it('adds to timelines', async () => {
      const { body: before } = await as('amy', 'GET', '/v1/channels/town-square/timeline')
      const event = { eventId: 'event-after-the-upgrade', type: 'com.example.upgraded', eventTimeMs: 1, subject: 'amy' }
      expect(await as('amy', 'POST', '/v1/channels/town-square/timeline', event)).toMatchObject({ status: 204 })
      const { body } = await as('amy', 'GET', '/v1/channels/town-square/timeline')
      expect(body.at(-1).timelineEvent).toMatchObject({ eventId: 'event-after-the-upgrade' })
      expect(body).toHaveLength(before.length + 1)
    })

    it('gives office to whoever waits for it where it is vacant', async () => {
      expect(await standingOf('ola', 'vacant-seat')).toMatchObject({ relayStatus: 'pending', roles: [] })
      expect(await app('POST', '/v1/channels/vacant-seat/participants/ola/accept')).toMatchObject({ status: 204 })
      expect(await standingOf('ola', 'vacant-seat')).toMatchObject({ relayStatus: 'active', roles: ['admin'] })
    })

    it('passes office on to who has been active longest', async () => {
      // Others came and went meanwhile, after those that the earlier version chose from.
      for (const [channelId, { of, successor }] of Object.entries(expectation.successors)) {
        expect(await app('DELETE', `/v1/channels/${channelId}/participants/${of}`), channelId).toMatchObject({ status: 204 })
        if (successor !== undefined) expect([channelId, ...activeAdmins(await participantsOf({ service }, channelId))]).toEqual([channelId, successor])
      }
    })

    it('deletes a channel', async () => {
      expect(await app('DELETE', '/v1/channels/town-square')).toMatchObject({ status: 204 })
      expect(await app('GET', '/v1/channels/town-square')).toMatchObject({ status: 404 })
      const { items } = await listAll({ service }, '/v1/users/cat/channels')
      expect(items.map(({ identifier }) => identifier)).not.toContain('town-square')
      await expectTotals()
    })

    it('deletes a user', async () => {
      expect(await app('DELETE', '/v1/users/amy')).toMatchObject({ status: 204 })
      expect(await as('amy', 'GET', '/v1/users/me')).toMatchObject({ status: 401 })
      for (const { channelId, defaultRuleSet } of found.channels.all.items) {
        if (channelId === 'town-square') continue
        const ids = (await participantsOf({ service }, channelId)).map(({ participantId }: any) => participantId.identifier)
        expect(ids, channelId).not.toContain('amy')
        if (defaultRuleSet.endsWith('.GroupChat')) expect(ids, channelId).not.toContain('.deleted')
      }
      await expectTotals()
    })

    it('and its database is sound after it all', async () => {
      expect(await service.stop()).toBe(0)
      const db = new DatabaseSync(join(dataDir, 'channel-relay.db'), { readOnly: true })
      try {
        expect(faultsOf(db)).toEqual({})
        if (hasTable(db, 'intervals')) expect(faultsOfIntervals(db)).toEqual([])
        else expect(schemaOf(db)).toBeLessThan(3)
      } finally {
        db.close()
      }
    })
  })

  async function gapAfter (path: string, cursor: string): Promise<string | undefined> {
    const reader = await openReader(`${service.url}${path}?after=${cursor}`, { authorization: basicOf(service.credentials) })
    await reader.until('caught-up')
    reader.close()
    expect(reader.frames.filter(isEntry)).toEqual([])
    return reader.frames.find(({ event }) => event === 'gap')?.json.reason
  }

  /** Each list, small page by small page, has as many as its total says, and none twice. */
  async function expectTotals (): Promise<void> {
    const { items: users } = await listAll({ service }, '/v1/users')
    const { items: channels } = await listAll({ service }, '/v1/channels?includeSystemChannels=true')
    const filters = ['', '?includeSystemChannels=true',
      ...RULESETS.flatMap(ruleset => [`?rulesetFilter=${ruleset}`, `?includeSystemChannels=true&rulesetFilter=${ruleset}`])]
    const lists = [
      '/v1/users', '/v1/channels', '/v1/channels?includeSystemChannels=true',
      ...channels.map(({ channelId }) => `/v1/channels/${channelId}/messages`),
      ...users.flatMap(({ userId }) => filters.map(filter => `/v1/users/${userId}/channels${filter}`))
    ]
    const wrong: string[] = []
    for (const list of lists) {
      const { total, items } = await listAll({ service }, list, SMALL_PAGE)
      const { size } = new Set(items.map(({ identifier }) => identifier))
      if (total !== size || items.length !== size) wrong.push(`${list}: ${size} of ${total}`)
    }
    expect(wrong).toEqual([])
  }
})

/** The cursor of the log's end. */
async function head (service: ServiceProcess): Promise<{ cursor: string | null }> {
  const { headers } = await asApplication(service, 'GET', '/v1/channels?limit=1')
  expect(headers.has(COUNT_HEADER)).toBe(true)
  return { cursor: headers.get('x-event-cursor') }
}

/**
 * What was observed, without what may differ between versions for good reason: whether a deleted user is still
 * named as the subject of an event (a test of its own says that none is), tokens that have expired, or whose maker was
 * revoked, and whether a GroupChat that the first version called a system channel still is one (its lists have to agree with it).
 */
function comparable (observed: Observed, { at, dead }: Expectation): Observed {
  // Earlier versions listed what a revoked token had made.
  const withMaker = dead['child of a revoked one'].map(token => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).userTokenId)
  const compared: Observed = JSON.parse(JSON.stringify(observed), (_name, value) => {
    if (typeof value === 'string') return value.replace(namedInLine, ' of .deleted, added at ')
    if (DELETED_USERS.includes(value?.subject?.identifier)) return { ...value, subject: { identifier: '.deleted' } }
    if (value?.defaultRuleSet === GROUP_CHAT) return { ...value, systemChannel: false }
    return value
  })
  for (const userId of Object.keys(compared.tokens)) {
    compared.tokens[userId] = compared.tokens[userId]!.filter(({ tokenId, expiresAt }) => expiresAt > at && !withMaker.includes(tokenId))
  }
  return compared
}

function isListed ({ identifier }: { identifier: string }, { channels }: Observed): boolean {
  return !channels.all.items.find(channel => channel.identifier === identifier).systemChannel
}

const itemsOf = (lists: Record<string, List<unknown>>) => Object.entries(lists).map(([name, { items }]) => [name, items])

const told = ({ frames }: Observed, indexes: number[] | undefined) => indexes!.map(index => frames[index]!)
