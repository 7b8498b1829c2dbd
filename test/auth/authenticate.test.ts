import { mkdtempSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSigner } from 'fast-jwt'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuthenticate, createIdentify, NOBODY, type Shown } from '../../src/auth/authenticate.ts'
import type { Credentials } from '../../src/auth/credentials.ts'
import type { Principal, UserPrincipal } from '../../src/auth/principal.ts'
import { createTokens, type Tokens } from '../../src/auth/tokens.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { basicOf } from '../support/process.ts'

const application = { kind: 'application' } as const
const credentials: Credentials = {
  applicationId: 'application-1',
  accessKey: 'key',
  accessSecret: Buffer.alloc(32, 1).toString('base64'),
  tokenSecret: 't'.repeat(64)
}
const basic = basicOf(credentials)
const HOUR = 3_600_000

let dataDir: string
let store: Store
let tokens: Tokens
let authenticate: (shown: Shown) => Promise<Principal>
let now: number
let alice: { signedToken: string, tokenId: string }
let bob: { signedToken: string, tokenId: string }

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  store = await openSqliteStore({ dataDir })
  tokens = createTokens({ credentials, store, ttlSeconds: 86_400, now: () => now })
  const [identify, byIdentity] = [createIdentify({ credentials, tokens }), createAuthenticate({ store })]
  authenticate = async shown => await byIdentity(identify(shown))
  for (const userId of ['alice', 'bob']) await addUser(userId)
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})
beforeEach(async () => {
  now = Date.UTC(2030, 0, 1)
  alice = await tokens.issueUserToken(application, 'alice')
  bob = await tokens.issueUserToken(application, 'bob')
})

const addUser = async (userId: string) => await store.append({ type: 'create-user', actor: SYSTEM, userId, userLocators: [], systemUser: false })
const target = { method: 'GET', path: '/v1/users/me' }
const onRoute = async (headers: IncomingHttpHeaders, query: unknown = {}) => await authenticate({ ...target, headers, query, eventStream: false })
const onStream = async (headers: IncomingHttpHeaders, query: unknown = {}) => await authenticate({ ...target, headers, query, eventStream: true })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const eventTokenOf = async (token: string) => (await tokens.issueEventToken(await onRoute(bearer(token)) as UserPrincipal)).eventToken
const refusal = (status: number, part: string) => expect.objectContaining({ status, message: expect.stringContaining(part) })

test('without credentials a call is refused, and told what to send', async () => {
  await expect(onRoute({})).rejects.toThrow(refusal(401, 'needs credentials'))
  await expect(onStream({})).rejects.toThrow(refusal(401, 'needs credentials'))
})

describe('a user token', () => {
  test.each(['Bearer', 'bearer'])('is good as Authorization: %s, and in mitter\'s header', async (scheme) => {
    const principal = { kind: 'user', userId: 'alice', lineage: [alice.tokenId], receiveOnly: false, expiresAt: now + 24 * HOUR }
    expect(await onRoute({ authorization: `${scheme} ${alice.signedToken}` })).toEqual(principal)
    expect(await onRoute({ 'x-issued-mitter-user-authorization': alice.signedToken })).toEqual(principal)
  })

  test('that was revoked is refused at once, and so is what it made', async () => {
    const child = await tokens.issueUserToken(await onRoute(bearer(alice.signedToken)), 'alice')
    const eventToken = await eventTokenOf(child.signedToken)
    await store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'alice', tokenIds: [alice.tokenId] })
    await expect(onRoute(bearer(alice.signedToken))).rejects.toThrow(refusal(401, 'revoked'))
    await expect(onRoute(bearer(child.signedToken))).rejects.toThrow(refusal(401, 'revoked'))
    await expect(onStream({}, { access_token: eventToken })).rejects.toThrow(refusal(401, 'revoked'))
  })

  test('of a deleted user is refused', async () => {
    await addUser('carol')
    const { signedToken } = await tokens.issueUserToken(application, 'carol')
    await store.append({ type: 'delete-user', actor: SYSTEM, userId: 'carol' })
    await expect(onRoute(bearer(signedToken))).rejects.toThrow(refusal(401, 'revoked'))
  })

  test('that names the stored token of somebody else is refused', async () => {
    const sign = createSigner({ key: credentials.tokenSecret, algorithm: 'HS512' })
    const token = sign({ iss: 'mitter-io', applicationId: 'application-1', userId: 'bob', userTokenId: alice.tokenId })
    await expect(onRoute(bearer(token))).rejects.toThrow(refusal(401, 'revoked'))
  })

  test('in a URL is refused, and told how to get an event token', async () => {
    await expect(onStream({}, { access_token: alice.signedToken })).rejects.toThrow(refusal(401, '/v1/users/me/event-tokens'))
  })

  test('in a URL is nothing at all where no stream is asked for', async () => {
    await expect(onRoute({}, { access_token: alice.signedToken })).rejects.toThrow(refusal(401, 'needs credentials'))
  })
})

describe('an event token', () => {
  test('is good on event streams, in the URL and in a header, to receive only', async () => {
    const eventToken = await eventTokenOf(alice.signedToken)
    const principal = { kind: 'user', userId: 'alice', lineage: [alice.tokenId], receiveOnly: true, expiresAt: now + 24 * HOUR }
    expect(await onStream({}, { access_token: eventToken })).toEqual(principal)
    expect(await onStream(bearer(eventToken))).toEqual(principal)
  })

  test('opens streams for 12 hours, which last as long as its maker', async () => {
    const eventToken = await eventTokenOf(alice.signedToken)
    now += 12 * HOUR - 1
    expect(await onStream({}, { access_token: eventToken })).toMatchObject({ expiresAt: Date.UTC(2030, 0, 2) })
    now += 1
    await expect(onStream({}, { access_token: eventToken })).rejects.toThrow(refusal(401, 'expired'))
  })

  test('in a header of any other route is refused', async () => {
    const eventToken = await eventTokenOf(alice.signedToken)
    await expect(onRoute(bearer(eventToken))).rejects.toThrow(refusal(401, 'event streams only'))
    await expect(onRoute({ 'x-issued-mitter-user-authorization': eventToken })).rejects.toThrow(refusal(401, 'event streams only'))
  })

  test('given twice is refused', async () => {
    const eventToken = await eventTokenOf(alice.signedToken)
    await expect(onStream({}, { access_token: [eventToken, eventToken] })).rejects.toThrow(refusal(401, 'more than once'))
  })

  test('that the application made for a user ends with that user', async () => {
    await addUser('dave')
    const principal = await onRoute({ authorization: basic, 'x-mitter-sudo-user-id': 'dave' }) as UserPrincipal
    const { eventToken } = await tokens.issueEventToken(principal)
    expect(await onStream({}, { access_token: eventToken })).toEqual({ kind: 'user', userId: 'dave', lineage: [expect.any(String)], receiveOnly: true })
    await store.append({ type: 'delete-user', actor: SYSTEM, userId: 'dave' })
    await expect(onStream({}, { access_token: eventToken })).rejects.toThrow(refusal(401, 'revoked'))
  })
})

describe('the application', () => {
  test('is whoever has the access key and its secret', async () => {
    expect(await onRoute({ authorization: basic })).toEqual({ kind: 'application' })
  })

  test.each([
    ['a wrong secret', 'key:wrong'],
    ['a wrong key', `other:${credentials.accessSecret}`],
    ['no secret', 'key:'],
    ['no colon', 'key'],
    ['nothing', '']
  ])('is not whoever has %s', async (_, pair) => {
    await expect(onRoute({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` })).rejects.toThrow(refusal(401, 'access key'))
  })

  test.each([
    ['another host', { origin: 'https://chat.example' }],
    ['another port', { origin: 'https://relay.example:8443' }],
    ['a name that begins alike', { origin: 'https://relay.example.evil.example' }],
    ['a user of that name', { origin: 'https://relay.example@evil.example' }],
    ['another scheme, as the browser says', { origin: 'http://relay.example', 'sec-fetch-site': 'cross-site' }],
    ['a sibling, as the browser says', { origin: 'https://relay.example', 'sec-fetch-site': 'same-site' }],
    ['another host, whatever the browser says', { origin: 'https://chat.example', 'sec-fetch-site': 'same-origin' }],
    ['nowhere', { origin: 'null' }],
    ['nowhere, to a host that is not named', { origin: 'null', host: undefined }],
    ['a file', { origin: 'file://', host: '' }],
    ['an empty origin', { origin: '' }]
  ])('does not call from a web page of %s', async (_, headers) => {
    await expect(onRoute({ authorization: basic, host: 'relay.example', ...headers })).rejects.toThrow(refusal(401, 'web pages'))
  })

  test.each([
    ['as the browser says', { 'sec-fetch-site': 'same-origin' }],
    ['where the browser does not say', {}]
  ])('calls from a page of the service itself, %s', async (_, headers) => {
    for (const [origin, host] of [['https://relay.example', 'relay.example'], ['http://127.0.0.1:11902', '127.0.0.1:11902'], ['http://[::1]:11902', '[::1]:11902']]) {
      expect(await onRoute({ authorization: basic, origin, host, ...headers })).toEqual({ kind: 'application' })
      await expect(onRoute({ authorization: `Basic ${btoa('key:wrong')}`, origin, host, ...headers })).rejects.toThrow(refusal(401, 'access key'))
    }
  })

  test('acts as a user by sudo, whose rights no token\'s end cuts short', async () => {
    expect(await onRoute({ authorization: basic, 'x-mitter-sudo-user-id': 'alice' })).toEqual({ kind: 'user', userId: 'alice', lineage: [], receiveOnly: false })
  })

  test('cannot act as a user that is not there, nor as what is no user', async () => {
    await expect(onRoute({ authorization: basic, 'x-mitter-sudo-user-id': 'nobody' })).rejects.toThrow(refusal(404, 'nobody'))
    await expect(onRoute({ authorization: basic, 'x-mitter-sudo-user-id': '.system' })).rejects.toThrow(expect.objectContaining({ status: 404 }))
  })
})

test('sudo is not for users', async () => {
  await expect(onRoute({ ...bearer(alice.signedToken), 'x-mitter-sudo-user-id': 'bob' })).rejects.toThrow(refusal(403, 'application only'))
})

test('an application id must be ours where it is sent', async () => {
  expect(await onRoute({ ...bearer(alice.signedToken), 'x-mitter-application-id': 'application-1' })).toMatchObject({ userId: 'alice' })
  await expect(onRoute({ ...bearer(alice.signedToken), 'x-mitter-application-id': 'application-2' })).rejects.toThrow(refusal(401, 'another application'))
})

test('another scheme is refused, and told which are good', async () => {
  await expect(onRoute({ authorization: 'Digest x' })).rejects.toThrow(refusal(401, 'Bearer'))
  await expect(onRoute({ authorization: alice.signedToken })).rejects.toThrow(refusal(401, 'Bearer'))
})

describe('two credentials in one call', () => {
  test('are good where both are and name the same user', async () => {
    expect(await onRoute({ ...bearer(alice.signedToken), 'x-issued-mitter-user-authorization': alice.signedToken })).toMatchObject({ userId: 'alice' })
  })

  test('are refused where they name two callers, whichever comes first', async () => {
    await expect(onRoute({ ...bearer(alice.signedToken), 'x-issued-mitter-user-authorization': bob.signedToken })).rejects.toThrow(refusal(401, 'different callers'))
    await expect(onRoute({ authorization: basic, 'x-issued-mitter-user-authorization': alice.signedToken })).rejects.toThrow(refusal(401, 'different callers'))
    await expect(onStream(bearer(alice.signedToken), { access_token: await eventTokenOf(bob.signedToken) })).rejects.toThrow(refusal(401, 'different callers'))
  })

  test('are refused where either was revoked, known before or not', async () => {
    for (const known of [false, true]) {
      const revoked = await tokens.issueUserToken(application, 'alice')
      if (known) await onRoute(bearer(revoked.signedToken))
      await store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'alice', tokenIds: [revoked.tokenId] })
      const [good, bad] = [alice.signedToken, revoked.signedToken]
      await expect(onRoute({ ...bearer(good), 'x-issued-mitter-user-authorization': bad })).rejects.toThrow(refusal(401, 'revoked'))
      await expect(onRoute({ ...bearer(bad), 'x-issued-mitter-user-authorization': good })).rejects.toThrow(refusal(401, 'revoked'))
    }
  })

  test('are refused where one of them is bad', async () => {
    await expect(onRoute({ ...bearer(alice.signedToken), 'x-issued-mitter-user-authorization': 'x' })).rejects.toThrow(refusal(401, 'malformed'))
  })
})

describe('in whose name a call is, before anything is asked of the store', () => {
  const identified = (headers: IncomingHttpHeaders) => createIdentify({ credentials, tokens, now: () => now })({ ...target, headers, query: {}, eventStream: false }).caller

  test('is the same however it is written, and with whichever of a user\'s tokens', async () => {
    const child = await tokens.issueUserToken(await onRoute(bearer(alice.signedToken)), 'alice')
    for (const headers of [
      bearer(alice.signedToken), { authorization: `bearer    ${alice.signedToken}` }, { 'x-issued-mitter-user-authorization': alice.signedToken }, bearer(child.signedToken),
      { ...bearer(alice.signedToken), 'x-mitter-application-id': credentials.applicationId }, { authorization: basic, 'x-mitter-sudo-user-id': 'alice' }
    ]) expect(identified(headers)).toBe('alice')
    expect(identified({ authorization: basic })).toBe(SYSTEM)
  })

  test('is nobody\'s where what it shows is no good', () => {
    const forged = createSigner({ key: 'other'.repeat(16), algorithm: 'HS512' })({ iss: 'mitter-io', applicationId: credentials.applicationId, userId: 'alice', userTokenId: alice.tokenId })
    for (const headers of [{}, bearer(forged), bearer('x'), { authorization: basicOf({ ...credentials, accessSecret: 'wrong' }) }, { authorization: '' }]) expect(identified(headers)).toBe(NOBODY)
    now += 25 * HOUR
    expect(identified(bearer(alice.signedToken))).toBe(NOBODY)
  })
})
