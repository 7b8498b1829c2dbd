import { createHmac, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Credentials } from '../../src/auth/credentials.ts'
import type { UserPrincipal } from '../../src/auth/principal.ts'
import { createTokens, type Tokens } from '../../src/auth/tokens.ts'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import type { Store } from '../../src/store/contract/store.ts'

const application = { kind: 'application' } as const
const credentials: Credentials = {
  applicationId: 'application-1',
  accessKey: 'key',
  accessSecret: Buffer.alloc(32, 1).toString('base64'),
  tokenSecret: 't'.repeat(64)
}
const HOUR = 3_600_000
const DAY_SECONDS = 86_400

let dataDir: string
let store: Store
let now: number
let tokens: Tokens

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  store = await openSqliteStore({ dataDir })
  for (const userId of ['alice', 'bob', '@#$-_aZ09']) {
    await store.append({ type: 'create-user', actor: SYSTEM, userId, userLocators: [], systemUser: false })
  }
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true, force: true })
})
beforeEach(() => {
  now = Date.UTC(2030, 0, 1)
  tokens = make()
})

const make = (options: { ttlSeconds?: number, credentials?: Partial<Credentials> } = {}) => createTokens({
  credentials: { ...credentials, ...options.credentials }, store, ttlSeconds: options.ttlSeconds ?? DAY_SECONDS, now: () => now
})

/** The principal of a user token, as authentication makes it. */
function principalOf (token: string): UserPrincipal {
  const { userId, userTokenId, exp } = tokens.verify(token)
  return { kind: 'user', userId, lineage: [userTokenId!], receiveOnly: false, ...(exp === undefined ? {} : { expiresAt: exp * 1000 }) }
}

const payloadOf = (token: string) => JSON.parse(atob(token.split('.')[1]!)) as Record<string, unknown>

describe('a user token', () => {
  test('is an HS512 JWT whose payload decodes with atob to the claims that mitter\'s clients read', async () => {
    const { signedToken, tokenId } = await tokens.issueUserToken(application, 'alice')
    expect(JSON.parse(atob(signedToken.split('.')[0]!))).toEqual({ alg: 'HS512', typ: 'JWT' })
    expect(payloadOf(signedToken)).toEqual({
      iss: 'mitter-io',
      userTokenId: tokenId,
      usertoken: expect.stringMatching(/^[0-9a-f]{32}$/),
      applicationId: 'application-1',
      userId: 'alice',
      exp: now / 1000 + DAY_SECONDS
    })
  })

  test('decodes with atob whatever identifiers may hold, at every alignment', async () => {
    for (let length = 1; length <= 6; length++) {
      const tokens = make({ credentials: { applicationId: '}|{zxy='.slice(0, length) } })
      const { signedToken } = await tokens.issueUserToken(application, '@#$-_aZ09')
      expect(signedToken.split('.')[1]).not.toMatch(/[-_]/)
      expect(payloadOf(signedToken).userId).toBe('@#$-_aZ09')
    }
  })

  test('is stored, so that it can be revoked', async () => {
    const { tokenId } = await tokens.issueUserToken(application, 'alice')
    expect(await store.getToken(tokenId)).toEqual({ userId: 'alice', lineage: [tokenId], live: true })
  })

  test('has no end where the setting is 0', async () => {
    tokens = make({ ttlSeconds: 0 })
    const { signedToken } = await tokens.issueUserToken(application, 'alice')
    expect(payloadOf(signedToken)).not.toHaveProperty('exp')
    now += 1000 * 365 * 24 * HOUR
    expect(tokens.verify(signedToken).userId).toBe('alice')
  })

  test('is refused from its end on, with the time of it', async () => {
    const { signedToken } = await tokens.issueUserToken(application, 'alice')
    now += DAY_SECONDS * 1000 - 1
    expect(tokens.verify(signedToken).userId).toBe('alice')
    now += 1
    expect(() => tokens.verify(signedToken)).toThrow(refusal(401, 'expired at 2030-01-02T00:00:00.000Z'))
  })

  test('for a user that is not there is not made', async () => {
    await expect(tokens.issueUserToken(application, 'nobody')).rejects.toThrow(refusal(404, 'nobody'))
  })
})

describe('a token that a user makes for itself', () => {
  test('ends no later than the one that asked, and is revoked with it', async () => {
    const parent = await tokens.issueUserToken(application, 'alice')
    now += HOUR
    const child = await tokens.issueUserToken(principalOf(parent.signedToken), 'alice')
    expect(payloadOf(child.signedToken).exp).toBe(payloadOf(parent.signedToken).exp)
    expect((await store.getToken(child.tokenId))!.lineage).toEqual([child.tokenId, parent.tokenId])

    await store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'alice', tokenIds: [parent.tokenId] })
    expect((await store.getToken(child.tokenId))!.live).toBe(false)
  })

  test('has its parent\'s end also where tokens have none by the setting', async () => {
    const parent = await tokens.issueUserToken(application, 'alice')
    const child = await make({ ttlSeconds: 0 }).issueUserToken(principalOf(parent.signedToken), 'alice')
    expect(payloadOf(child.signedToken).exp).toBe(payloadOf(parent.signedToken).exp)
  })

  test('is its own only: nobody gets a token of somebody else', async () => {
    const { signedToken } = await tokens.issueUserToken(application, 'alice')
    await expect(tokens.issueUserToken(principalOf(signedToken), 'bob')).rejects.toThrow(refusal(403, 'itself'))
  })
})

describe('an event token', () => {
  test('names its maker, its use, and its end after 12 hours', async () => {
    tokens = make({ ttlSeconds: 0 })
    const { signedToken, tokenId } = await tokens.issueUserToken(application, 'alice')
    const { eventToken, expiresAt } = await tokens.issueEventToken(principalOf(signedToken))
    expect(expiresAt).toBe(now + 12 * HOUR)
    expect(payloadOf(eventToken)).toEqual({
      iss: 'mitter-io', applicationId: 'application-1', userId: 'alice', userTokenId: tokenId, use: 'events', exp: expiresAt / 1000
    })
  })

  test('ends no later than its maker, and remembers the maker\'s end', async () => {
    const { signedToken } = await tokens.issueUserToken(application, 'alice')
    const end = now + DAY_SECONDS * 1000
    now = end - HOUR
    const { eventToken, expiresAt } = await tokens.issueEventToken(principalOf(signedToken))
    expect(expiresAt).toBe(end)
    expect(payloadOf(eventToken)).toMatchObject({ exp: end / 1000, parentExp: end / 1000 })
  })

  test('that the application makes for a user names a record of its own', async () => {
    const { eventToken } = await tokens.issueEventToken({ kind: 'user', userId: 'alice', lineage: [], receiveOnly: false })
    const { userTokenId } = tokens.verify(eventToken)
    expect(await store.getToken(userTokenId!)).toEqual({ userId: 'alice', lineage: [userTokenId], live: true })
  })

  test('makes no further tokens', async () => {
    const principal: UserPrincipal = { kind: 'user', userId: 'alice', lineage: [randomUUID()], receiveOnly: true }
    await expect(tokens.issueEventToken(principal)).rejects.toThrow(refusal(403, 'event streams only'))
    await expect(tokens.issueUserToken(principal, 'alice')).rejects.toThrow(refusal(403, 'event streams only'))
  })
})

describe('a forged token is refused', () => {
  const claims = { iss: 'mitter-io', applicationId: 'application-1', userId: 'alice', userTokenId: 'x'.repeat(36) }

  test('the forger of these tests makes good ones, given the secret', () => {
    expect(tokens.verify(forge({ alg: 'HS512' }, claims, 'sha512'))).toMatchObject({ userId: 'alice' })
  })

  test.each([
    ['without a signature', { alg: 'none' }, ''],
    ['without a signature, in other letters', { alg: 'nOnE' }, ''],
    ['by HS256 with the right secret', { alg: 'HS256' }, 'sha256'],
    ['by HS384 with the right secret', { alg: 'HS384' }, 'sha384']
  ])('%s', (_, head, hash) => {
    expect(() => tokens.verify(forge(head, claims, hash))).toThrow(refusal(401, 'not made by this service'))
  })

  test.each([
    ['of another issuer', { ...claims, iss: 'somebody' }],
    ['without an issuer', { ...claims, iss: undefined }],
    ['without a user', { ...claims, userId: undefined }],
    ['for a user who is no text', { ...claims, userId: { $ne: '' } }],
    ['that names no stored token and is no event token', { ...claims, userTokenId: undefined }],
    ['with a use that is not ours', { ...claims, use: 'all' }],
    ['whose end is no number', { ...claims, exp: 'never' }]
  ])('%s', (_, wrong) => {
    expect(() => tokens.verify(forge({ alg: 'HS512' }, wrong, 'sha512'))).toThrow(refusal(401, 'not made by this service'))
  })

  test('of another application', () => {
    expect(() => tokens.verify(forge({ alg: 'HS512' }, { ...claims, applicationId: 'application-2' }, 'sha512'))).toThrow(refusal(401, 'another application'))
  })

  test('signed with another secret', async () => {
    const { signedToken } = await make({ credentials: { tokenSecret: 'u'.repeat(64) } }).issueUserToken(application, 'alice')
    expect(() => tokens.verify(signedToken)).toThrow(refusal(401, 'not made by this service'))
  })

  test('changed at any place', async () => {
    const { signedToken } = await tokens.issueUserToken(application, 'alice')
    // The last character is left out: it carries 2 bits, the rest of it is padding.
    for (let at = 0; at < signedToken.length - 1; at++) {
      const changed = signedToken.slice(0, at) + (signedToken[at] === 'A' ? 'B' : 'A') + signedToken.slice(at + 1)
      expect(() => tokens.verify(changed), `changed at ${at}`).toThrow(expect.objectContaining({ status: 401 }))
    }
  })

  test.each(['', 'x', 'a.b', '..', 'a.b.c', 'null.null.null', '{}', 'e30.e30.'])('that is no token at all: %j', (text) => {
    expect(() => tokens.verify(text)).toThrow(expect.objectContaining({ status: 401, code: 'claim_rejected' }))
  })
})

function forge (head: object, claims: object, hash: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${part({ typ: 'JWT', ...head })}.${part(claims)}`
  return `${input}.${hash === '' ? '' : createHmac(hash, credentials.tokenSecret).update(input).digest('base64url')}`
}

function refusal (status: number, part: string): unknown {
  return expect.objectContaining({ status, message: expect.stringContaining(part) })
}
