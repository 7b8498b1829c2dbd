/** What a store was, and what it promised, before and after it was moved: the service on both, over HTTP. */
import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { signed } from '../auth/signing.ts'
import { expectationOf, unpack, type Expectation } from '../store/fixtures/fixture.ts'
import { observe, replay, type Observed } from '../store/fixtures/observe.ts'
import { asApplication, asUser, basicOf, call, spawnService, tokenFor, type Answer, type ServiceProcess } from '../support/process.ts'
import { isEntry, openReader } from '../support/sse.ts'
import { makePlace, moveTo, type Place } from './moving.ts'

/** What the fixtures' days had is kept: they are long ago. */
const TEN_YEARS = { EVENT_RETENTION_HOURS: '87600' }

/** Whatever a text may hold, and a bulk of rows must not stumble over. */
const ODD = 'NUL \u0000, tab \t, line \n, return \r, \\N, \\., \\t, "quotes", 🦀, \ufffd'

/** A list of types has commas. */
const ODD_TYPE = `com.example.${ODD.replaceAll(',', ';')}`

const answerOf = ({ status, body }: Answer) => ({ status, body })

/** What is there of requests that are sent again. */
interface Request {
  by: string | undefined
  method: string
  path: string
  key: string
  body?: object
}

/** Registers the tests of one of the stores that earlier versions left (../store/fixtures), brought up to date, and lived in for a day. */
export function keptSuite (fixture: string): void {
  describe(`the store of ${fixture}, with a day of its own`, () => suite(fixture))
}

function suite (fixture: string): void {
  let place: Place
  let dataDir: string
  let service: ServiceProcess
  let tokens: Record<string, string>
  let revoked: string
  let eventToken: string
  let before: Observed
  let after: Observed
  let expectation: Expectation
  let replayed: Record<string, unknown>
  const answers: Array<Request & { answer: object }> = []
  const signedCall = { body: JSON.stringify({ userId: 'signed' }), headers: {} as Record<string, string> }

  const app = async (method: string, path: string, body?: object) => await asApplication(service, method, path, body)
  const as = async (userId: string, method: string, path: string, body?: object) => await asUser(service, tokens[userId]!, method, path, body)
  const must = async (asked: Promise<Pick<Answer, 'status' | 'body'>>): Promise<any> => {
    const { status, body } = await asked
    if (status >= 300) throw new Error(`it was answered ${status}: ${JSON.stringify(body)}`)
    return body
  }
  const request = async ({ by, method, path, key, body }: Request) => {
    const authorization = by === undefined ? basicOf(service.credentials) : `Bearer ${tokens[by]!}`
    return answerOf(await call(service.url, method, path, { authorization, 'idempotency-key': `key-of-${key}` }, body))
  }
  const postSigned = async () => (await fetch(`${service.url}/v1/users`, { method: 'POST', headers: signedCall.headers, body: signedCall.body })).status

  /** A day that has of everything. */
  async function live (): Promise<void> {
    for (const userId of ['one', 'two', 'three', 'gone']) tokens[userId] = await tokenFor(service, userId)
    await must(app('POST', '/v1/users', { userId: 'odd', screenName: { screenName: ODD } }))
    const participation = ['one', 'two', 'three'].map(participantId => ({ participantId, participationStatus: 'Active' }))
    const messages = '/v1/channels/moved-room/messages'
    const requests: Request[] = [
      { by: undefined, method: 'POST', path: '/v1/channels', key: 'channel', body: { channelId: 'moved-room', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'strict_private', participation } },
      { by: 'one', method: 'POST', path: messages, key: 'first', body: { messageId: 'message-first', textPayload: ODD } },
      { by: 'two', method: 'POST', path: messages, key: 'listed', body: { messageId: 'message-listed', textPayload: 'For one', appliedAcls: { plusAppliedAcls: ['read_message:user(one)'] } } },
      { by: 'one', method: 'POST', path: messages, key: 'withdrawn', body: { messageId: 'message-withdrawn', textPayload: 'Oh' } },
      { by: undefined, method: 'POST', path: '/v1/channels/moved-room/participants/two/mute', key: 'mute' }
    ]
    for (const one of requests) await must(request(one))
    await must(as('one', 'POST', '/v1/channels/moved-room/timeline', { eventId: 'event-that-is-odd', type: ODD_TYPE, eventTimeMs: 1, subject: 'one' }))
    await must(app('POST', `${messages}/message-first/timeline`, { type: 'mitter.mtet.ReadTime', eventTimeMs: 2, subject: 'gone' }))
    await must(app('PATCH', '/v1/channels/moved-room/acls', { patchType: 'Set', setAcls: { plusAppliedAcls: [], minusAppliedAcls: ['join_channel:any_user()'] } }))
    await must(app('PATCH', '/v1/messages/message-listed/acls', { patchType: 'Set', setAcls: { plusAppliedAcls: ['read_message:user(three)'], minusAppliedAcls: [] } }))
    await must(as('one', 'DELETE', `${messages}/message-withdrawn`))
    await must(as('three', 'DELETE', '/v1/channels/moved-room/participants/three'))
    await must(app('DELETE', '/v1/users/gone'))
    await must(app('POST', '/v1/channels', { channelId: 'emptied-room', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation }))
    for (let nth = 0; nth < 3; nth++) await must(app('POST', '/v1/channels/emptied-room/messages', { senderId: '.system', textPayload: `${nth}` }))
    await must(app('DELETE', '/v1/channels/emptied-room/messages'))
    for (const one of requests) answers.push({ ...one, answer: await request(one) })
    revoked = await tokenFor(service, 'one')
    const { userTokenId } = JSON.parse(Buffer.from(revoked.split('.')[1]!, 'base64url').toString())
    await must(app('DELETE', `/v1/users/one/tokens/${userTokenId}`))
    eventToken = (await must(as('two', 'POST', '/v1/users/me/event-tokens'))).eventToken
    signedCall.headers = signed({ method: 'POST', path: '/v1/users', body: signedCall.body, key: service.credentials.accessKey, secret: service.credentials.accessSecret })
    expect(await postSigned()).toBe(200)
    delete tokens.gone
  }

  /** What every stream of some readers goes on with, after each of the places that they have been at. */
  async function replays (frames: Observed['frames']): Promise<Record<string, unknown>> {
    const found: Record<string, unknown> = {}
    const streams: Array<[path: string, token?: string | undefined]> = [
      ['/v1/events'], ['/v1/users/me/events', tokens.one], ['/v1/users/me/events', tokens.two], ['/v1/users/me/events', tokens.amy],
      ['/v1/channels/moved-room/events', tokens.one], ['/v1/channels/town-square/events']
    ]
    const step = Math.ceil(frames.length / 24)
    for (const [nth, [path, token]] of streams.entries()) {
      for (const { id } of frames.filter((_, index) => index % step === nth % step)) {
        found[`${nth} ${path} after ${id}`] = await replay({ service }, path, id!, token).then(rest => rest.map(({ id, event, json }) => [id, event, json]), err => (err as Error).message)
      }
    }
    return found
  }

  beforeAll(async () => {
    expectation = expectationOf(fixture)
    place = await makePlace()
    dataDir = unpack(fixture)
    service = await spawnService({ dataDir, env: TEN_YEARS })
    tokens = {}
    for (const userId of Object.keys(expectation.tokens)) tokens[userId] = await tokenFor(service, userId)
    await live()
    before = await observe({ service, tokens })
    replayed = await replays(before.frames)
    await service.stop()
    await moveTo(place.url, dataDir)
    const { applicationId, accessKey, accessSecret, tokenSecret } = service.credentials
    const credentials = { APPLICATION_ID: applicationId, ACCESS_KEY: accessKey, ACCESS_SECRET: accessSecret, TOKEN_SECRET: tokenSecret }
    service = await spawnService({ dataDir, env: { ...TEN_YEARS, ...credentials, DATABASE_URL: place.url, DATABASE_ALLOW_UNSAFE: 'true' } })
    after = await observe({ service, tokens })
  }, 120_000)
  afterAll(async () => {
    await service?.stop()
    rmSync(dataDir, { recursive: true })
    place.remove()
  })

  it('answers every list, and every timeline, as it did', () => {
    expect(after.users).toEqual(before.users)
    expect(after.channels).toEqual(before.channels)
    expect(after.in).toEqual(before.in)
    expect(after.of).toEqual(before.of)
    expect(after.tokens).toEqual(before.tokens)
    expect(JSON.stringify(after)).toContain(JSON.stringify(ODD).slice(1, -1))
  })

  it('tells every stream what it did, from its beginning and from its middle', () => {
    expect(before.frames.length).toBeGreaterThan(100)
    expect(after.frames).toEqual(before.frames)
    expect(after.streams).toEqual(before.streams)
    expect(after.resumed).toEqual(before.resumed)
  })

  it('goes on after every cursor that was given out before', async () => {
    expect(Object.values(replayed).filter(Array.isArray).length).toBeGreaterThan(60)
    expect(await replays(before.frames)).toEqual(replayed)
  })

  it('knows the cursor of its end, one that is too old, and one of a channel that had the same id', async () => {
    const gapAfter = async (path: string, cursor: string) => {
      const reader = await openReader(`${service.url}${path}?after=${cursor}`, { authorization: basicOf(service.credentials) })
      await reader.until('caught-up')
      reader.close()
      expect(reader.frames.filter(isEntry)).toEqual([])
      return reader.frames.find(({ event }) => event === 'gap')?.json.reason
    }
    const { expired, ofEarlierLife: { channelId, cursor } } = expectation.cursors
    expect(await gapAfter('/v1/events', before.frames[before.streams['the application']!.at(-1)!]!.id!)).toBe(undefined)
    expect(await gapAfter('/v1/events', expired)).toBe('expired')
    expect(await gapAfter(`/v1/channels/${channelId}/events`, cursor)).toBe('unknown')
  })

  it('knows which tokens are good, and which are not', async () => {
    for (const userId of Object.keys(tokens)) expect(await as(userId, 'GET', '/v1/users/me'), userId).toMatchObject({ status: 200, body: { userId } })
    expect(await asUser(service, revoked, 'GET', '/v1/users/me')).toMatchObject({ status: 401 })
    const reader = await openReader(`${service.url}/v1/users/two/events?access_token=${eventToken}`)
    await reader.until('caught-up')
    reader.close()
  })

  it('answers repeats under the same key as it did, and does nothing', async () => {
    const newest = async () => (await app('GET', '/v1/channels?limit=1')).headers.get('x-event-cursor')
    const head = await newest()
    for (const { answer, ...one } of answers) expect(await request(one), one.key).toEqual(answer)
    const { answer: _, ...first } = answers.find(({ key }) => key === 'first')!
    expect(await request({ ...first, body: { ...first.body, textPayload: 'Something else' } })).toMatchObject({ status: 422 })
    expect(await newest()).toBe(head)
  })

  it('refuses a signed call that it has had', async () => {
    expect(await postSigned()).toBe(401)
  })

  it('gives no id again: of users, messages, and events', async () => {
    for (const userId of ['gone', 'eve']) expect(await app('POST', '/v1/users', { userId }), userId).toMatchObject({ status: 409 })
    for (const messageId of ['message-withdrawn', 'first-day-8']) {
      expect(await as('one', 'POST', '/v1/channels/moved-room/messages', { messageId, textPayload: '' }), messageId).toMatchObject({ status: 409 })
    }
    for (const eventId of ['event-that-is-odd', 'event-of-town-square', 'event-of-third-day-3']) {
      expect(await as('one', 'POST', '/v1/channels/moved-room/timeline', { eventId, type: 'com.example.again', eventTimeMs: 1, subject: 'one' }), eventId).toMatchObject({ status: 409 })
    }
  })

  it('finds timeline events by a type of whatever characters', async () => {
    const { status, body } = await as('one', 'GET', `/v1/channels/moved-room/timeline?eventTypeFilter=${encodeURIComponent(ODD_TYPE)}`)
    expect([status, body.map(({ timelineEvent }: any) => timelineEvent.eventId)]).toEqual([200, ['event-that-is-odd']])
  })

  it('goes on: standings, lists and streams are in force', async () => {
    expect(await as('two', 'POST', '/v1/channels/moved-room/messages', { textPayload: 'I am muted' })).toMatchObject({ status: 403 })
    const shown = async (userId: string) => (await as(userId, 'GET', '/v1/channels/moved-room/messages')).body.map(({ messageId }: any) => messageId)
    expect(await shown('one')).toEqual(['message-first'])
    expect(await shown('two')).toEqual(['message-first'])
    expect((await app('GET', '/v1/channels/moved-room/messages')).body).toHaveLength(2)
    const reader = await openReader(`${service.url}/v1/users/me/events`, { authorization: `Bearer ${tokens.one!}`, 'last-event-id': before.frames[before.streams['the application']!.at(-1)!]!.id! })
    const sent = await must(as('one', 'POST', '/v1/channels/moved-room/messages', { textPayload: 'After the move' }))
    await reader.until(({ json }) => json.message?.messageId === sent.messageId)
    expect(reader.frames.filter(isEntry)).toHaveLength(1)
    reader.close()
    const keyed: Request = { by: 'one', method: 'POST', path: '/v1/channels/moved-room/messages', key: 'afterwards', body: { textPayload: 'Under a key' } }
    const answer = await request(keyed)
    expect(answer.status).toBe(200)
    expect(await request(keyed)).toEqual(answer)
  })
}
