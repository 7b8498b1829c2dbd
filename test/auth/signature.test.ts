/** Signed calls of the application over HTTP (protocol 2, "Signature"). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LightMyRequestResponse } from 'fastify'
import { credentials, startService, type Service } from '../http/service.ts'
import { httpDate, signed, type SignedHeaders, type Signing } from './signing.ts'

const secret = credentials.accessSecret
let service: Service
let users = 0

beforeAll(async () => { service = await startService(['amy', '#bob']) })
afterAll(async () => { await service.stop() })

const sign = (request: string, more: Partial<Signing> = {}): SignedHeaders => {
  const [method, path] = request.split(' ') as [string, string]
  return signed({ method, path, secret, ...more })
}
const call = (request: string, headers: object, body?: string) =>
  service.call(request, { as: null, headers: headers as Record<string, string>, ...(body === undefined ? {} : { body }) })

/** A call that has an effect: it makes a user. */
const newUser = () => JSON.stringify({ userId: `user-${++users}` })
const isThere = async (body: string) => (await service.call(`GET /v1/users/${JSON.parse(body).userId}`)).statusCode === 200
const refused = (response: LightMyRequestResponse, part: string) => {
  expect(response.json()).toMatchObject({ errorCode: 'claim_rejected', message: expect.stringContaining(part) })
  expect(response.statusCode).toBe(401)
}

describe('a signed call', () => {
  test('acts as the application', async () => {
    expect((await call('GET /v1/users', sign('GET /v1/users'))).statusCode).toBe(200)
    const body = newUser()
    expect((await call('POST /v1/users', sign('POST /v1/users', { body }), body)).statusCode).toBe(200)
    expect(await isThere(body)).toBe(true)
  })

  test.each([
    ['as it is sent', 'GET /v1/users/%23bob'],
    ['without the slash in front', 'GET v1/users/%23bob'],
    ['decoded', 'GET /v1/users/#bob']
  ])('may sign its path %s', async (_, request) => {
    expect((await call('GET /v1/users/%23bob', sign(request))).json()).toMatchObject({ userId: '#bob' })
  })

  test('may sign a path beyond ASCII decoded or as it is sent: whether it names something is another matter', async () => {
    for (const request of ['GET /v1/users/äöü€😀', `GET /v1/users/${encodeURIComponent('äöü€😀')}`]) {
      expect((await call(`GET /v1/users/${encodeURIComponent('äöü€😀')}`, sign(request))).statusCode).toBe(404)
    }
  })

  test('does not sign its query', async () => {
    expect((await call('GET /v1/users?limit=1', sign('GET /v1/users'))).json()).toHaveLength(1)
    refused(await call('GET /v1/users?limit=1', sign('GET /v1/users?limit=1')), 'path without query')
  })

  test('signs "null" where it has no content type, and a content type where it has one without a body', async () => {
    const made = 'POST /v1/users/amy/tokens'
    expect((await call(made, sign(made))).statusCode).toBe(200)
    expect((await call(made, sign(made, { contentType: 'application/json' }))).statusCode).toBe(200)
    const { 'content-type': _, ...headers } = sign(made, { contentType: 'application/json' })
    refused(await call(made, headers), 'Content-Type (null where there is none)')
  })

  test('signs the content type as it is sent', async () => {
    const body = newUser()
    expect((await call('POST /v1/users', sign('POST /v1/users', { body, contentType: 'application/json; charset=utf-8' }), body)).statusCode).toBe(200)
  })

  test('acts as a user by sudo', async () => {
    expect((await call('GET /v1/users/me', { ...sign('GET /v1/users/me'), 'x-mitter-sudo-user-id': 'amy' })).json()).toMatchObject({ userId: 'amy' })
    expect((await call('GET /v1/users', { ...sign('GET /v1/users'), 'x-mitter-sudo-user-id': 'amy' })).statusCode).toBe(403)
    expect((await call('GET /v1/users/me', { ...sign('GET /v1/users/me'), 'x-mitter-sudo-user-id': 'nobody' })).statusCode).toBe(404)
  })

  test('needs no application id, and may show the right one only', async () => {
    const headers = { ...sign('GET /v1/users'), 'x-mitter-application-id': 'another' }
    refused(await call('GET /v1/users', headers), 'another application')
    expect((await call('GET /v1/users', { ...headers, 'x-mitter-application-id': credentials.applicationId })).statusCode).toBe(200)
  })
})

describe('what is wrong with a call that is refused is told:', () => {
  test.each(['X-Mitter-Application-Access-Key', 'Date', 'Nonce', 'Content-Md5'])('%s is missing, or empty', async (name) => {
    const { [name.toLowerCase() as 'date']: _, ...headers } = sign('GET /v1/users')
    refused(await call('GET /v1/users', headers), `needs the header ${name}`)
    refused(await call('GET /v1/users', { ...headers, [name]: '' }), name)
  })

  test.each<[string, Partial<Signing>, string]>([
    ['a wrong secret', { secret: Buffer.alloc(32, 2).toString('base64') }, 'The signature is wrong'],
    ['a secret that was not decoded', { secret: Buffer.from(secret).toString('base64') }, 'decoded from base64'],
    ['an unknown key', { key: 'other' }, 'The access key is unknown'],
    ['a date that is none', { date: 'yesterday' }, 'as HTTP writes it'],
    ['a nonce of 129 characters', { nonce: 'n'.repeat(129) }, '1 to 128'],
    ['a nonce with a space', { nonce: 'a b' }, 'without spaces'],
    ['a nonce beyond ASCII', { nonce: 'nöne' }, 'printable ASCII']
  ])('%s', async (_, more, part) => {
    refused(await call('GET /v1/users', sign('GET /v1/users', more)), part)
  })

  test.each([['a stale date', -40], ['a future date', 40]])('%s', async (_, seconds) => {
    refused(await call('GET /v1/users', sign('GET /v1/users', { date: httpDate(seconds) })), 'they may differ by 25 seconds')
  })

  test('the text that should have been signed', async () => {
    const headers = sign('GET /v1/channels')
    const text = `GET\nnull\n1B2M2Y8AsgTpgAmY7PhCfg==\n${headers.date}\n/v1/users\n${headers.nonce}`
    refused(await call('GET /v1/users', headers), JSON.stringify(text))
  })

  test('a long text that should have been signed, cut', async () => {
    const response = await call(`GET /v1/users/${'a'.repeat(9_000)}`, sign('GET /v1/users'))
    refused(response, 'aaa…"')
    expect(response.json().message.length).toBeLessThan(1_100)
  })

  test('another key in the header than in Authorization', async () => {
    refused(await call('GET /v1/users', { ...sign('GET /v1/users'), 'x-mitter-application-access-key': 'other' }), 'the same in both')
  })

  test.each([
    ['no key and no digest', 'Auth'],
    ['no digest', 'Auth key'],
    ['an empty digest', 'Auth key:'],
    ['neither before nor after the colon', 'Auth :'],
    ['a short digest', 'Auth key:short'],
    ['a digest that is no base64', `Auth key:${'!'.repeat(27)}=`],
    ['a digest of 5,000 characters', `Auth key:${'A'.repeat(5000)}`]
  ])('%s', async (_, authorization) => {
    refused(await call('GET /v1/users', { ...sign('GET /v1/users'), authorization }), 'Auth <access key>:<digest>')
  })

  test('an MD5 in hexadecimal', async () => {
    refused(await call('GET /v1/users', { ...sign('GET /v1/users'), 'content-md5': 'd41d8cd98f00b204e9800998ecf8427e' }), '24 characters')
  })

  test('a user token beside it', async () => {
    const { userToken } = (await service.call('POST /v1/users/amy/tokens')).json()
    refused(await call('GET /v1/users', { ...sign('GET /v1/users'), 'x-issued-mitter-user-authorization': userToken.signedToken }), 'different callers')
  })
})
