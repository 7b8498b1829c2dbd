/** What a signed call is protected from: another body, and being sent again (protocol 2, "Signature"). */
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { LightMyRequestResponse } from 'fastify'
import { createAuthenticate, createIdentify } from '../../src/auth/authenticate.ts'
import { credentials, startService, type Service } from '../http/service.ts'
import { httpDate, signed, type SignedHeaders, type Signing } from './signing.ts'

let service: Service
let users = 0

beforeAll(async () => { service = await startService(['amy']) })
afterAll(async () => { await service.stop() })

const newUser = () => JSON.stringify({ userId: `user-${++users}` })
const sign = (more: Partial<Signing> = {}): SignedHeaders => signed({ method: 'POST', path: '/v1/users', secret: credentials.accessSecret, ...more })
const post = (headers: object, body?: string | Buffer) =>
  service.call('POST /v1/users', { as: null, headers: headers as Record<string, string>, ...(body === undefined ? {} : { body }) })
const isThere = async (body: string) => (await service.call(`GET /v1/users/${JSON.parse(body).userId}`)).statusCode === 200
const refused = (response: LightMyRequestResponse, part: string) => {
  expect(response.json()).toMatchObject({ errorCode: 'claim_rejected', message: expect.stringContaining(part) })
  expect(response.statusCode).toBe(401)
}

describe('a body that is not the one that was signed is refused, and does nothing:', () => {
  test('another one', async () => {
    const [body, other] = [newUser(), newUser()]
    const headers = sign({ body })
    refused(await post(headers, other), `Content-Md5 is ${headers['content-md5']}`)
    expect(await isThere(other)).toBe(false)
  })

  test('another one, its MD5 exchanged too', async () => {
    const [body, other] = [newUser(), newUser()]
    refused(await post({ ...sign({ body }), 'content-md5': sign({ body: other })['content-md5'] }, other), 'The signature is wrong')
    expect(await isThere(other)).toBe(false)
  })

  test('one with a byte more', async () => {
    const body = newUser()
    refused(await post(sign({ body }), `${body} `), 'sign the bytes that are sent')
    expect(await isThere(body)).toBe(false)
  })

  test.each(['{', '\u0000', '{"__proto__":1}'])('%j, before it is read', async (body) => {
    refused(await post(sign({ body: newUser() }), body), 'MD5 of the')
  })

  test('one that is no JSON at all, before its type is looked at', async () => {
    refused(await post(sign({ body: newUser(), contentType: 'text/plain' }), 'text'), 'MD5 of the')
    expect((await post(sign({ body: 'text', contentType: 'text/plain' }), 'text')).statusCode).toBe(415)
  })

  test('none', async () => {
    refused(await post(sign({ body: newUser() })), 'MD5 of the 0 bytes')
    const { 'content-type': _, ...headers } = sign({ body: newUser(), contentType: 'null' })
    refused(await post(headers), 'MD5 of the 0 bytes')
  })

  test('one where none was signed', async () => {
    const body = newUser()
    refused(await post(sign({ contentType: 'application/json' }), body), 'Content-Md5 is 1B2M2Y8AsgTpgAmY7PhCfg==')
    expect(await isThere(body)).toBe(false)
  })

  test('on a GET, which reads none', async () => {
    const headers = signed({ method: 'GET', path: '/v1/users', body: 'x', secret: credentials.accessSecret })
    refused(await service.call('GET /v1/users', { as: null, headers: headers as Record<string, string> }), 'MD5 of the 0 bytes')
  })
})

test('a body is its bytes: UTF-8 with characters beyond ASCII is good as it is sent', async () => {
  const body = JSON.stringify({ userId: `user-${++users}`, screenName: { screenName: 'Ämy 😀' } })
  expect((await post(sign({ body: Buffer.from(body) }), Buffer.from(body))).statusCode).toBe(200)
})

describe('a nonce', () => {
  test('is good once', async () => {
    const body = newUser()
    const headers = sign({ body })
    expect((await post(headers, body)).statusCode).toBe(200)
    refused(await post(headers, body), 'This Nonce was used')
    refused(await post(headers, body), 'This Nonce was used')
  })

  test('is good once whatever else the call says', async () => {
    const nonce = 'once-and-no-more'
    const [body, other] = [newUser(), newUser()]
    expect((await post(sign({ body, nonce }), body)).statusCode).toBe(200)
    refused(await post(sign({ body: other, nonce, date: httpDate(10) }), other), 'This Nonce was used')
    expect(await isThere(other)).toBe(false)
  })

  test('is good once of 20 times at once', async () => {
    const calls = Array.from({ length: 20 }, () => ({ body: newUser(), nonce: 'in-parallel' }))
    const statuses = await Promise.all(calls.map(async ({ body, nonce }) => (await post(sign({ body, nonce }), body)).statusCode))
    expect(statuses.toSorted()).toEqual([200, ...Array<number>(19).fill(401)])
    const made = await Promise.all(calls.map(async ({ body }) => await isThere(body)))
    expect(made.filter(Boolean)).toHaveLength(1)
  })

  test('is good once on all nodes of a store together', async () => {
    const tokens = { verify: () => { throw new Error('no token is shown') } }
    const identify = createIdentify({ credentials, tokens })
    const [one, other] = [1, 2].map(() => createAuthenticate({ store: service.store }))
    const request = { method: 'GET', path: '/v1/users', query: {}, eventStream: false, headers: { ...sign({ method: 'GET', body: '' }) } }
    await expect(one!(identify(request))).resolves.toEqual({ kind: 'application' })
    await expect(other!(identify(request))).rejects.toMatchObject({ status: 401, message: expect.stringContaining('This Nonce was used') })
  })

  test('is used up by a good signature, even where the call then fails', async () => {
    const body = newUser()
    const headers = sign({ body })
    refused(await post(headers, `${body} `), 'MD5 of the')
    refused(await post(headers, body), 'This Nonce was used')
  })

  test('that was used is told before anything about the user of a sudo', async () => {
    const headers = { ...sign({ method: 'GET' }), 'x-mitter-sudo-user-id': 'nobody' }
    const replay = () => service.call('GET /v1/users', { as: null, headers: headers as unknown as Record<string, string> })
    expect((await replay()).statusCode).toBe(404)
    refused(await replay(), 'This Nonce was used')
  })

  test.each<[string, (headers: SignedHeaders) => object]>([
    ['a wrong secret', headers => ({ ...headers, authorization: sign({ secret: Buffer.alloc(32, 2).toString('base64') }).authorization })],
    ['an unknown key', headers => ({ ...headers, authorization: headers.authorization.replace('key:', 'other:'), 'x-mitter-application-access-key': 'other' })],
    ['a stale date', headers => ({ ...headers, date: httpDate(-60) })],
    ['another path', headers => ({ ...headers, authorization: sign({ path: '/v1/channels' }).authorization })],
    ['another MD5', headers => ({ ...headers, 'content-md5': sign({ body: 'x' })['content-md5'] })],
    ['another application', headers => ({ ...headers, 'x-mitter-application-id': 'another' })],
    ['a bad token beside it', headers => ({ ...headers, 'x-issued-mitter-user-authorization': 'x' })]
  ])('is not used up by a call with %s', async (_, spoil) => {
    const body = newUser()
    const headers = sign({ body })
    expect((await post(spoil(headers), body)).statusCode).toBe(401)
    expect((await post(headers, body)).statusCode).toBe(200)
  })

  test('is used up by a call whose command is refused', async () => {
    const body = newUser()
    expect((await post(sign({ body }), body)).statusCode).toBe(200)
    const headers = sign({ body })
    expect((await post(headers, body)).statusCode).toBe(409)
    refused(await post(headers, body), 'This Nonce was used')
  })

  test.each<[string, string, object, number]>([
    ['its form', '{"userId":5}', {}, 400],
    ['no JSON', '{', {}, 400],
    ['something that is not there yet', JSON.stringify({ userId: 'user-of-no-metadata', entityMetadata: { a: 1 } }), {}, 501],
    ['its key', JSON.stringify({ userId: 'user-of-a-short-key' }), { 'idempotency-key': 'short' }, 400],
    ['its sudo', JSON.stringify({ userId: 'user-of-nobody' }), { 'x-mitter-sudo-user-id': 'nobody' }, 404],
    ['its empty sudo', JSON.stringify({ userId: 'user-of-nobody' }), { 'x-mitter-sudo-user-id': '' }, 400],
    ['its encoding', JSON.stringify({ userId: 'user-of-gzip' }), { 'content-encoding': 'gzip' }, 415],
    ['its type', 'text', { 'content-type': 'text/plain' }, 415]
  ])('is used up by a call that is refused for %s, and a replay is told nothing else', async (_, body, more, status) => {
    const headers = { ...sign({ body, ...('content-type' in more ? { contentType: 'text/plain' } : {}) }), ...more }
    expect((await post(headers, body)).statusCode).toBe(status)
    refused(await post(headers, body), 'This Nonce was used')
    // Nothing that is not signed makes another call of it.
    refused(await post({ ...headers, 'x-mitter-sudo-user-id': 'nobody' }, body), 'This Nonce was used')
    const { 'idempotency-key': key, 'x-mitter-sudo-user-id': sudo, 'content-encoding': encoding, ...bare } = headers as Record<string, string>
    refused(await post(bare, body), 'This Nonce was used')
    refused(await post({ ...bare, 'idempotency-key': 'another-key' }, body), 'This Nonce was used')
  })

  test.each<[string, number]>([
    ['POST /v1/users/amy/tokens', 200], ['POST /v1/users/me/event-tokens', 400], ['DELETE /v1/channels/nothing-there', 404], ['DELETE /v1/users/amy/tokens/none', 404],
    ['GET /v1/users/nobody', 404], ['GET /v1/users/amy', 200], ['GET /v1/users/me/logout', 400], ['POST /v1/channels//timeline', 404]
  ])('is good once on %s, which answers %i', async (request, status) => {
    const [method, path] = request.split(' ') as [string, string]
    const headers = signed({ method, path, secret: credentials.accessSecret })
    const call = async () => await service.call(request, { as: null, headers: headers as Record<string, string> })
    expect((await call()).statusCode).toBe(status)
    refused(await call(), 'This Nonce was used')
  })

  test('is taken by the command that it signs, in the same commit', async () => {
    const given: string[] = []
    const { append } = service.store
    service.store.append = async command => {
      given.push(command.type)
      return await append(command)
    }
    try {
      const body = newUser()
      const headers = sign({ body })
      expect((await post(headers, body)).statusCode).toBe(200)
      refused(await post(headers, body), 'This Nonce was used')
      expect((await post(sign({ body: '{}' }), '{"')).statusCode).toBe(401)
      expect(given).toEqual(['create-user', 'create-user', 'take-nonce'])
    } finally {
      service.store.append = append
    }
  })

  test('is another one on a repeat, which answers what the first one answered', async () => {
    const body = newUser()
    const more = { 'idempotency-key': `key-of-${body.length}-${users}` }
    const first = await post({ ...sign({ body }), ...more }, body)
    const headers = { ...sign({ body }), ...more }
    const second = await post(headers, body)
    expect([first.statusCode, second.statusCode, second.body]).toEqual([200, 200, first.body])
    refused(await post(headers, body), 'This Nonce was used')
  })

  test('is not taken when it might have been forgotten: a call whose body came late is refused', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const body = newUser()
      const headers = sign({ body })
      const payload = new PassThrough()
      const answer = service.app.inject({ method: 'POST', url: '/v1/users', headers: { ...headers, 'content-length': String(body.length) }, payload })
      payload.write(body.slice(0, 5))
      await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
      vi.setSystemTime(Date.now() + 60_001)
      payload.end(body.slice(5))
      refused(await answer, 'took too long to arrive')
      expect(await isThere(body)).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })

  test.each([1, 128])('may have %i characters', async (length) => {
    const body = newUser()
    expect((await post(sign({ body, nonce: '~'.repeat(length) }), body)).statusCode).toBe(200)
  })
})
