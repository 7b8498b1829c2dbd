/** Requests that Node would answer, or drop, in a way of its own wear the envelope (protocol 1, rule 10). */
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../http/service.ts'

let service: Service
let port: number
let amy: string
beforeAll(async () => {
  service = await startService(['amy'])
  amy = `Authorization: Bearer ${(await service.call('POST /v1/users/amy/tokens')).json().userToken.signedToken}`
  await service.app.listen({ port: 0, host: '127.0.0.1' })
  port = (service.app.server.address() as AddressInfo).port
})
afterAll(() => service.stop())

/** All that comes back for some bytes, to the end of the connection. */
async function answerTo (bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk: string) => { answer += chunk })
  socket.write(bytes)
  await once(socket, 'end')
  socket.destroy()
  return answer
}

function told (answer: string): { status: number, code: string, message: string } {
  const [head, body] = answer.split('\r\n\r\n') as [string, string]
  expect(head.toLowerCase()).toContain('content-type: application/json; charset=utf-8')
  const { errorCode, message, instanceId } = JSON.parse(body)
  expect(instanceId).toEqual(expect.any(String))
  return { status: Number(/^HTTP\/1.1 (\d+) /.exec(head)![1]), code: errorCode, message }
}

const rest = 'Host: a\r\nConnection: close\r\n'

it.each([
  ['an Expect that cannot be met', `GET /health/live HTTP/1.1\r\n${rest}Expect: foo\r\n\r\n`, 417, 'bad_request', '100-continue'],
  ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 400, 'bad_request', 'no proxy'],
  ['two Host', `GET /health/live HTTP/1.1\r\n${rest}Host: b\r\n\r\n`, 400, 'bad_request', 'Host is given more than once: send it once'],
  ['two Host that are the same', `GET /health/live HTTP/1.1\r\n${rest}Host: a\r\n\r\n`, 400, 'bad_request', 'Host is given more than once'],
  ['1,001 headers', `GET /health/live HTTP/1.1\r\n${rest}${'x:\r\n'.repeat(999)}\r\n`, 431, 'limit_exceeded', 'more than 1,000 headers']
])('%s is answered in the envelope, with what would be right', async (_, bytes, status, code, message) => {
  expect(told(await answerTo(bytes))).toEqual({ status, code, message: expect.stringContaining(message) })
})

it.each([
  ['an Expect that can be met', `GET /health/live HTTP/1.1\r\n${rest}Expect: 100-continue\r\n\r\n`, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/],
  ['an Expect of HTTP/1.0, which knows none', `GET /health/live HTTP/1.0\r\n${rest}Expect: foo\r\n\r\n`, /^HTTP\/1.1 200 OK/],
  ['1,000 headers', `GET /health/live HTTP/1.1\r\n${rest}${'x:\r\n'.repeat(998)}\r\n`, /^HTTP\/1.1 200 OK/]
])('%s is fine', async (_, bytes, answer) => {
  expect(await answerTo(bytes)).toMatch(answer)
})

const behind: Record<string, () => string> = {
  'a request': () => `GET /v1/users/me HTTP/1.1\r\nHost: a\r\n${amy}\r\n\r\n`,
  'half a request': () => 'POST /v1/channels HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{',
  'a CONNECT': () => 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n',
  garbage: () => '\0\x01\r\n\r\nnothing that is HTTP\r\n\r\n',
  'a MiB of it': () => 'x'.repeat(1024 * 1024)
}
let channels = 0

/** What a stream's client gets that sends more right behind its request, or once the stream is there, until a channel of its own appears or it is cut. */
async function streamBefore (more: string, atOnce: boolean): Promise<{ answer: string, goesOn: boolean }> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk: string) => { answer += chunk }).on('error', () => {})
  const until = async (sign: string) => { while (!answer.includes(sign) && !socket.closed) await sleep(2) }
  socket.write(`GET /v1/users/me/events?format=compact HTTP/1.1\r\nHost: a\r\n${amy}\r\n\r\n${atOnce ? more : ''}`)
  await until('caught-up')
  if (!atOnce) socket.write(more)
  const channelId = `stream-goes-on-${channels++}`
  await service.call('POST /v1/channels', { body: { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: [{ participantId: 'amy' }] } })
  await until(`"${channelId}"`)
  socket.destroy()
  return { answer, goesOn: answer.includes(`"${channelId}"`) }
}

const answersIn = (answer: string): number => answer.split('HTTP/1.1 ').length - 1

it.each(Object.keys(behind))('%s behind a stream that is open is not answered into it, and the stream goes on', async what => {
  const { answer, goesOn } = await streamBefore(behind[what]!(), false)
  expect([answersIn(answer), goesOn]).toEqual([1, true])
})

it.each(Object.keys(behind))('%s right behind the request for a stream is not answered into it', async what => {
  const { answer, goesOn } = await streamBefore(behind[what]!(), true)
  // What is no request ends its connection, which has no stream yet.
  expect(answersIn(answer)).toBeLessThanOrEqual(1)
  if (what.includes('request')) expect(goesOn).toBe(true)
})

it.each([
  ['text/event-stream;q=0, */*', 406],
  ['text/*;q=0, */*;q=0.5', 406],
  ['TEXT/Event-Stream; Q=0.000, text/*', 406],
  ['*/*;q=0', 406],
  ['application/json', 406],
  ['*/*;q=0, text/event-stream', 200],
  ['text/*;q=0, text/event-stream;q=0.1', 200],
  ['text/event-stream;charset=utf-8', 200],
  ['text/html, */*;q=0.1', 200]
])('the most specific range of Accept decides on a stream: %s is %i', async (accept, status) => {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  socket.write(`GET /v1/users/me/events HTTP/1.1\r\nHost: a\r\n${amy}\r\nAccept: ${accept}\r\n\r\n`)
  const [head] = await once(socket, 'data')
  socket.destroy()
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
})

it.each(['xyz\r\n\r\n', 'CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n'])('a request that is carried out is not answered with what is wrong behind it: %j', async behind => {
  const body = JSON.stringify({ defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answer = ''
  socket.on('data', (chunk: string) => { answer += chunk })
  socket.on('error', () => {})
  socket.write(`POST /v1/channels HTTP/1.1\r\nHost: a\r\n${amy}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}${behind}`)
  if (!socket.closed) await new Promise(resolve => socket.once('close', resolve))
  expect(answer).not.toMatch(/^HTTP\/1.1 400/)
})

it.each([
  ['garbage', 'x\r\n\r\n', false],
  ['the beginning of a TLS connection', '\u0016\u0003\u0001\u0002\0\u0001', false],
  ['half a request', 'GET / HT', true],
  ['a request of which half the body is missing', 'POST /v1/users HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{}', true]
])('%s behind an answer ends the connection, and nothing else', async (_, bytes, ends) => {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write('GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n')
  await once(socket, 'data')
  await sleep(20) // what was answered is forgotten
  socket.write(bytes)
  if (ends) {
    await sleep(20)
    socket.end()
  }
  socket.resume()
  await new Promise(resolve => socket.once('close', resolve))
  expect(await answerTo(`GET /health/live HTTP/1.1\r\n${rest}\r\n`)).toMatch(/^HTTP\/1.1 200 OK/)
})
