/** A right that ends between the headers of a request and its body is gone: it is looked at where the request is carried out. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { readApi, type Operation } from '../http/bad-input/operations.ts'
import { callsTo } from '../http/rules/calls.ts'
import { applicationAuthorization, startService, type Service } from '../http/service.ts'
import { writesOn, type Write } from '../http/writes.ts'
import { send } from '../support/commands.ts'

let service: Service
let operations: Operation[]
let port: number
beforeAll(async () => {
  service = await startService(['amy', 'bob'])
  operations = (await readApi(service)).operations
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  port = (service.app.server.address() as AddressInfo).port
})
afterEach(() => vi.restoreAllMocks())
afterAll(() => service.stop())
const { channel } = callsTo(() => service)
const { requests, named } = writesOn(() => service)

/** Sends a request up to its body, does something once its credentials have been looked at, sends the rest, and says how it was answered. */
async function interrupted (method: string, { path, body = {} }: Write, authorization: Record<string, string>, meanwhile: () => Promise<unknown>): Promise<[status: number, errorCode?: string]> {
  const looked = [vi.spyOn(service.store, 'getToken'), vi.spyOn(service.store, 'userExists')]
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  const text = JSON.stringify(body)
  const headers = { host: 'x', connection: 'close', 'content-type': 'application/json', 'content-length': `${text.length}`, ...authorization }
  socket.write(`${method} ${path} HTTP/1.1\r\n${Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${text.slice(0, 1)}`)
  await vi.waitFor(() => expect(looked.flatMap(spy => spy.mock.settledResults.map(({ type }) => type))).toContain('fulfilled'), { interval: 2 })
  await meanwhile()
  let answer = ''
  socket.on('data', (chunk: string) => { answer += chunk })
  socket.write(text.slice(1))
  await once(socket, 'close')
  const status = Number(/^HTTP\/1.1 (\d+)/.exec(answer)![1])
  const errorCode = /"errorCode":"(\w+)"/.exec(answer)?.[1]
  return errorCode === undefined ? [status] : [status, errorCode]
}

async function freshToken (userId: string): Promise<{ authorization: Record<string, string>, revoke: () => Promise<unknown> }> {
  const { userToken: { signedToken, tokenId } } = (await service.call(`POST /v1/users/${userId}/tokens`)).json()
  return { authorization: { authorization: `Bearer ${signedToken}` }, revoke: () => service.call(`DELETE /v1/users/${userId}/tokens/${tokenId}`) }
}

it.each(Object.keys(requests))('%s with a token that is revoked before its body has come is refused, and changes nothing', async operationId => {
  const request = await requests[operationId]!()
  const { method } = operations.find(operation => operation.operationId === operationId)!
  const { authorization, revoke } = await freshToken(request.as ?? 'amy')
  let before: unknown
  const answer = await interrupted(method, request, authorization, async () => {
    await revoke()
    before = await service.store.head()
  })
  expect(answer).toEqual([401, 'claim_rejected'])
  expect(await service.store.head()).toEqual(before)
})

it.each([
  ['its token', async (userId: string) => (await freshToken(userId)).authorization, [401, 'claim_rejected']],
  ['the application', async (userId: string) => ({ authorization: applicationAuthorization, 'x-mitter-sudo-user-id': userId }), [404, 'entity_not_found']]
] as const)('a message in the name of a user who is deleted before it has come, by %s, is refused', async (_by, authorizationOf, refusal) => {
  const userId = await named()
  const room = await channel('group', [userId, 'amy'])
  const authorization = await authorizationOf(userId)
  const answer = await interrupted('POST', { path: `/v1/channels/${room}/messages`, body: { textPayload: 'too late' } }, authorization, () => service.call(`DELETE /v1/users/${userId}`))
  expect(answer).toEqual(refusal)
  expect((await service.call(`GET /v1/channels/${room}/messages`)).json()).toEqual([])
})

it('a message under a token that has run out before it has come is refused', async () => {
  const room = await channel('group', ['amy'])
  await service.store.append({ type: 'issue-token', actor: SYSTEM, userId: 'amy', tokenId: 'short-token', expiresAt: Date.now() })
  await expect(service.store.append({ ...send('amy', room, 'too late'), lineage: ['short-token'] })).rejects.toMatchObject({ status: 401 })
})
