/** The promises of protocol 8, each through HTTP and a real reader. */
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join, leave, send } from '../support/commands.ts'
import { call } from '../support/process.ts'
import { isEntry, openReader, textsOf, type Reader } from '../support/sse.ts'

let on: TestApp
let serial = 0
let [alice, bob, room] = ['', '', '']
let asAlice: Record<string, string> = {}
let asBob: Record<string, string> = {}
const readers: Reader[] = []

beforeAll(async () => { on = await startApp() })
afterAll(() => on.stop())
beforeEach(async () => {
  readers.splice(0).forEach(reader => reader.close())
  serial++
  ;[alice, bob, room] = [`alice${serial}`, `bob${serial}`, `room-${serial}-0000`]
  asAlice = await on.user(alice)
  asBob = await on.user(bob)
  await on.store.append(createChannel(alice, room))
})

async function open (path: string, headers: Record<string, string>): Promise<Reader> {
  const reader = await openReader(on.url + path, headers)
  readers.push(reader)
  return reader
}

/** Opens and waits until the stream is live. */
async function live (path: string, headers: Record<string, string>): Promise<Reader> {
  const reader = await open(path, headers)
  await reader.until('caught-up')
  return reader
}

const say = (text: string, headers = asAlice, channel = room) =>
  call(on.url, 'POST', `/v1/channels/${channel}/messages`, headers, { textPayload: text })
const said = (text: string) => (frame: { json: { message?: { textPayload: string } } }) => frame.json.message?.textPayload === text

describe('a stream', () => {
  it('answers with the headers of an event stream, and its first frame with them', async () => {
    const reader = await open('/v1/users/me/events', asAlice)
    expect(reader.status).toBe(200)
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no'
    })
    await reader.until('caught-up')
    expect(reader.frames.map(({ event }) => event)).toEqual(['ready', 'caught-up'])
    expect(reader.frames[0]).toMatchObject({ id: expect.any(String), retry: '2000' })
  })

  it('carries mitter\'s payload, the same on every stream and every replay', async () => {
    const paths: Array<[string, Record<string, string>]> = [
      ['/v1/users/me/events', asAlice], [`/v1/channels/${room}/events`, asAlice], ['/v1/events', on.application]
    ]
    const streams = await Promise.all(paths.map(([path, headers]) => live(path, headers)))
    const { body } = await say('hello')
    const frames = await Promise.all(streams.map(reader => reader.until(said('hello'))))
    const again = await open('/v1/users/me/events?after=earliest', asAlice)
    frames.push(await again.until('message'))
    expect(new Set(frames.map(({ data }) => data[0])).size).toBe(1)
    expect(frames[0]!.json).toMatchObject({
      '@type': 'new-message-payload', globalPipelinePayloadId: frames[0]!.id, channelId: { identifier: room }, message: { messageId: body.messageId, textPayload: 'hello' }
    })
    expect(frames[0]!.id).toBe(body.relay.cursor)
  })

  it.each([
    ['a newline', 'one\ntwo'], ['a carriage return', 'one\rtwo'], ['both', 'one\r\n\r\ntwo'], ['NUL', 'one\0two'],
    ['U+2028 and U+2029', 'one\u2028two\u2029'], ['an emoji', '👩‍👩‍👧‍👦 🇪🇺'], ['what looks like a field', 'data: x\n\nevent: bye\n\nid: 7'],
    ['a byte order mark', '\ufeffone'], ['nothing', ''], ['64 KiB', 'ü'.repeat(32 * 1024)]
  ])('carries %s unchanged, in one frame of one data line', async (_what, text) => {
    const reader = await live('/v1/users/me/events', asAlice)
    expect((await say(text)).status).toBe(200)
    const frame = await reader.until('message')
    expect(frame.data).toHaveLength(1)
    expect(frame.json.message.textPayload).toBe(text)
    const history = await call(on.url, 'GET', `/v1/channels/${room}/messages`, asAlice)
    expect(history.body[0].textPayload).toBe(text)
  })

  it('is refused without credentials, of another user, of a stranger\'s channel, of none, and where it is not acceptable', async () => {
    const statusOf = async (path: string, headers: Record<string, string>) => (await open(path, headers)).status
    expect(await statusOf('/v1/users/me/events', {})).toBe(401)
    expect(await statusOf(`/v1/users/${alice}/events`, asBob)).toBe(403)
    expect(await statusOf(`/v1/channels/${room}/events`, asBob)).toBe(403)
    expect(await statusOf('/v1/channels/is-not-there/events', asBob)).toBe(404)
    expect(await statusOf('/v1/users/nobody-at-all/events', on.application)).toBe(404)
    expect(await statusOf('/v1/events', asAlice)).toBe(403)
    expect(await statusOf('/v1/users/me/events', { ...asAlice, accept: 'application/json' })).toBe(406)
    expect(await statusOf('/v1/users/me/events', { ...asAlice, accept: 'application/json, text/event-stream;q=0.5' })).toBe(200)
  })

  it('writes a comment after a silence', async () => {
    const quick = await startApp({ heartbeatMs: 30 })
    const reader = await openReader(`${quick.url}/v1/users/me/events`, await quick.user('amy'))
    while (reader.comments < 3) await sleep(10)
    reader.close()
    await quick.stop()
  })

  it('moves an idle reader\'s cursor along, and not while there was something', async () => {
    const quick = await startApp({ checkpointMs: 100, alone: true })
    const [amy, ben] = [await quick.user('amy'), await quick.user('ben')]
    const reader = await openReader(`${quick.url}/v1/users/me/events`, amy)
    await reader.until('caught-up')
    await quick.store.append(createChannel('ben', 'not-for-amy'))
    const checkpoint = await reader.until('checkpoint')
    expect(checkpoint.id).toBe((await quick.store.head()).cursor)
    await sleep(250)
    expect(reader.frames.map(({ event }) => event)).toEqual(['ready', 'caught-up', 'checkpoint'])
    const after = await openReader(`${quick.url}/v1/users/me/events`, { ...amy, 'last-event-id': checkpoint.id! })
    await after.until('caught-up')
    expect(after.frames.map(({ event }) => event)).toEqual(['ready', 'caught-up'])
    expect(ben).toBeDefined()
    reader.close()
    after.close()
    await quick.stop()
  })
})

describe('resuming', () => {
  it('delivers exactly what was missed, once, in order, then goes on live without a seam, while messages are being sent', async () => {
    const first = await live('/v1/users/me/events', asAlice)
    await say('first')
    await first.until('message')
    first.close()
    const total = 400
    const sending = (async () => {
      for (let index = 0; index < total; index += 4) {
        await Promise.all([0, 1, 2, 3].map(offset => on.store.append(send(alice, room, `${index + offset}`))))
      }
    })()
    const resumed: Reader[] = []
    for (let index = 0; index < 20; index++) {
      resumed.push(await open('/v1/users/me/events', { ...asAlice, 'last-event-id': first.lastId()! }))
      await sleep(3)
    }
    await sending
    const expected = Array.from({ length: total }, (_, index) => `${index}`)
    for (const reader of resumed) {
      await reader.until(said(`${total - 1}`))
      expect(textsOf(reader)).toEqual(expected)
      const ids = reader.frames.filter(isEntry).map(({ id }) => id)
      expect(new Set(ids).size).toBe(ids.length)
    }
  })

  it.each(['after', 'lastEventId', 'last_event_id'])('takes its place from the query %s, and the header wins', async name => {
    const [one, two] = [await say('one'), await say('two')]
    await say('three')
    const byQuery = await live(`/v1/users/me/events?${name}=${one.body.relay.cursor}`, asAlice)
    expect(textsOf(byQuery)).toEqual(['two', 'three'])
    expect(byQuery.frames[0]!.id).toBe(one.body.relay.cursor)
    const byHeader = await live(`/v1/users/me/events?${name}=${one.body.relay.cursor}`, { ...asAlice, 'last-event-id': two.body.relay.cursor })
    expect(textsOf(byHeader)).toEqual(['three'])
  })

  it('a stream cut right after ready loses nothing', async () => {
    const cut = await open('/v1/users/me/events', asAlice)
    const { id } = await cut.until('ready')
    cut.close()
    await say('meanwhile')
    expect(textsOf(await live(`/v1/users/me/events?after=${id}`, asAlice))).toEqual(['meanwhile'])
  })

  it.each(['garbage', 'aaaaaaaaaaaa-1-1', '%0Aid:%20x', 'x'.repeat(5_000)])('with a cursor that is none says so and goes on live: %.20s', async cursor => {
    await say('before')
    const reader = await live(`/v1/users/me/events?after=${cursor}`, asAlice)
    expect(reader.frames.map(({ event }) => event)).toEqual(['ready', 'gap', 'caught-up'])
    const { id, json } = reader.frames[1]!
    expect(json.reason).toBe('unknown')
    await say('after')
    await reader.until(said('after'))
    expect(textsOf(await live(`/v1/users/me/events?after=${id}`, asAlice))).toEqual(['after'])
  })

  it('with the cursor of a list goes on exactly from what was read', async () => {
    await say('listed')
    const list = await call(on.url, 'GET', `/v1/channels/${room}/messages`, asAlice)
    await say('streamed')
    const reader = await live(`/v1/users/me/events?after=${list.headers.get('x-event-cursor')}`, asAlice)
    expect(textsOf(reader)).toEqual(['streamed'])
  })

  it('from before retention says that it has expired, and goes on live', async () => {
    const short = await startApp({ retentionMs: 0, alone: true })
    const amy = await short.user('amy')
    await short.store.append(createChannel('amy', 'short-lived'))
    const { cursor } = await short.store.append(send('amy', 'short-lived', 'old'))
    await short.store.append(send('amy', 'short-lived', 'older than retention too'))
    await short.store.settle()
    const reader = await openReader(`${short.url}/v1/users/me/events`, { ...amy, 'last-event-id': cursor })
    await reader.until('caught-up')
    expect(reader.frames.map(({ event, id, json }) => [event, id, json.reason])).toEqual([
      ['ready', cursor, undefined], ['gap', (await short.store.head()).cursor, 'expired'], ['caught-up', (await short.store.head()).cursor, undefined]
    ])
    await short.store.append(send('amy', 'short-lived', 'new'))
    await reader.until(said('new'))
    reader.close()
    await short.stop()
  })

  it('on a channel re-created under its old id is a gap, and nothing of the old one', async () => {
    const old = await say('old')
    await on.store.append({ type: 'delete-channel', actor: SYSTEM, channelId: room })
    await on.store.append(createChannel(alice, room))
    await say('new')
    const reader = await live(`/v1/channels/${room}/events?after=${old.body.relay.cursor}`, asAlice)
    expect(reader.frames.map(({ event }) => event)).toEqual(['ready', 'gap', 'caught-up'])
    expect(textsOf(await live(`/v1/channels/${room}/events?after=earliest`, asAlice))).toEqual(['new'])
  })
})

describe('rights', () => {
  it('follow a user stream through joins and leaves while it is open', async () => {
    const reader = await live('/v1/users/me/events', asBob)
    await say('before')
    await on.store.append(join(bob, room))
    await say('during')
    await on.store.append(leave(bob, room))
    await say('away')
    await on.store.append(join(bob, room))
    await say('again')
    await reader.until(said('again'))
    expect(reader.frames.filter(isEntry).map(({ event, json }) => json.message?.textPayload ?? event)).toEqual(
      ['participation', 'during', 'participation-deleted', 'participation', 'again'])
  })

  it('of two streams of one user are the same, each message once on each; one ends, the other goes on', async () => {
    const [one, other] = [await live('/v1/users/me/events', asAlice), await live('/v1/users/me/events', asAlice)]
    expect((await say('both')).body.relay.recipientsCount).toBe(1)
    await Promise.all([one, other].map(reader => reader.until('message')))
    one.close()
    await say('other')
    await other.until(said('other'))
    expect(textsOf(other)).toEqual(['both', 'other'])
  })

  it.each([
    ['removed', async () => { await on.store.append(leave(bob, room)) }, 'participation-deleted'],
    ['deleted', async () => { await on.store.append({ type: 'delete-channel', actor: SYSTEM, channelId: room }) }, 'channel-deleted']
  ] as const)('end a channel stream with bye %s', async (reason, end, last) => {
    await on.store.append(join(bob, room))
    const reader = await live(`/v1/channels/${room}/events`, asBob)
    await say('heard')
    await reader.until(said('heard')) // a text that is deleted before it was delivered is not
    await end()
    await reader.ended
    expect(reader.frames.slice(2).map(({ event, json }) => json.message?.textPayload ?? json.reason ?? event)).toEqual(['heard', last, reason])
    expect(reader.frames.at(-1)).not.toHaveProperty('id')
  })

  it.each(['channel', 'user'])('that end in the middle of a replay end it there, on a %s stream', async kind => {
    await on.store.append(join(bob, room))
    for (let index = 0; index < 100; index++) await on.store.append(send(alice, room, `${index} ${'x'.repeat(60_000)}`))
    const path = kind === 'channel' ? `/v1/channels/${room}/events` : '/v1/users/me/events'
    const reader = await open(`${path}?after=earliest`, asBob)
    await reader.until('message')
    reader.pause()
    await on.store.append(leave(bob, room))
    reader.resume()
    if (kind === 'channel') await reader.ended
    else await reader.until('caught-up')
    const got = textsOf(reader).map(text => Number(text.split(' ')[0]))
    expect(got).toEqual(Array.from({ length: got.length }, (_, index) => index))
    expect(got.length).toBeLessThan(100)
    expect(reader.frames.slice(-2).map(({ event, json }) => json.reason ?? event)).toEqual(
      ['participation-deleted', kind === 'channel' ? 'removed' : 'caught-up'])
  })

  it('of a pending member: no channel stream, nothing on its own but itself', async () => {
    const closed = `closed-${serial}`
    await on.store.append(createChannel(alice, closed, { groupType: 'strict_private' }))
    const reader = await live('/v1/users/me/events', asBob)
    await on.store.append(join(bob, closed))
    await say('not for bob', asAlice, closed)
    expect((await open(`/v1/channels/${closed}/events`, asBob)).status).toBe(403)
    await on.store.append({ type: 'delete-channel', actor: SYSTEM, channelId: closed })
    await reader.until('channel-deleted')
    expect(reader.frames.filter(isEntry).map(({ event }) => event)).toEqual(['participation', 'channel-deleted'])
  })

  it('an old stream sees nothing of a channel re-created under the same id', async () => {
    const reader = await live('/v1/users/me/events', asAlice)
    await on.store.append({ type: 'delete-channel', actor: SYSTEM, channelId: room })
    await on.store.append(createChannel(bob, room))
    await say('not for alice', asBob)
    await say('mine', asAlice, (await call(on.url, 'POST', '/v1/channels', asAlice, { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: [] })).body.identifier)
    await reader.until(said('mine'))
    expect(reader.frames.filter(isEntry).map(({ event }) => event)).toEqual(['channel-deleted', 'channel', 'message'])
  })
})

describe('tokens', () => {
  const eventToken = async (headers: Record<string, string>) =>
    (await call(on.url, 'POST', '/v1/users/me/event-tokens', headers)).body.eventToken as string

  it('an event token opens a stream from its URL, and nothing else', async () => {
    const token = await eventToken(asAlice)
    const reader = await live(`/v1/users/me/events?access_token=${token}`, {})
    await say('hello')
    await reader.until('message')
    expect((await call(on.url, 'GET', '/v1/users/me', { authorization: `Bearer ${token}` })).status).toBe(401)
  })

  it('a full token in a URL is refused with a word on how to get an event token', async () => {
    const full = asAlice.authorization!.slice('Bearer '.length)
    const answer = await call(on.url, 'GET', `/v1/users/me/events?access_token=${full}`, {})
    expect(answer).toMatchObject({ status: 401, body: { errorCode: 'claim_rejected' } })
    expect(answer.body.message).toContain('/v1/users/me/event-tokens')
  })

  it('their revocation ends open streams with bye expired, those of event tokens too', async () => {
    const own = await live('/v1/users/me/events', asAlice)
    const child = await live(`/v1/users/me/events?access_token=${await eventToken(asAlice)}`, {})
    const other = await live('/v1/users/me/events', await on.user(alice))
    expect((await call(on.url, 'GET', '/v1/users/me/logout', asAlice)).status).toBe(204)
    await Promise.all([own.ended, child.ended])
    expect([own, child].map(({ frames }) => frames.at(-1)!.json.reason)).toEqual(['expired', 'expired'])
    await on.store.append(send(alice, room, 'still there'))
    await other.until('message')
    expect((await open('/v1/users/me/events', asAlice)).status).toBe(401)
  })
})

it('a stream ends with bye expired when its token does', async () => {
  const brief = await startApp({ tokenTtlSeconds: 2 })
  const reader = await openReader(`${brief.url}/v1/users/me/events`, await brief.user('amy'))
  await reader.ended
  expect(reader.frames.at(-1)).toMatchObject({ event: 'bye', json: { reason: 'expired' } })
  await brief.stop()
})

it('a page of an allowed origin may read a stream, and see the headers that it needs', async () => {
  const open = await startApp({ corsOrigins: ['https://chat.example'] })
  const reader = await openReader(`${open.url}/v1/users/me/events`, { ...await open.user('amy'), origin: 'https://chat.example' })
  expect(reader.headers['access-control-allow-origin']).toBe('https://chat.example')
  reader.close()
  await open.stop()
})

describe('slow readers', () => {
  it('cost at most the bound, delay nobody, are cut once they take nothing, and catch up from their cursor', async () => {
    const queueBytes = 256 * 1024
    const small = await startApp({ queueBytes, stalledMs: 1_000, alone: true })
    const sockets: Socket[] = []
    small.app.server.on('connection', (socket: Socket) => sockets.push(socket))
    const [amy, ben] = [await small.user('amy'), await small.user('ben')]
    await small.store.append(createChannel('amy', 'many-readers', { participants: [{ userId: 'ben', status: 'active', roles: [] }] }))
    await small.store.append(createChannel('ben', 'bens-own'))
    const others = await Promise.all(Array.from({ length: 199 }, () => openReader(`${small.url}/v1/users/me/events`, amy)))
    await Promise.all(others.map(reader => reader.until('caught-up')))

    const stuck = connect(Number(new URL(small.url).port), '127.0.0.1')
    stuck.write(`GET /v1/users/me/events HTTP/1.1\r\nhost: x\r\nauthorization: ${ben.authorization}\r\n\r\n`)
    let seen = ''
    stuck.setEncoding('utf8').on('data', (chunk: string) => {
      seen += chunk
      if (seen.includes('caught-up')) stuck.pause() // and never reads again
    })
    while (!stuck.isPaused()) await sleep(5)
    expect(small.streams.count).toBe(200)

    const filler = 'x'.repeat(60_000)
    let [sent, mostQueued] = [0, 0]
    for (; small.streams.count === 200 && sent < 1_000; sent++) {
      await small.store.append(send('ben', 'bens-own', `${sent} ${filler}`))
      await small.store.append(send('amy', 'many-readers', `${sent} to all`))
      mostQueued = Math.max(mostQueued, ...sockets.map(socket => socket.writableLength))
      if (sent % 20 === 19) await Promise.all(others.map(reader => reader.until(said(`${sent} to all`))))
    }
    expect(small.streams.count).toBe(199)
    // What the kernel took for it is not ours; what waited in the process came near the bound and stayed under it.
    expect(mostQueued).toBeGreaterThan(queueBytes / 2)
    expect(mostQueued).toBeLessThanOrEqual(queueBytes)
    await Promise.all(others.map(reader => reader.until(said(`${sent - 1} to all`))))
    expect(others.filter(({ frames }) => frames.some(({ event }) => event === 'bye'))).toEqual([])

    const lastId = /id: (\S+)\nevent: caught-up/.exec(seen)![1]!
    const again = await openReader(`${small.url}/v1/users/me/events`, { ...ben, 'last-event-id': lastId })
    await again.until('caught-up')
    expect(textsOf(again).map(text => text.replace(` ${filler}`, ''))).toEqual(
      Array.from({ length: sent }, (_, index) => [`${index}`, `${index} to all`]).flat())
    for (const reader of [...others, again]) reader.close()
    stuck.destroy()
    await small.stop()
  }, 60_000)
})

describe('nobody is stranded', () => {
  it('shutdown says bye with a retry and ends every stream; new ones are asked to come back, with 200', async () => {
    const ending = await startApp()
    const amy = await ending.user('amy')
    const reader = await openReader(`${ending.url}/v1/users/me/events`, amy)
    await reader.until('caught-up')
    const drained = ending.streams.drain()
    const late = await openReader(`${ending.url}/v1/users/me/events`, amy)
    await Promise.all([reader.ended, late.ended, drained])
    for (const frame of [reader.frames.at(-1)!, late.frames.at(-1)!]) {
      expect(frame).toMatchObject({ event: 'bye', json: { reason: 'shutdown' } })
      expect(Number(frame.retry)).toBeGreaterThanOrEqual(500)
      expect(frame).not.toHaveProperty('id')
    }
    expect(late.status).toBe(200)
    await ending.stop()
  })

  it('a store that is away is a 200 with bye, not a 503', async () => {
    const away = await startApp({ alone: true })
    const amy = await away.user('amy')
    await away.store.close()
    const reader = await openReader(`${away.url}/v1/users/me/events`, amy)
    await reader.ended
    expect(reader.status).toBe(200)
    expect(reader.frames.map(({ event, json }) => [event, json.reason])).toEqual([['bye', 'unavailable']])
    await away.stop()
  })
})

it('an abrupt end frees the subscription and keeps the membership', async () => {
  const before = on.streams.count
  const socket = connect(Number(new URL(on.url).port), '127.0.0.1')
  socket.write(`GET /v1/users/me/events HTTP/1.1\r\nhost: x\r\nauthorization: ${asAlice.authorization}\r\n\r\n`)
  await once(socket, 'data')
  expect(on.streams.count).toBe(before + 1)
  socket.resetAndDestroy()
  while (on.streams.count > before) await sleep(5)
  expect((await say('still a member')).status).toBe(200)
})
