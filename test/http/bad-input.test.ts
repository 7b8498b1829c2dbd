/**
 * Bad input on every route that the app's own document has: the right refusal in the envelope, and nothing stored.
 * One thing is wrong at a time, so that a check which is missing lets the request through, and shows.
 */
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { pathOf, pathParameters, readApi, type Api, type Operation } from './bad-input/operations.ts'
import { exchange } from './bad-input/raw.ts'
import { faultOf } from './bad-input/refused.ts'
import { storedOf } from './bad-input/stored.ts'
import { impossibleIds, namelessLists, namelessSegments, unreadableJson, unreadableSegments, wrongBodies, wrongContentTypes, wrongIds } from './bad-input/values.ts'
import { applicationAuthorization, GROUP_CHAT, startService, type CallOptions, type Service } from './service.ts'

let service: Service
let api: Api
let port: number
/** What the parameters of paths name: all of it is there, amy's, in a channel where only an admin may do most things. */
let there: Record<string, string>
let revoked: string
let orphaned: string
let before: Record<string, string>
let faults: string[]

beforeAll(async () => {
  service = await startService(['@amy', 'bob', 'mallory'])
  api = await readApi(service)
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  port = (service.app.server.address() as AddressInfo).port
  const channel = { channelId: 'room-of-amy', defaultRuleSet: GROUP_CHAT, groupType: 'strict_private', participation: [{ participantId: 'bob' }] }
  await service.call('POST /v1/channels', { as: '@amy', body: channel })
  await service.call('POST /v1/channels/room-of-amy/messages', { as: '@amy', body: { messageId: 'message-of-amy', textPayload: 'Hello' } })
  const tokenOf = async (user: string) => (await service.call(`POST /v1/users/${user}/tokens`)).json().userToken as { signedToken: string, tokenId: string }
  there = { userId: '%40amy', channelId: 'room-of-amy', messageId: 'message-of-amy', messageIds: 'message-of-amy', tokenIds: (await tokenOf('@amy')).tokenId, applicationId: service.applicationId }
  const stored = await storedOf(service)
  const { signedToken, tokenId } = await tokenOf('@amy')
  await service.call(`DELETE /v1/users/@amy/tokens/${tokenId}`)
  await service.call('POST /v1/users', { body: { userId: 'carl' } })
  revoked = signedToken
  orphaned = (await tokenOf('carl')).signedToken
  await service.call('DELETE /v1/users/carl')
  // That nothing is stored means something only where it shows what is.
  const now = await storedOf(service)
  expect(Object.keys(now).filter(table => now[table] !== stored[table])).toEqual(expect.arrayContaining(['head', 'entries', 'tokens', 'users']))
})
afterAll(() => service.stop())

beforeEach(async () => {
  faults = []
  before = await storedOf(service)
})
afterEach(async () => {
  expect(faults.slice(0, SHOWN), `${faults.length} faults`).toEqual([])
  expect(await storedOf(service)).toEqual(before)
})

/** Faults that a failed test shows: where there is one, there are many alike. */
const SHOWN = 12

const bodyOf = (operation: Operation): unknown => operation.body === undefined ? undefined : api.sample(operation.body)
const nameOf = ({ method, path }: Operation) => `${method} ${path}`
const withBody = () => api.operations.filter(({ body }) => body !== undefined)
/** Those whose bodies are read at all: a GET has none. */
const reading = () => api.operations.filter(({ method }) => method !== 'GET')

/** Calls with one thing wrong, and notes what is wrong with the answer. */
async function mustRefuse (operation: Operation, what: string, options: CallOptions, statuses: number[], path = pathOf(operation, there)): Promise<void> {
  const { statusCode: status, headers, body } = await service.call(`${operation.method} ${path}`, options)
  note(operation, what, { status, headers, body }, statuses)
}

function note (operation: Operation, what: string, answer: { status: number, headers: Record<string, unknown>, body: string }, statuses: number[]): void {
  const undocumented = operation.statuses.includes(String(answer.status)) ? undefined : `${answer.status} is not in the document`
  const fault = faultOf(answer, statuses) ?? undocumented
  if (fault !== undefined) faults.push(`${nameOf(operation)}, ${what}: ${fault}`)
}

it('has a request for every operation of the document', () => {
  expect(api.operations.length).toBeGreaterThanOrEqual(44)
  for (const operation of api.operations) pathOf(operation, there)
  expect(api.operations.filter(({ guarded }) => !guarded).map(({ path }) => path)).toEqual(['/health/live', '/health/ready'])
  expect(withBody().map(({ operationId }) => operationId).sort()).toEqual([
    'addChannelEvent', 'addMessageEvent', 'addParticipant', 'changeApplicationAcls', 'changeChannelAcls', 'changeMessageAcls', 'changeParticipant', 'createChannel', 'createUser', 'editMessage', 'sendMessage'
  ])
})

it('refuses whoever does not show who they are', async () => {
  const shown: Array<[string, Record<string, string>]> = [
    ['nothing', {}],
    ['an empty header', { authorization: '' }],
    ['a scheme alone', { authorization: 'Bearer' }],
    ['an unknown scheme', { authorization: 'Digest x' }],
    ['a token that is none', { authorization: 'Bearer x.y.z' }],
    ['a token of 10,000 characters', { authorization: `Bearer ${'x'.repeat(10_000)}` }],
    ['a revoked token', { authorization: `Bearer ${revoked}` }],
    ['a revoked token under the other header', { 'x-issued-mitter-user-authorization': revoked }],
    ['a deleted user\'s token', { authorization: `Bearer ${orphaned}` }],
    ['a wrong secret', { authorization: `Basic ${Buffer.from('key:secret').toString('base64')}` }],
    ['Basic that is no base64', { authorization: 'Basic %%%' }],
    ['an empty signature', { authorization: 'Auth key:' }],
    ['another application', { authorization: applicationAuthorization, 'x-mitter-application-id': 'another' }],
    ['the key from a page of another origin', { authorization: applicationAuthorization, origin: 'https://evil.example' }]
  ]
  for (const operation of api.operations.filter(({ guarded }) => guarded)) {
    // Before anything else is looked at: a body that cannot be read changes nothing.
    for (const body of [bodyOf(operation), '{']) {
      for (const [what, headers] of shown) await mustRefuse(operation, what, { as: null, headers, ...(body === undefined ? {} : { body }) }, [401])
    }
  }
})

it('refuses another user what is amy\'s, or the application\'s', async () => {
  // What a user does for itself, or asks about itself. Creating a channel and joining are anybody's.
  const own = ['createChannel', 'issueEventToken', 'logout', 'explainAccess']
  for (const operation of api.operations.filter(({ guarded, operationId }) => guarded && !own.includes(operationId))) {
    const body = bodyOf(operation)
    // A message that one may not read is not there.
    const refusal = ['getMessage', 'getMessageAcls', 'changeMessageAcls'].includes(operation.operationId) ? [404] : [403]
    await mustRefuse(operation, 'as mallory', { as: 'mallory', ...(body === undefined ? {} : { body }) }, refusal)
    await mustRefuse(operation, 'as mallory, through the application', { headers: { 'x-mitter-sudo-user-id': 'mallory' }, ...(body === undefined ? {} : { body }) }, refusal)
    await mustRefuse(operation, 'as mallory, who says to be amy', { as: 'mallory', headers: { 'x-mitter-sudo-user-id': '@amy' }, ...(body === undefined ? {} : { body }) }, [403])
  }
})

it('refuses a body that cannot be read', async () => {
  for (const operation of reading()) {
    for (const body of unreadableJson) await mustRefuse(operation, body, { body }, [400])
    await mustRefuse(operation, 'bytes that are no UTF-8', { body: Buffer.from([0x22, 0xff, 0xfe, 0x22]) }, [400])
  }
})

it('refuses a body of another type', async () => {
  for (const operation of reading()) {
    const body = JSON.stringify(bodyOf(operation) ?? {})
    for (const type of wrongContentTypes) await mustRefuse(operation, type, { body, headers: { 'content-type': type } }, [415])
  }
})

it('refuses a body of 1 MB', async () => {
  const body = JSON.stringify({ textPayload: 'x'.repeat(1024 * 1024) })
  for (const operation of reading()) await mustRefuse(operation, '1 MB', { body }, [413])
})

it('refuses a body that is not there, or no object', async () => {
  for (const operation of withBody()) {
    await mustRefuse(operation, 'no body', {}, [400])
    await mustRefuse(operation, 'an empty body', { body: '' }, [400])
    for (const body of [null, [], 'text', 5, true, 1e300, [{}]]) await mustRefuse(operation, JSON.stringify(body), { body: JSON.stringify(body) }, [400])
  }
})

it('refuses fields of wrong types, and misses those that are needed', async () => {
  for (const operation of withBody()) {
    const bodies = [...wrongBodies(api, operation.body!, bodyOf(operation))]
    expect(bodies.length, nameOf(operation)).toBeGreaterThan(10)
    for (const { what, body } of bodies) await mustRefuse(operation, what, { body: JSON.stringify(body) }, [400])
  }
})

it('refuses ids that cannot be', async () => {
  for (const operation of withBody()) {
    for (const { what, body, own } of wrongIds(api, operation.body!, bodyOf(operation))) await mustRefuse(operation, what, { body }, own ? [400] : [400, 404])
  }
})

it('finds nothing under paths that name nothing, byte for byte', async () => {
  for (const operation of api.operations) {
    const body = bodyOf(operation)
    for (const parameter of pathParameters(operation)) {
      const ask = async (segment: string, statuses: number[]) => {
        const target = pathOf(operation, { ...there, [parameter]: segment })
        const answer = await exchange(port, operation.method, target, { authorization: applicationAuthorization }, body === undefined ? undefined : JSON.stringify(body))
        const fault = faultOf(answer, statuses)
        if (fault !== undefined) faults.push(`${operation.method} ${target.slice(0, 120)}: ${fault}`)
      }
      await ask('', [404])
      for (const segment of namelessSegments) await ask(segment, [404])
      for (const segment of namelessLists) await ask(segment, [400, 404])
      for (const segment of unreadableSegments) await ask(segment, [400])
      await ask('x'.repeat(10_000), [414])
      // Such bytes may not stand in a request's first line at all.
      for (const segment of ['with space', 'new\nline', 'new\r\nline', 'nul\u0000', '😀', 'ümlaut']) await ask(segment, [400, 404])
    }
  }
})

it('refuses queries that cannot be', async () => {
  const wrongOf: Record<string, string[]> = {
    integer: ['', 'many', '1e300', '1.5', '-1', '9'.repeat(40), 'null', '[]', '%00', '%F0%9F%98%80', 'true', '1&{name}=2'],
    boolean: ['', 'yes', '1', 'TRUE', '5', 'null', '%00', 'true&{name}=true']
  }
  for (const operation of api.operations.filter(({ stream }) => !stream)) {
    for (const { name, type } of operation.query) {
      const ids = name === 'before' || name === 'after' ? [...impossibleIds, 'unknown-1'].map(encodeURIComponent) : []
      const whole = pathOf(operation, there)
      const path = (value: string) => `${whole}${whole.includes('?') ? '&' : '?'}${name}=${value.replace('{name}', name)}`
      for (const value of wrongOf[type] ?? ['twice&{name}=twice']) await mustRefuse(operation, `${name}=${value}`, {}, [400], path(value))
      for (const id of ids) await mustRefuse(operation, `${name}=${id.slice(0, 80)}`, {}, [404], path(id))
    }
  }
})

it('refuses keys that cannot be, and to be a user that there is not', async () => {
  for (const operation of api.operations.filter(({ takesKey }) => takesKey)) {
    const body = bodyOf(operation)
    const options = body === undefined ? {} : { body }
    for (const key of ['', 'x'.repeat(7), 'x'.repeat(129), 'x'.repeat(10_000), 'with ümlaut', 'with\ttab']) {
      await mustRefuse(operation, `Idempotency-Key: ${key.slice(0, 20)}`, { ...options, headers: { 'idempotency-key': key } }, [400])
    }
  }
  for (const operation of api.operations.filter(({ guarded }) => guarded)) {
    for (const user of ['nobody', '.system', '.deleted', 'x'.repeat(10_000), 'with%2Fpercent']) await mustRefuse(operation, `as ${user.slice(0, 20)}`, { headers: { 'x-mitter-sudo-user-id': user } }, [404])
  }
})

it('refuses methods that a path does not have, whoever asks', async () => {
  for (const path of new Set(api.operations.map(operation => operation.path))) {
    const own = api.operations.filter(operation => operation.path === path)
    const methods = own.map(({ method }) => method)
    if (own.some(({ method, stream, operationId }) => method === 'GET' && !stream && operationId !== 'logout')) methods.push('HEAD')
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY'].filter(method => !methods.includes(method))) {
      for (const headers of [{ authorization: applicationAuthorization }, {}]) {
        const answer = await exchange(port, method, pathOf(own[0]!, there), headers)
        const fault = method === 'HEAD' && answer.status === 405 ? undefined : faultOf(answer, [405])
        if (fault !== undefined) faults.push(`${method} ${path}: ${fault}`)
        else if (answer.headers.allow !== methods.sort().join(', ')) faults.push(`${method} ${path}: Allow: ${answer.headers.allow}, not ${methods.join(', ')}`)
      }
    }
  }
})
