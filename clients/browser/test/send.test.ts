/** A message that is sent once, however often it has to be tried. */
import type { ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { freePort } from '../../../test/support/ports.ts'
import { send } from '../client.js'
import { refuse, startStub, type Stub } from './stub.ts'

let stub: Stub | undefined
afterEach(async () => {
  await stub?.close()
  stub = undefined
})

const stored = { messageId: 'm-1', textPayload: 'Hello' }
const keys = () => stub!.requests.map(({ headers }) => headers['idempotency-key'])

it('sends a text, or the fields of a message, under a key of its own', async () => {
  const bodies: string[] = []
  stub = await startStub(async (response, _number, request) => {
    bodies.push(await text(request))
    refuse(response, 200, stored)
  })
  expect(await send({ url: `${stub.url}/`, channelId: '#general', token: 'secret', message: 'Hello' })).toEqual(stored)
  await send({ url: stub.url, channelId: '#general', token: async () => 'secret', message: { textPayload: 'Hi', messageId: 'my-message' } })
  expect(bodies.map(body => JSON.parse(body))).toEqual([{ textPayload: 'Hello' }, { textPayload: 'Hi', messageId: 'my-message' }])
  for (const { method, url, headers } of stub.requests) {
    expect([method, url, headers.authorization, headers['content-type']]).toEqual(['POST', '/v1/channels/%23general/messages', 'Bearer secret', 'application/json'])
    expect(headers['idempotency-key']).toMatch(/^[\x21-\x7e]{8,128}$/)
  }
  expect(new Set(keys()).size).toBe(2)
})

it('tries again, under the same key, after no answer, half an answer, 429, 502, 503, 504', async () => {
  const instead: Array<(response: ServerResponse) => void> = [
    response => response.socket!.resetAndDestroy(),
    response => response.writeHead(200, { 'content-length': 100 }).write('{"messageId":', () => response.socket!.end()),
    response => response.writeHead(200).end('<h1>Log in to the network</h1>'),
    ...[429, 502, 503, 504].map(status => (response: ServerResponse) => refuse(response, status, {}, { 'retry-after': '0' }))
  ]
  await Promise.all(instead.map(async answer => {
    const stub = await startStub((response, number) => number === 0 ? answer(response) : refuse(response, 200, stored))
    expect(await send({ url: stub.url, channelId: 'general-1', token: 'a', message: 'Hello' })).toEqual(stored)
    const [first, second, ...more] = stub.requests.map(({ headers }) => headers['idempotency-key'])
    expect([second, more]).toEqual([first, []])
    await stub.close()
  }))
})

it('waits for as long as Retry-After says', async () => {
  const came: number[] = []
  stub = await startStub((response, number) => {
    came.push(performance.now())
    if (number === 0) refuse(response, 503, {}, { 'retry-after': '2' })
    else refuse(response, 200, stored)
  })
  await send({ url: stub.url, channelId: 'general-1', token: 'a', message: 'Hello' })
  expect(came[1]! - came[0]!).toBeGreaterThan(1_990)
})

it.each([400, 401, 403, 404, 409, 422, 500, 501])('does not repeat what is answered %i, and says why', async status => {
  stub = await startStub(response => refuse(response, status, { message: 'Muted', errorCode: 'missing_privilege', reason: 'muted' }))
  const sent = send({ url: stub.url, channelId: 'general-1', token: 'a', message: 'Hello' })
  await expect(sent).rejects.toMatchObject({ status, message: 'Muted', code: 'missing_privilege', reason: 'muted' })
  expect(stub.requests.length).toBe(1)
})

it('repeats once with another token, where there is one', async () => {
  stub = await startStub((response, number) => number === 0 ? refuse(response, 401) : refuse(response, 200, stored))
  await send({ url: stub.url, channelId: 'general-1', token: refused => refused === undefined ? 'old' : 'new', message: 'Hello' })
  expect(stub.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new'])
  expect(new Set(keys()).size).toBe(1)
})

it('gives up when the signal says so, while it waits too, and rejects with its reason', async () => {
  stub = await startStub(response => refuse(response, 503, {}, { 'retry-after': '60' }))
  const abort = new AbortController()
  const waiting = send({ url: stub.url, channelId: 'general-1', token: 'a', message: 'Hello', signal: abort.signal })
  while (stub.requests.length === 0) await new Promise(setImmediate)
  abort.abort(new Error('left'))
  await expect(waiting).rejects.toThrow('left')
  const refused = send({ url: `http://127.0.0.1:${await freePort()}`, channelId: 'general-1', token: 'a', message: 'Hello', signal: AbortSignal.timeout(100) })
  await expect(refused).rejects.toMatchObject({ name: 'TimeoutError' })
})

it('rejects at once what can never be sent', async () => {
  await expect(send({ url: 'nowhere', channelId: 'general-1', token: 'a', message: 'Hello' })).rejects.toThrow(TypeError)
  await expect(send({ url: 'http://127.0.0.1:1', channelId: 'general-1', token: 'a\nb', message: 'Hello' })).rejects.toThrow(TypeError)
})
