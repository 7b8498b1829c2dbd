/** With the real service: what it does when it stops, dies, comes back, revokes, deletes; and when no connection lasts. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { freePort } from '../../../test/support/ports.ts'
import { asApplication, asUser, spawnService, tokenFor, type ServiceProcess } from '../../../test/support/process.ts'
import { startProxy } from '../../../test/support/tcp-proxy.ts'
import { send } from '../client.js'
import { closeAll, follow } from './following.ts'
import { numbersFrom, startRoughProxy } from './rough-proxy.ts'

const channelId = 'general-1'
let dataDir: string
let env: Record<string, string>
let service: ServiceProcess
let token: string
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-client-'))
  env = { PORT: String(await freePort()), LOG_LEVEL: 'warn', HEARTBEAT_MS: '1000' }
  service = await spawnService({ dataDir, env })
  token = await tokenFor(service, 'amy')
  await asUser(service, token, 'POST', '/v1/channels', { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
})
afterEach(() => closeAll())
afterAll(async () => {
  await service.stop()
  await rm(dataDir, { recursive: true, force: true })
})

const start = async () => { service = await spawnService({ dataDir, env }) }
const say = async (text: string) => await send({ url: service.url, channelId, token, message: text })
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => String(from + index))

it('sends a message, receives it in either form, and is told what was refused', async () => {
  const compact = follow({ url: service.url, token })
  const long = follow({ url: service.url, channelId, token, format: 'mitter' })
  for (const { subscription, until } of [compact, long]) await until(() => subscription.state === 'live')
  const stored = await say('Grüße, 世界')
  for (const { events, until } of [compact, long]) await until(() => events.length === 1)
  expect(compact.events).toMatchObject([{ type: 'message', id: stored.relay!.cursor, data: { channel: channelId, id: stored.messageId, sender: 'amy', text: 'Grüße, 世界' } }])
  expect(long.events).toMatchObject([{ type: 'message', id: stored.relay!.cursor, data: { '@type': 'new-message-payload', message: { messageId: stored.messageId } } }])
  await expect(send({ url: service.url, channelId: 'nothing-1', token, message: 'Hello' })).rejects.toMatchObject({ status: 404, code: 'entity_not_found' })
  const elsewhere = follow({ url: service.url, channelId: 'nothing-1', token })
  await elsewhere.until(() => elsewhere.subscription.state === 'closed')
  expect(elsewhere.errors).toMatchObject([{ status: 404, code: 'entity_not_found' }])
})

it('loses and doubles nothing of 1,000 messages while the connection is cut in each few thousand bytes', async () => {
  const number = numbersFrom(1)
  const proxy = await startRoughProxy(service.url, () => 300 + number(4_000))
  const { texts, subscription, until } = follow({ url: proxy.url, token })
  await until(() => subscription.state === 'live')
  for (let from = 0; from < 1_000; from += 20) await Promise.all(numbered(from, from + 20).map(say))
  await until(() => texts().length >= 1_000)
  expect(texts().toSorted((a, b) => Number(a) - Number(b))).toEqual(numbered(0, 1_000))
  expect(proxy.made).toBeGreaterThan(40)

  // As they were stored, and once more, from the beginning.
  const stored = follow({ url: service.url, token, after: 'earliest' })
  const again = follow({ url: proxy.url, token, after: 'earliest' })
  await stored.until(() => stored.subscription.state === 'live')
  await again.until(() => again.events.length >= stored.events.length)
  expect(stored.texts().slice(-1_000)).toEqual(texts())
  expect(again.events).toEqual(stored.events)
  await proxy.close()
})

it('stores once what is sent on connections that are cut before they have answered', async () => {
  const number = numbersFrom(2)
  const proxy = await startRoughProxy(service.url, () => number(3) === 0 ? Infinity : number(700))
  const { texts, subscription, until } = follow({ url: service.url, token })
  await until(() => subscription.state === 'live')
  const stored = await Promise.all(numbered(0, 20).map(async text => await send({ url: proxy.url, channelId, token, message: text })))
  await until(() => texts().length >= 20)
  await say('last')
  await until(() => texts().at(-1) === 'last')
  expect(texts().length).toBe(21)
  expect(new Set(stored.map(({ messageId }) => messageId)).size).toBe(20)
  await proxy.close()
})

it('goes on over a SIGTERM and a SIGKILL; what is sent meanwhile arrives once', async () => {
  const { texts, errors, subscription, until } = follow({ url: service.url, token })
  await until(() => subscription.state === 'live')
  let sent = 0
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await say(String(sent++))
    await service.kill(signal)
    const meanwhile = say(String(sent++))
    await start()
    await meanwhile
    await say(String(sent++))
    await until(() => texts().length === sent, signal)
  }
  expect(texts()).toEqual(numbered(0, sent))
  expect(errors.some(({ reason }) => reason === 'shutdown')).toBe(true)
}, 40_000)

it('notices a black hole by the silence, and goes on when it has gone', async () => {
  const proxy = await startProxy({ port: Number(env.PORT) })
  const { texts, subscription, errors, until } = follow({ url: `http://127.0.0.1:${proxy.port}`, token, heartbeatMs: 1_000 })
  await until(() => subscription.state === 'live')
  proxy.blackHole()
  await say('unheard')
  await until(() => errors.length > 0)
  expect([texts(), errors[0]!.message]).toEqual([[], 'Nothing was heard'])
  await proxy.heal()
  await until(() => texts().length === 1)
  proxy.close()
})

it('asks for another token when one is revoked, and misses nothing', async () => {
  const make = async () => (await asApplication(service, 'POST', '/v1/users/amy/tokens')).body.userToken as { signedToken: string, tokenId: string }
  const first = await make()
  const asked: unknown[] = []
  const { texts, subscription, until } = follow({
    url: service.url,
    async token (refused) {
      asked.push(refused)
      return refused === undefined ? first.signedToken : (await make()).signedToken
    }
  })
  await until(() => subscription.state === 'live')
  await asApplication(service, 'DELETE', `/v1/users/amy/tokens/${first.tokenId}`)
  for (const text of numbered(0, 5)) await say(text)
  await until(() => texts().length === 5)
  expect([texts(), asked]).toEqual([numbered(0, 5), [undefined, first.signedToken]])
})

it('tells of a gap where the place is none', async () => {
  const { events, texts, until } = follow({ url: service.url, token, after: 'not-a-place' })
  await until(() => events.length === 1)
  await say('after the gap')
  await until(() => texts().length === 1)
  expect(events[0]).toMatchObject({ type: 'gap', data: { reason: 'unknown' } })
})

it('stops where it is removed from the channel, where the channel is deleted, and where it may not come in', async () => {
  const bob = await tokenFor(service, 'bob')
  await asApplication(service, 'POST', `/v1/channels/${channelId}/participants`, { participantId: 'bob' })
  const [his, hers] = [bob, token].map(token => follow({ url: service.url, channelId, token })) as [ReturnType<typeof follow>, ReturnType<typeof follow>]
  for (const { subscription, until } of [his, hers]) await until(() => subscription.state === 'live')
  await asApplication(service, 'DELETE', `/v1/channels/${channelId}/participants/bob`)
  await his.until(() => his.subscription.state === 'closed')
  const back = follow({ url: service.url, channelId, token: bob })
  await back.until(() => back.subscription.state === 'closed')
  await asApplication(service, 'DELETE', `/v1/channels/${channelId}`)
  await hers.until(() => hers.subscription.state === 'closed')
  expect([his, back, hers].map(({ errors }) => errors.at(-1))).toMatchObject([{ reason: 'removed' }, { status: 403 }, { reason: 'deleted' }])
})
