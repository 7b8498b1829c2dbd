/**
 * Where other nodes write the same log: what was revoked, or deleted, on one is refused on another from its answer on, and a
 * call that changes something costs no read for that.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Store } from '../../src/store/contract/store.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { loseHints } from '../support/lost-hints.ts'
import { createUser } from '../support/commands.ts'
import { openReader } from '../support/sse.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { call } from '../support/process.ts'

/** The same database through another store object, and how often it is asked. */
const asked = new Map<string, number>()
function countReads (store: Store): Store {
  return new Proxy(store, {
    get (target, name: string) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        asked.set(name, (asked.get(name) ?? 0) + 1)
        return member.apply(target, args)
      }
    }
  })
}
const reads = () => [asked.get('getToken') ?? 0, asked.get('userExists') ?? 0]

let on: TestApp
let userId: string
let serial = 0
beforeAll(async () => { on = await startApp({ alone: true, wrapStore: store => countReads(loseHints(store, { seed: 1 })) }) })
afterAll(() => on.stop())
beforeEach(async () => {
  userId = `user-${++serial}`
  await on.store.append(createUser(userId))
  asked.clear()
})

interface Token { signedToken: string, tokenId: string }

const bearer = ({ signedToken }: Token) => ({ authorization: `Bearer ${signedToken}` })
const make = async (maker?: Token): Promise<Token> =>
  (await call(on.url, 'POST', `/v1/users/${userId}/tokens`, maker === undefined ? on.application : bearer(maker))).body.userToken
const channel = { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' }
const publish = async (headers: Record<string, string>) => (await call(on.url, 'POST', '/v1/channels', headers, channel)).status
const read = async (headers: Record<string, string>) => (await call(on.url, 'GET', '/v1/users/me', headers)).status
/** On the other node. */
const revoke = ({ tokenId }: Token) => on.store.append({ type: 'revoke-tokens', actor: SYSTEM, userId, tokenIds: [tokenId] })
const channels = async () => (await on.store.listChannels(SYSTEM, { limit: 1, offset: 0 }, { includeSystemChannels: true })).value.total

describe('a call that comes to a command', () => {
  it('reads nothing to find out whether its token is good, once the token is known', async () => {
    const token = await make()
    await publish(bearer(token))
    asked.clear()
    for (let round = 0; round < 10; round++) expect(await publish(bearer(token))).toBe(200)
    expect(reads()).toEqual([0, 0])
  })

  it('reads nothing of the user that the application acts as', async () => {
    const sudo = { ...on.application, 'x-mitter-sudo-user-id': userId }
    for (let round = 0; round < 3; round++) expect(await publish(sudo)).toBe(200)
    expect(reads()).toEqual([0, 0])
  })

  it('is refused, and changes nothing, after its token was revoked elsewhere, 300 times', async () => {
    for (let round = 0; round < 300; round++) {
      const token = await make()
      expect(await publish(bearer(token))).toBe(200)
      await revoke(token)
      const before = await channels()
      expect(await publish(bearer(token))).toBe(401)
      expect(await channels()).toBe(before)
    }
  })

  it('is refused with the revocation of its token\'s maker, and of that one\'s', async () => {
    const maker = await make()
    const child = await make(maker)
    const grandchild = await make(child)
    expect(await Promise.all([maker, child, grandchild].map(token => publish(bearer(token))))).toEqual([200, 200, 200])
    await revoke(maker)
    expect(await Promise.all([maker, child, grandchild].map(token => publish(bearer(token))))).toEqual([401, 401, 401])
  })

  it('is refused once its user, or the one that the application acts as, was deleted elsewhere', async () => {
    const token = await make()
    const sudo = { ...on.application, 'x-mitter-sudo-user-id': userId }
    expect([await publish(bearer(token)), await publish(sudo)]).toEqual([200, 200])
    await on.store.append({ type: 'delete-user', actor: SYSTEM, userId })
    expect([await publish(bearer(token)), await publish(sudo)]).toEqual([401, 404])
  })

  it.each(['nobody', '.system', '.deleted'])('is not carried out as %s', async name => {
    const before = await channels()
    expect(await publish({ ...on.application, 'x-mitter-sudo-user-id': name })).toBe(404)
    expect(await channels()).toBe(before)
  })

  it.each([
    ['whose body cannot be read', 'POST', '/v1/channels', '{', 400],
    ['whose body is not what the route takes', 'POST', '/v1/channels', { defaultRuleSet: 5 }, 400],
    ['that is not there yet', 'POST', '/v1/delivery-targets', {}, 501],
    ['whose path has an empty id', 'POST', '/v1/channels//messages', {}, 404],
    ['that is the application\'s', 'DELETE', '/v1/users/nobody', undefined, 403]
  ])('%s tells nobody of that whose token was revoked', async (_what, method, path, body, otherwise) => {
    const token = await make()
    const status = async (headers: Record<string, string>) => (await fetch(on.url + path, {
      method,
      headers: { ...headers, ...body === undefined ? {} : { 'content-type': 'application/json' } },
      ...body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    })).status
    expect(await status(bearer(token))).toBe(otherwise)
    await revoke(token)
    expect(await status(bearer(token))).toBe(401)
  })
})

describe('a call that reads', () => {
  it('asks each time, and is refused after its token was revoked elsewhere', async () => {
    const token = await make()
    asked.clear()
    expect([await read(bearer(token)), await read(bearer(token)), reads()]).toEqual([200, 200, [2, 0]])
    await revoke(token)
    expect(await read(bearer(token))).toBe(401)
  })

  it('is refused as a user that was deleted elsewhere', async () => {
    const sudo = { ...on.application, 'x-mitter-sudo-user-id': userId }
    expect(await read(sudo)).toBe(200)
    await on.store.append({ type: 'delete-user', actor: SYSTEM, userId })
    expect(await read(sudo)).toBe(404)
  })
})

describe('a stream', () => {
  it('is not opened with a token that was revoked elsewhere, though a command has known it', async () => {
    const token = await make()
    await publish(bearer(token))
    await revoke(token)
    expect((await openReader(`${on.url}/v1/users/me/events`, bearer(token))).status).toBe(401)
  })

  it('ends once its token is revoked elsewhere', async () => {
    const token = await make()
    const reader = await openReader(`${on.url}/v1/users/me/events`, bearer(token))
    await reader.until('caught-up')
    await revoke(token)
    expect((await reader.until('bye')).json.reason).toBe('expired')
  })
})
