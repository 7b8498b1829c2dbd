/** Messages over HTTP (protocol 6). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { GROUP_CHAT, startService, type Service } from './service.ts'

let service: Service
let channelId: string
beforeAll(async () => { service = await startService(['amy', 'bob', 'stranger']) })
afterAll(() => service.stop())
beforeEach(async () => {
  channelId = randomUUID()
  await call('POST /v1/channels', { as: 'amy', body: { channelId, defaultRuleSet: GROUP_CHAT, participation: [{ participantId: 'bob' }] } })
})

const call: Service['call'] = async (request, options) => await service.call(request, options)
const send = async (body: object, options: object = { as: 'amy' }) => await call(`POST /v1/channels/${channelId}/messages`, { ...options, body })
const texts = async (query = '') => (await call(`GET /v1/channels/${channelId}/messages${query}`)).json().map((message: { textPayload: string }) => message.textPayload)

describe('sending', () => {
  it('answers the whole message and what became of it', async () => {
    const body = { textPayload: 'Hi 😀\u2028\u0000', messageData: [{ dataType: 'a', data: { n: null } }] }
    const response = await send(body)
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8')
    const { messageId, relay, ...message } = response.json()
    expect(relay).toEqual({ status: 'relayed', recipientsCount: 2, cursor: expect.any(String) })
    expect(message).toEqual({
      identifier: messageId,
      channelId: { identifier: channelId },
      senderId: { identifier: 'amy' },
      messageType: 'Standard',
      payloadType: 'mitter.mt.Text',
      ...body,
      timelineEvents: [expect.objectContaining({ type: 'mitter.mtet.SentTime', subject: { identifier: 'amy' } })],
      audit: { createdAt: expect.any(Number), updatedAt: expect.any(Number) },
      auditInfo: { createdAt: expect.any(Number), updatedAt: expect.any(Number) }
    })
    expect((await call(`GET /v1/messages/${messageId}`, { as: 'bob' })).json()).toEqual({ messageId, ...message })
  })

  it('as another is the application\'s', async () => {
    const response = await send({ textPayload: 'a', senderId: 'bob' })
    expect([response.statusCode, response.json().reason]).toEqual([403, 'send_as_other_to_channel'])
    expect((await send({ textPayload: 'a', senderId: { identifier: 'bob' } }, {})).json().senderId).toEqual({ identifier: 'bob' })
    expect((await send({ textPayload: 'a' }, {})).json().senderId).toEqual({ identifier: '.system' })
  })

  it('is for participants', async () => {
    const response = await send({ textPayload: 'a' }, { as: 'stranger' })
    expect([response.statusCode, response.json().reason]).toEqual([403, 'user_not_in_group'])
  })

  it('takes timeline events about the sender', async () => {
    const timelineEvents = [{ type: 'mitter.mtet.SentTime', eventTimeMs: 5, subject: { identifier: 'amy' } }]
    expect((await send({ textPayload: 'a', timelineEvents })).json().timelineEvents).toEqual([expect.objectContaining({ eventTimeMs: 5 })])
    expect((await send({ textPayload: 'a', timelineEvents: [{ ...timelineEvents[0], subject: 'bob' }] })).statusCode).toBe(403)
  })

  it.each([['short'], ['.typing-indicator-stream'], ['x'.repeat(73)]])('under an id that cannot be is a 400: %s', async (messageId) => {
    expect((await send({ messageId, textPayload: 'a' })).json().errorCode).toBe('invalid_domain_attribute')
  })

  it('shows the events that it took, whatever stands in its text and data', async () => {
    const [text, ownId] = ['","timelineEvents":[{"eventId":"a"}]', `event-${randomUUID()}`]
    const data = { timelineEvents: [{ eventId: 'no-event', subject: { identifier: 'bob' } }] }
    const given = { eventId: ownId, type: 'org.example.Seen', eventTimeMs: 5, subject: 'bob' }
    const { messageId } = (await send({ textPayload: text, messageData: [{ dataType: text, data }, { dataType: 'b', data: { data } }], timelineEvents: [given] }, { as: undefined })).json()
    const shown = async () => (await call(`GET /v1/channels/${channelId}/messages/${messageId}/timeline`, { as: 'amy' })).json().map(({ timelineEvent }: any) => [timelineEvent.type, timelineEvent.subject.identifier])
    const expected = [['mitter.mtet.SentTime', '.system'], ['org.example.Seen', 'bob']]
    expect(await shown()).toEqual(expected)
    expect((await call(`PATCH /v1/channels/${channelId}/messages/${messageId}`, { body: { messageData: [{ dataType: 'c', data }] } })).statusCode).toBeLessThan(300)
    expect(await shown()).toEqual(expected)
  })

  it('under an id that is taken is a 409', async () => {
    const messageId = randomUUID()
    await send({ messageId, textPayload: 'a' })
    expect((await send({ messageId, textPayload: 'a' })).json().errorCode).toBe('duplicate_entity')
  })

  it('again under the same key answers what the first did, and another body is a 422', async () => {
    const options = { as: 'amy', headers: { 'idempotency-key': randomUUID() } }
    const first = await send({ textPayload: 'once' }, options)
    expect((await send({ textPayload: 'once' }, options)).json()).toEqual(first.json())
    expect(await texts()).toEqual(['once'])
    expect((await send({ textPayload: 'twice' }, options)).json().errorCode).toBe('idempotency_mismatch')
  })

  it.each(['short', 'x'.repeat(129), 'with ümlaut'])('with a key that is none is a 400: %s', async (key) => {
    const response = await send({ textPayload: 'a' }, { as: 'amy', headers: { 'idempotency-key': key } })
    expect(response.json().diagnostics).toEqual({ field: 'headers/idempotency-key' })
  })
})

describe('listing', () => {
  it('goes by pages: newest first, before one, after one, past some', async () => {
    const ids: string[] = []
    for (const textPayload of ['one', 'two', 'three', 'four']) ids.push((await send({ textPayload })).json().messageId)
    expect(await texts()).toEqual(['four', 'three', 'two', 'one'])
    expect(await texts(`?before=${ids[2]}`)).toEqual(['two', 'one'])
    expect(await texts(`?after=${ids[1]}`)).toEqual(['three', 'four'])
    expect(await texts('?limit=2&entityCountOffset=1')).toEqual(['three', 'two'])
  })

  it('says how many there are, and as of when', async () => {
    await send({ textPayload: 'a' })
    const { headers } = await call(`GET /v1/channels/${channelId}/messages`, { as: 'bob' })
    expect(headers).toMatchObject({ 'x-mitter-paginated-estimated-count': '1', 'x-event-cursor': expect.any(String) })
  })

  it('is for participants, and from a message that is there', async () => {
    expect((await call(`GET /v1/channels/${channelId}/messages`, { as: 'stranger' })).statusCode).toBe(403)
    expect((await call(`GET /v1/channels/${channelId}/messages?before=unknown-1`)).statusCode).toBe(404)
  })
})

describe('editing', () => {
  it('changes what it names, and says when', async () => {
    const { messageId } = (await send({ textPayload: 'a', messageData: [{ dataType: 'kept', data: 1 }] })).json()
    const path = `PATCH /v1/channels/${channelId}/messages/${messageId}`
    const response = await call(path, { as: 'amy', body: { textPayload: 'b' } })
    expect(response.json()).toMatchObject({ textPayload: 'b', messageData: [{ dataType: 'kept', data: 1 }], editedAt: expect.any(Number) })
    expect((await call(path, { as: 'bob', body: { textPayload: 'c' } })).statusCode).toBe(403)
    expect((await call(path, { as: 'amy', body: { textPayload: null } })).json().errorCode).toBe('bad_request')
    expect((await call(`GET /v1/messages/${messageId}`)).json().textPayload).toBe('b')
  })
})

describe('deleting', () => {
  it('takes all that it names, or none', async () => {
    const ids: string[] = []
    for (const textPayload of ['one', 'two']) ids.push((await send({ textPayload })).json().messageId)
    expect((await call(`DELETE /v1/channels/${channelId}/messages/${ids.join(',')},unknown-1`, { as: 'amy' })).statusCode).toBe(404)
    expect((await call(`DELETE /v1/channels/${channelId}/messages/${ids[0]}`, { as: 'bob' })).statusCode).toBe(403)
    expect(await texts()).toHaveLength(2)
    expect((await call(`DELETE /v1/channels/${channelId}/messages/${ids[0]},${ids[1]},${ids[0]}`, { as: 'amy' })).statusCode).toBe(204)
    expect(await texts()).toEqual([])
    expect((await call(`GET /v1/messages/${ids[0]}`)).statusCode).toBe(404)
  })

  it('all of a channel is the application\'s', async () => {
    await send({ textPayload: 'a' })
    expect((await call(`DELETE /v1/channels/${channelId}/messages`, { as: 'amy' })).statusCode).toBe(403)
    expect((await call(`DELETE /v1/channels/${channelId}/messages`)).statusCode).toBe(204)
    expect(await texts()).toEqual([])
  })
})
