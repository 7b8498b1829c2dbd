/** Whatever goes wrong wears the envelope (protocol 1, rules 3, 4, 6, 9, 10). */
import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { applicationAuthorization, startService, type Service } from './service.ts'

let service: Service
beforeAll(async () => {
  service = await startService(['alice'])
  await service.call('POST /v1/channels', { as: 'alice', body: { channelId: 'football-fans', defaultRuleSet: 'io.mitter.chats.GroupChat' } })
})
afterAll(() => service.stop())

const messages = 'POST /v1/channels/football-fans/messages'

/** The envelope of an answer, after seeing that it is one. */
function envelopeOf (response: { statusCode: number, headers: Record<string, unknown>, json: () => Record<string, unknown> }) {
  const envelope = response.json()
  expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(envelope).toEqual(expect.objectContaining({
    error: expect.any(String), message: expect.any(String), errorCode: envelope.error_code, instanceId: expect.any(String), timestamp: expect.any(Number)
  }))
  expect(Object.values(envelope)).not.toContain(null)
  return { status: response.statusCode, code: envelope.errorCode, reason: envelope.reason, message: envelope.message, field: (envelope.diagnostics as { field?: string } | undefined)?.field }
}

describe('a body', () => {
  it.each<[string, string | Buffer]>([
    ['that is no JSON', '{"textPayload":'],
    ['that is not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])],
    ['with half a surrogate pair in a text', '{"textPayload":"\\ud800"}'],
    ['with half a surrogate pair in a key', '{"textPayload":"a","messageData":[{"dataType":"a","data":{"\\udc00":1}}]}'],
    ['with a key that reaches prototypes', '{"textPayload":"a","__proto__":{"senderId":"x"}}'],
    ['with a constructor that reaches prototypes', '{"textPayload":"a","constructor":{"prototype":{}}}'],
    ['with a number too large to keep', '{"textPayload":"a","messageData":[{"dataType":"a","data":1e999}]}'],
    ['nested deeper than anything can follow', `{"textPayload":"a","messageData":${'['.repeat(50_000)}${']'.repeat(50_000)}}`]
  ])('%s is a 400', async (_, body) => {
    expect(envelopeOf(await service.call(messages, { body }))).toMatchObject({ status: 400, code: 'invalid_input_syntax' })
  })

  it('may have a byte order mark, NUL and whole surrogate pairs', async () => {
    const body = '\uFEFF{"textPayload":"\\u0000 \\ud83d\\ude00 \u2028"}'
    const response = await service.call(messages, { body })
    expect(response.json().textPayload).toBe('\u0000 😀 \u2028')
  })

  it('that is absent where one is needed is a 400 that says so', async () => {
    const answer = envelopeOf(await service.call(messages, { headers: { 'content-type': 'application/json' } }))
    expect(answer).toMatchObject({ status: 400, code: 'bad_request', field: 'body' })
  })

  it.each(['application/json', 'application/x-www-form-urlencoded'])('that is empty is none, under %s too', async (type) => {
    for (const request of ['POST /v1/users/alice/tokens', 'GET /v1/users/alice', 'DELETE /v1/channels/unknown-1']) {
      const response = await service.call(request, { headers: { 'content-type': type } })
      expect(response.statusCode).toBe(request.startsWith('DELETE') ? 404 : 200)
    }
  })

  it.each(['text/plain', 'application/xml', 'nonsense', undefined])('of another type is a 415: %s', async (type) => {
    const response = await service.app.inject({
      method: 'POST',
      url: '/v1/channels/football-fans/messages',
      payload: '{"textPayload":"a"}',
      headers: { authorization: applicationAuthorization, ...(type === undefined ? {} : { 'content-type': type }) }
    })
    expect(envelopeOf(response)).toMatchObject({ status: 415, code: 'unsupported_media_type' })
  })

  it('over 256 KiB is a 413', async () => {
    const body = { textPayload: 'a', ignored: 'x'.repeat(256 * 1024) }
    expect(envelopeOf(await service.call(messages, { body }))).toMatchObject({ status: 413, code: 'limit_exceeded' })
  })
})

describe('a field', () => {
  it.each<[string, unknown, string, string]>([
    ['of another type', { textPayload: 5 }, 'body/textPayload', 'must be string'],
    ['that is missing', {}, 'body/textPayload', 'is missing'],
    ['that is needed and null', { textPayload: null }, 'body/textPayload', 'must be string'],
    ['not among the values that there are', { textPayload: 'a', messageType: 'Loud' }, 'body/messageType', 'Standard, Notification, OutOfBand'],
    ['that refers with a further key', { textPayload: 'a', senderId: { identifier: 'alice', screenName: 'Alice' } }, 'body/senderId', 'without further keys'],
    ['deep inside', { textPayload: 'a', timelineEvents: [{ type: 'seen', eventTimeMs: -1, subject: 'alice' }] }, 'body/timelineEvents/0/eventTimeMs', '>= 0']
  ])('%s is a 400 that names it', async (_, body, field, part) => {
    const answer = envelopeOf(await service.call(messages, { body }))
    expect(answer).toMatchObject({ status: 400, code: 'invalid_domain_attribute', field, message: expect.stringContaining(part) })
  })

  it.each<[string, unknown, string]>([
    ['a text over 64 KiB of UTF-8', { textPayload: 'ü'.repeat(32_769) }, 'body/textPayload'],
    ['over 64 data', { textPayload: 'a', messageData: Array.from({ length: 65 }, () => ({ dataType: 'a', data: {} })) }, 'body/messageData']
  ])('beyond a bound is a 413: %s', async (_, body, field) => {
    expect(envelopeOf(await service.call(messages, { body }))).toMatchObject({ status: 413, code: 'limit_exceeded', field })
  })

  it('may be as large as its bound', async () => {
    const response = await service.call(messages, { body: { textPayload: 'ü'.repeat(32_768) } })
    expect(response.statusCode).toBe(200)
  })

  it('that is optional and null is absent, and free JSON keeps its nulls', async () => {
    const body = { messageId: null, messageType: null, textPayload: 'a', messageData: [{ dataType: 'a', data: { kept: null } }], timelineEvents: null, appliedAcls: null, unknown: null }
    const response = await service.call(messages, { body })
    expect(response.json()).toMatchObject({ messageType: 'Standard', messageData: [{ dataType: 'a', data: { kept: null } }] })
  })

  it.each([{ plusAppliedAcls: ['read_message:anybody()'] }, '+read_message:anybody()', 'read_message:any_user()', '+send_to_channel:any_user()'])('whose access control lists are none is refused, not ignored: %j', async (appliedAcls) => {
    expect(envelopeOf(await service.call(messages, { body: { textPayload: 'a', appliedAcls } }))).toMatchObject({ status: 400, field: 'body/appliedAcls' })
  })

  it('that is not supported yet may be there without content', async () => {
    const body = { textPayload: 'a', appliedAcls: { plusAppliedAcls: [], minusAppliedAcls: [] }, entityMetadata: {}, entityProfile: { attributes: [] } }
    expect((await service.call(messages, { body })).statusCode).toBe(200)
  })
})

describe('a query', () => {
  it.each(['limit=0', 'limit=201', 'limit=many', 'limit=1.5', 'limit=', 'limit=1&limit=2', 'entityCountOffset=10001'])('%s is a 400', async (query) => {
    const answer = envelopeOf(await service.call(`GET /v1/channels/football-fans/messages?${query}`))
    expect(answer).toMatchObject({ status: 400, code: 'invalid_domain_attribute', field: `query/${query.split('=')[0]}` })
  })

  it('may have parameters that nobody knows', async () => {
    expect((await service.call('GET /v1/channels/football-fans/messages?requestTimeStamp=5&limit=2')).json()).toHaveLength(2)
  })

  it('with both ends of a page is a 400', async () => {
    expect(envelopeOf(await service.call('GET /v1/channels/football-fans/messages?before=a&after=b'))).toMatchObject({ status: 400, code: 'bad_request' })
  })
})

describe('a path', () => {
  it.each(['/v1/nothing', '/v1/channels/', '/v1/channels//messages', '/v1/messages/', '//'])('%s leads nowhere: 404', async (path) => {
    expect(envelopeOf(await service.call(`GET ${path}`))).toMatchObject({ status: 404, code: 'entity_not_found' })
  })

  it('that leads nowhere is a 404 whatever the body', async () => {
    for (const type of ['application/json', 'text/plain']) {
      expect((await service.call('POST /v1/nothing', { body: '{', headers: { 'content-type': type } })).statusCode).toBe(404)
    }
  })

  it('that cannot be read is a 400', async () => {
    expect(envelopeOf(await service.call('GET /v1/channels/%zz'))).toMatchObject({ status: 400, code: 'bad_request' })
  })

  it('with a NUL in it names nothing: 404', async () => {
    expect(envelopeOf(await service.call('GET /v1/channels/football%00fans'))).toMatchObject({ status: 404, code: 'entity_not_found' })
  })

  it('with a segment that is too long is a 414', async () => {
    expect(envelopeOf(await service.call(`GET /v1/channels/${'x'.repeat(9_900)}`))).toMatchObject({ status: 414, code: 'uri_too_long' })
  })

  it('may list 45 ids of 72 characters, all percent-encoded, and no more', async () => {
    const ids = Array.from({ length: 45 }, (_, index) => `%40${'%23'.repeat(69)}${index + 10}`)
    expect(envelopeOf(await service.call(`DELETE /v1/channels/football-fans/messages/${ids.join('%2C')}`))).toMatchObject({ status: 404 })
    const shorter = Array.from({ length: 46 }, (_, index) => `message-${index}`)
    expect(envelopeOf(await service.call(`DELETE /v1/channels/football-fans/messages/${shorter.join(',')}`))).toMatchObject({ status: 413, code: 'limit_exceeded' })
  })

  it.each([
    ['PUT /v1/channels/football-fans', 'DELETE, GET, HEAD'],
    ['POST /v1/users/me/logout', 'GET'],
    ['HEAD /v1/users/me/logout', 'GET'],
    ['OPTIONS /v1/users', 'GET, HEAD, POST'],
    ['DELETE /health/live', 'GET, HEAD']
  ])('asked with a method that it does not have says which it has: %s', async (request, allow) => {
    const response = await service.call(request, { body: 'no JSON' })
    expect(response.headers.allow).toBe(allow)
    if (!request.startsWith('HEAD')) expect(envelopeOf(response)).toMatchObject({ status: 405, code: 'method_not_allowed' })
  })
})

describe('what is not there yet', () => {
  it.each([
    'GET /v1/users/alice/presence', 'GET /v1/messages', 'GET /v1/counts/channels',
    'POST /v1/delivery-targets', 'GET /metrics'
  ])('answers 501, to callers who show who they are: %s', async (request) => {
    expect(envelopeOf(await service.call(request))).toMatchObject({ status: 501, code: 'not_implemented' })
    expect(envelopeOf(await service.call(request, { as: null }))).toMatchObject({ status: 401, code: 'claim_rejected' })
  })
})

describe('an error of ours', () => {
  it('shows nothing of its cause, and its id finds it in the log', async () => {
    const broken = await startService()
    broken.store.getUser = async () => { throw new Error('secret cause') }
    const response = await broken.call('GET /v1/users/alice?access_token=secret')
    expect(envelopeOf(response)).toMatchObject({ status: 500, code: 'unknown_error' })
    expect(response.body).not.toContain('secret')
    expect(broken.log).toContainEqual(expect.objectContaining({ level: 50, reqId: response.json().instanceId, err: expect.objectContaining({ message: 'secret cause' }) }))
    expect(JSON.stringify(broken.log)).not.toContain('access_token')
    await broken.stop()
  })

  it('has an id of its own, in whatever process', async () => {
    const other = await startService()
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? service : other).call('GET /v1/nothing')))
    expect(new Set(answers.map(answer => answer.json().instanceId)).size).toBe(200)
    await other.stop()
  })

  it('says when to come back, where the store is away', async () => {
    const closed = await startService()
    await closed.store.close()
    const response = await closed.call('POST /v1/users', { body: { userId: 'bob' } })
    expect(envelopeOf(response)).toMatchObject({ status: 503, code: 'unavailable' })
    expect(response.headers['retry-after']).toBe('1')
    await closed.stop()
  })
})

describe('what is hardly HTTP', () => {
  /** All that comes back for some bytes. */
  async function answerTo (bytes: string): Promise<string> {
    if (service.app.server.address() === null) await service.app.listen({ port: 0 })
    const socket = connect((service.app.server.address() as AddressInfo).port)
    let answer = ''
    socket.setEncoding('utf8').on('data', chunk => { answer += chunk })
    socket.write(bytes)
    await once(socket, 'end')
    return answer
  }

  it.each([
    ['garbage', 'rubbish\r\n\r\n', 400, 'bad_request'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'limit_exceeded'],
    ['no host', 'GET /health/live HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad_request']
  ])('%s is answered in the envelope', async (_, bytes, status, code) => {
    const [head, body] = (await answerTo(bytes)).split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(JSON.parse(body!)).toMatchObject({ errorCode: code, instanceId: expect.any(String) })
  })
})
