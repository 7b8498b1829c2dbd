/** Headers that say who or what is meant: an empty one is never the same as none, and of two none is chosen (protocol 2). */
import { type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { exchange, type RawAnswer } from '../http/bad-input/raw.ts'
import { callsTo } from '../http/rules/calls.ts'
import { applicationAuthorization, credentials, startService, type Service } from '../http/service.ts'

let service: Service
let port: number
let amy: string
beforeAll(async () => {
  service = await startService(['amy', 'bob'])
  amy = `Bearer ${(await service.call('POST /v1/users/amy/tokens')).json().userToken.signedToken}`
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  port = (service.app.server.address() as AddressInfo).port
})
afterAll(() => service.stop())
const { channel } = callsTo(() => service)

const gist = ({ status, body }: RawAnswer): [status: number, code?: string, field?: string] => {
  const { errorCode, diagnostics } = body === '' ? {} as Record<string, undefined> : JSON.parse(body)
  return [status, ...(errorCode === undefined ? [] : [errorCode]), ...(diagnostics === undefined ? [] : [diagnostics.field])] as [number]
}
const post = async (path: string, headers: Record<string, string>, body: unknown) => gist(await exchange(port, 'POST', path, headers, JSON.stringify(body)))
const get = async (path: string, headers: Record<string, string>) => gist(await exchange(port, 'GET', path, headers))

it('an empty X-Mitter-Sudo-User-Id does not make a call the application\'s', async () => {
  const room = await channel('group', ['amy'])
  const head = await service.store.head()
  const refusal = [400, 'invalid_domain_attribute', 'headers/x-mitter-sudo-user-id']
  for (const sudo of ['', '   ', '\t']) {
    expect(await post(`/v1/channels/${room}/messages`, { authorization: applicationAuthorization, 'x-mitter-sudo-user-id': sudo }, { textPayload: 'whose?' })).toEqual(refusal)
    expect(await get('/v1/users', { authorization: applicationAuthorization, 'x-mitter-sudo-user-id': sudo })).toEqual(refusal)
  }
  expect(await service.store.head()).toEqual(head)
})

it.each([
  ['Authorization', {}],
  ['X-Issued-Mitter-User-Authorization', { authorization: 'amy' }],
  ['X-Mitter-Application-Id', { authorization: 'amy' }],
  ['X-Mitter-Application-Id', { authorization: 'application' }],
  ['X-Mitter-Application-Access-Key', { authorization: 'application' }]
] as const)('an empty %s is 401, whatever else is shown', async (name, { authorization }: { authorization?: string }) => {
  const shown: Record<string, string> = authorization === undefined ? {} : { authorization: authorization === 'amy' ? amy : applicationAuthorization }
  const answer = await exchange(port, 'GET', '/v1/users/amy', { ...shown, [name]: '' })
  expect(gist(answer)).toEqual([401, 'claim_rejected'])
  expect(JSON.parse(answer.body).message).toBe(`${name} is empty: give it its value, or leave it out`)
})

it('an empty Idempotency-Key is 400, and does nothing', async () => {
  const room = await channel('group', ['amy'])
  const head = await service.store.head()
  expect(await post(`/v1/channels/${room}/messages`, { authorization: amy, 'idempotency-key': '' }, { textPayload: 'once?' }))
    .toEqual([400, 'invalid_domain_attribute', 'headers/idempotency-key'])
  expect(await service.store.head()).toEqual(head)
})

/** Both of them in one request: names of headers are compared without regard to case, keys of an object are not. */
const twice = (name: string, one: string, other: string) => ({ [name.toLowerCase()]: one, [name.toUpperCase()]: other })

it.each([
  ['Authorization', () => [amy, applicationAuthorization]],
  ['Authorization', () => [amy, amy]],
  ['X-Issued-Mitter-User-Authorization', () => [amy.slice(7), amy.slice(7)]],
  ['X-Mitter-Application-Id', () => [credentials.applicationId, credentials.applicationId]],
  ['X-Mitter-Application-Access-Key', () => [credentials.accessKey, 'another']]
] as Array<[string, () => [string, string]]>)('two %s are 401, be they the same or not', async (name, both) => {
  const answer = await exchange(port, 'GET', '/v1/users/amy', { ...(name === 'Authorization' ? {} : { authorization: amy }), ...twice(name, ...both()) })
  expect(gist(answer)).toEqual([401, 'claim_rejected'])
  expect(JSON.parse(answer.body).message).toBe(`${name} is given more than once: send it once`)
})

it.each([
  ['X-Mitter-Sudo-User-Id', 'amy', 'bob'], ['Idempotency-Key', 'key-1234', 'key-5678'], ['Last-Event-ID', 'earliest', 'earliest']
])('two %s are 400', async (name, one, other) => {
  expect(await post('/v1/users/amy/tokens', { authorization: applicationAuthorization, ...twice(name, one, other) }, {}))
    .toEqual([400, 'invalid_domain_attribute', `headers/${name.toLowerCase()}`])
})

it('two Accept and two Prefer are one list', async () => {
  expect(await get('/v1/users/amy', { authorization: amy, ...twice('Accept', 'text/html', 'application/json'), ...twice('Prefer', 'a', 'b') })).toEqual([200])
})
