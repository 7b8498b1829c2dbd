/** `Idempotency-Key` on every route that changes something (protocol 6), by the document's own list of routes. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { readApi, type Operation } from '../http/bad-input/operations.ts'
import { callsTo } from '../http/rules/calls.ts'
import { applicationAuthorization, GROUP_CHAT, startService, type Service } from '../http/service.ts'
import { writesOn, type Write } from '../http/writes.ts'
import { basicOf, call, spawnService, tokenFor } from '../support/process.ts'
import { filesWith } from './bytes-of.ts'

let service: Service
let operations: Operation[]
/** A channel in which everybody may send. */
let common: string
beforeAll(async () => {
  // Only what the clock says: everything waits as ever.
  vi.useFakeTimers({ toFake: ['Date'] })
  service = await startService(['amy', 'bob'])
  operations = (await readApi(service)).operations
  common = await channel('group', ['amy', 'bob'])
})
afterAll(async () => {
  vi.useRealTimers()
  await service.stop()
})
const { get, gist, channel } = callsTo(() => service)
const { requests, named } = writesOn(() => service)

const changing = () => operations.filter(({ method, path }) => ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method) && path.startsWith('/v1/'))

/** What a repeat must not change: the log, and what has no entry there. */
async function countsNow (): Promise<unknown> {
  const total = async (path: string) => (await service.call(`GET ${path}`)).headers['x-mitter-paginated-estimated-count']
  const tokens = (await get('/v1/users/amy/tokens')).map(({ tokenId }: { tokenId: string }) => tokenId)
  return [await service.store.head(), await total('/v1/users'), await total('/v1/channels?includeSystemChannels=true'), tokens]
}

const ask = async (method: string, { path, as }: Write, key: string, body?: object) => {
  const response = await service.call(`${method} ${path}`, { ...(as === undefined ? {} : { as }), ...(body === undefined ? {} : { body }), headers: { 'idempotency-key': key, prefer: 'return=representation' } })
  const { date, connection, ...headers } = response.headers
  return { status: response.statusCode, headers, body: response.body === '' ? '' : response.json() }
}

it('has a request for each of them, and each of them names the header in the document', () => {
  expect(Object.keys(requests).sort()).toEqual(changing().map(({ operationId }) => operationId).sort())
  expect(changing().filter(({ takesKey, statuses }) => !takesKey || !statuses.includes('422')).map(({ operationId }) => operationId)).toEqual([])
})

describe.each(Object.keys(requests))('%s', operationId => {
  const methodOf = () => operations.find(operation => operation.operationId === operationId)!.method

  it('answers a repeat what it answered first, and has happened once', async () => {
    const [request, key] = [await requests[operationId]!(), randomUUID()]
    // Somebody else's request under the same key is a request of its own.
    expect((await ask('POST', { path: `/v1/channels/${common}/messages`, as: request.as === 'bob' ? 'amy' : 'bob' }, key, { textPayload: 'other' })).status).toBe(200)
    const first = await ask(methodOf(), request, key, request.body)
    expect(first.status, JSON.stringify(first.body)).toBeLessThan(300)
    const before = await countsNow()
    expect(await ask(methodOf(), request, key, request.body)).toEqual(first)
    expect(await countsNow()).toEqual(before)
  })

  it('happens once, and is answered alike, where a request and its repeat come at once', async () => {
    const [request, key] = [await requests[operationId]!(), randomUUID()]
    const [one, other] = await Promise.all([1, 2].map(() => ask(methodOf(), request, key, request.body)))
    expect(one!.status, JSON.stringify(one!.body)).toBeLessThan(300)
    expect(other).toEqual(one)
  })

  it('is a mismatch with another request under its key, which then has not happened', async () => {
    const [request, key] = [await requests[operationId]!(), randomUUID()]
    expect((await ask(methodOf(), request, key, request.body)).status).toBeLessThan(300)
    const before = await countsNow()
    const other = { path: `/v1/channels/${common}/messages`, ...(request.as === undefined ? {} : { as: request.as }) }
    const answers = [await ask('POST', other, key, { textPayload: 'other' })]
    if (request.otherBody !== undefined) answers.push(await ask(methodOf(), request, key, request.otherBody))
    expect(answers.map(({ status, body }) => [status, body.errorCode])).toEqual(answers.map(() => [422, 'idempotency_mismatch']))
    expect(await countsNow()).toEqual(before)
  })

  it('refuses a key that is none', async () => {
    const request = await requests[operationId]!()
    for (const key of ['short', 'x'.repeat(129)]) expect([key, (await ask(methodOf(), request, key, request.body)).status]).toEqual([key, 400])
  })
})

describe('a token', () => {
  const showing = (token: string) => ({ as: null, headers: { authorization: `Bearer ${token}` } })
  const issue = async (key: string, path = '/v1/users/amy/tokens', as: { authorization: string } = { authorization: applicationAuthorization }) =>
    (await service.call(`POST ${path}`, { as: null, headers: { ...as, 'idempotency-key': key } })).json()

  it('that is made under a key is the same in a repeat, to the letter, and in no file', async () => {
    const keys = [randomUUID(), randomUUID()]
    const first = (await issue(keys[0]!)).userToken.signedToken as string
    const own = { authorization: `Bearer ${first}` }
    const second = (await issue(keys[1]!, '/v1/users/me/event-tokens', own)).eventToken as string
    // Times in tokens are whole seconds: let some go by.
    vi.setSystemTime(Date.now() + 5_000)
    expect((await issue(keys[0]!)).userToken.signedToken).toBe(first)
    expect((await issue(keys[1]!, '/v1/users/me/event-tokens', own)).eventToken).toBe(second)
    expect(await gist('GET /v1/users/me', showing(first))).toEqual([200])
    for (const token of [first, second]) expect(filesWith(service.dataDir, token.split('.')[2]!)).toEqual([])
  })

  it.each(['/v1/users/amy/tokens', '/v1/users/me/event-tokens'])('that one token has made by POST %s is not made again by another', async path => {
    const [one, other] = [await issue(randomUUID()), await issue(randomUUID())].map(({ userToken }) => ({ authorization: `Bearer ${userToken.signedToken}` }))
    const key = randomUUID()
    const made = await issue(key, path, one)
    expect(made.errorCode).toBeUndefined()
    expect((await issue(key, path, other)).errorCode).toBe('idempotency_mismatch')
    expect(await issue(key, path, one)).toEqual(made)
  })

  it('that was revoked since is given again to nobody as one that is good', async () => {
    const key = randomUUID()
    const { userToken: { signedToken, tokenId } } = await issue(key)
    expect(await gist(`DELETE /v1/users/amy/tokens/${tokenId}`)).toEqual([204])
    const again = await issue(key)
    // The answer of then, or a refusal; never a token that nobody knows of.
    expect([signedToken, undefined]).toContain(again.userToken?.signedToken)
    expect(await gist('GET /v1/users/me', showing(signedToken))).toEqual([401, 'claim_rejected'])
  })

  it('whose user was deleted since is not made anew', async () => {
    const [userId, key] = [await named(), randomUUID()]
    const { userToken: { signedToken } } = await issue(key, `/v1/users/${userId}/tokens`)
    await service.call(`DELETE /v1/users/${userId}`)
    const again = await issue(key, `/v1/users/${userId}/tokens`)
    expect([signedToken, undefined]).toContain(again.userToken?.signedToken)
    expect(await gist('GET /v1/users/me', showing(signedToken))).toEqual([401, 'claim_rejected'])
  })
})

it('answers repeats after the service was killed and started again: users, channels and tokens that the first one made', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-repeats-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  const keys = Array.from({ length: 4 }, () => randomUUID())
  let asAmy: Record<string, string> | undefined
  const answers = async (): Promise<unknown[]> => {
    const running = await spawnService({ dataDir, env: { LOG_LEVEL: 'warn' } })
    try {
      asAmy ??= { authorization: `Bearer ${await tokenFor(running, 'amy')}` }
      const application = { authorization: basicOf(running.credentials) }
      const calls: Array<[path: string, headers: Record<string, string>, body?: object]> = [
        ['/v1/users', application, {}], ['/v1/channels', asAmy, { defaultRuleSet: GROUP_CHAT }],
        ['/v1/users/amy/tokens', application], ['/v1/users/me/event-tokens', asAmy]
      ]
      return await Promise.all(calls.map(async ([path, headers, body], index) => {
        const { status, body: answer } = await call(running.url, 'POST', path, { ...headers, 'idempotency-key': keys[index]! }, body)
        return [path, status, answer]
      }))
    } finally {
      await running.kill('SIGKILL')
    }
  }
  const first = await answers()
  expect(first.map(answer => (answer as unknown[])[1])).toEqual([200, 200, 200, 200])
  expect(await answers()).toEqual(first)
})
