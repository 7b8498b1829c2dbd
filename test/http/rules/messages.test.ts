/** Messages: who sends, reads, edits and deletes, and what is made of what is sent (protocol 6). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo, type Gist } from './calls.ts'

let service: Service
let room: string
beforeAll(async () => { service = await startService(['amy', 'bob', 'mute', 'off', 'waiting', 'stranger']) })
afterAll(() => service.stop())
beforeEach(async () => {
  const participation = [{ participantId: 'amy', roles: ['admin'] }, { participantId: 'bob' }, { participantId: 'mute', participationStatus: 'ReadOnly' }, { participantId: 'off', participationStatus: 'Disabled' }]
  room = await channel('group', [], { groupType: 'strict_private', participation })
  await service.call(`POST /v1/channels/${room}/participants`, { as: 'waiting', body: { participantId: 'waiting' } })
})
const { get, gist, channel, send } = callsTo(() => service)

const post = async (body: object, as?: string, headers: Record<string, string> = {}) =>
  await service.call(`POST /v1/channels/${room}/messages`, { ...(as === undefined ? {} : { as }), body, headers })
const posting = async (body: object, as?: string) => await gist(`POST /v1/channels/${room}/messages`, { ...(as === undefined ? {} : { as }), body })
const texts = async (as?: string) => (await get(`/v1/channels/${room}/messages`, as)).map((one: { textPayload: string }) => one.textPayload)

const REFUSED: Array<[string, string]> = [['mute', 'muted'], ['off', 'disabled'], ['waiting', 'pending'], ['stranger', 'user_not_in_group']]

describe('sending', () => {
  it('is for active members and the application', async () => {
    for (const as of ['amy', 'bob', undefined]) expect(await posting({ textPayload: 'a' }, as)).toEqual([200])
    for (const [as, reason] of REFUSED) expect(await posting({ textPayload: 'a' }, as)).toEqual([403, 'missing_privilege', reason])
    expect(await texts()).toHaveLength(3)
  })

  it('says how many receive it: the active and the muted, the sender included, the application not', async () => {
    for (const as of ['amy', undefined]) expect((await post({ textPayload: 'a' }, as)).json().relay.recipientsCount).toBe(3)
    await service.call(`POST /v1/channels/${room}/participants/waiting/accept`)
    await service.call(`DELETE /v1/channels/${room}/participants/mute`)
    await service.call(`PATCH /v1/channels/${room}/participants/bob`, { body: { newStatus: 'Disabled' } })
    expect((await post({ textPayload: 'a' })).json().relay.recipientsCount).toBe(2)
  })

  it('by the application may be in the name of anyone that there is, member or not', async () => {
    for (const senderId of ['amy', 'mute', 'stranger', '.system']) expect((await post({ textPayload: 'a', senderId })).json().senderId).toEqual({ identifier: senderId })
    expect(await posting({ textPayload: 'a', senderId: 'nobody' })).toEqual([404, 'entity_not_found'])
  })

  it('by a user may name itself, and nobody else, whoever the other is', async () => {
    expect(await posting({ textPayload: 'a', senderId: { identifier: 'amy' } }, 'amy')).toEqual([200])
    for (const senderId of ['bob', '.system', 'nobody']) expect(await posting({ textPayload: 'a', senderId }, 'amy')).toEqual([403, 'missing_privilege', 'send_as_other_to_channel'])
  })

  it('is refused for the channel first, then for the sender\'s standing, then for whom it names', async () => {
    const body = { textPayload: 'a', senderId: 'bob' }
    expect(await gist('POST /v1/channels/unknown-1/messages', { as: 'amy', body })).toEqual([404, 'entity_not_found', 'not_found'])
    for (const [as, reason] of REFUSED) expect(await posting(body, as)).toEqual([403, 'missing_privilege', reason])
  })

  it('keeps its kinds, and has defaults for them', async () => {
    for (const messageType of ['Standard', 'Notification', 'OutOfBand']) expect((await post({ textPayload: 'a', messageType }, 'amy')).json().messageType).toBe(messageType)
    expect((await post({ textPayload: 'a', payloadType: 'mitter.mt.Image' }, 'amy')).json().payloadType).toBe('mitter.mt.Image')
    expect((await post({ textPayload: 'a' }, 'amy')).json()).toMatchObject({ messageType: 'Standard', payloadType: 'mitter.mt.Text', messageData: [] })
  })

  it('says when it was sent, where the caller does not', async () => {
    const seen = { type: 'drafted', eventTimeMs: 5, subject: 'amy' }
    const typesOf = async (timelineEvents: object[]) => (await post({ textPayload: 'a', timelineEvents }, 'amy')).json().timelineEvents.map((one: { type: string }) => one.type)
    expect(await typesOf([])).toEqual(['mitter.mtet.SentTime'])
    expect(await typesOf([{ ...seen, type: 'mitter.mtet.SentTime' }])).toEqual(['mitter.mtet.SentTime'])
    expect(await typesOf([seen])).toEqual(expect.arrayContaining(['mitter.mtet.SentTime', 'drafted']))
    expect((await typesOf([seen]))[0]).toBe('mitter.mtet.SentTime')
  })

  it('keeps what any JSON says, whatever it is', async () => {
    const data = { text: '\u0000😀\u2028', deep: [[{ '': null }]], number: 1e300, tiny: -0.1, yes: true }
    const { messageId } = (await post({ textPayload: '', messageData: [{ dataType: '', data }, { dataType: 'b', data: null }] }, 'amy')).json()
    expect(await get(`/v1/messages/${messageId}`)).toMatchObject({ textPayload: '', messageData: [{ dataType: '', data }, { dataType: 'b', data: null }] })
  })

  it('takes 64 data and 64 KiB of text', async () => {
    const messageData = Array.from({ length: 64 }, (_, data) => ({ dataType: 'n', data }))
    expect(await posting({ textPayload: 'x'.repeat(65_536), messageData }, 'amy')).toEqual([200])
    expect(await posting({ textPayload: 'x'.repeat(65_537) }, 'amy')).toEqual([413, 'limit_exceeded'])
    expect(await posting({ textPayload: 'x', messageData: [...messageData, messageData[0]] }, 'amy')).toEqual([413, 'limit_exceeded'])
  })

  it('gives a message\'s id once, in all channels, and never again', async () => {
    const body = { messageId: randomUUID(), textPayload: 'a' }
    expect(await posting(body, 'amy')).toEqual([200])
    const another = await channel('group', ['amy'])
    const again = async () => await gist(`POST /v1/channels/${another}/messages`, { as: 'amy', body })
    expect(await again()).toEqual([409, 'duplicate_entity'])
    await service.call(`DELETE /v1/channels/${room}/messages/${body.messageId}`, { as: 'amy' })
    expect(await again()).toEqual([409, 'duplicate_entity'])
  })
})

describe('sending under a key', () => {
  it('keeps successes only, and of each caller apart', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    expect((await post({ textPayload: 'a' }, 'mute', headers)).statusCode).toBe(403)
    await service.call(`POST /v1/channels/${room}/participants/mute/unmute`)
    const first = await post({ textPayload: 'a' }, 'mute', headers)
    expect(first.statusCode).toBe(200)
    expect((await post({ textPayload: 'a' }, 'amy', headers)).json().messageId).not.toBe(first.json().messageId)
    await service.call(`POST /v1/channels/${room}/participants/mute/mute`)
    expect((await post({ textPayload: 'a' }, 'mute', headers)).json()).toEqual(first.json())
  })

  it('is for one method, path and body', async () => {
    const headers = { 'idempotency-key': randomUUID() }
    const { messageId } = (await post({ textPayload: 'a' }, 'amy', headers)).json()
    const mismatch: Gist = [422, 'idempotency_mismatch']
    const another = await channel('group', ['amy'])
    expect(await gist(`POST /v1/channels/${another}/messages`, { as: 'amy', body: { textPayload: 'a' }, headers })).toEqual(mismatch)
    expect(await gist(`PATCH /v1/channels/${room}/messages/${messageId}`, { as: 'amy', body: { textPayload: 'a' }, headers })).toEqual(mismatch)
    expect(await gist(`DELETE /v1/channels/${room}/messages/${messageId}`, { as: 'amy', headers })).toEqual(mismatch)
  })
})

describe('reading', () => {
  it('is for members that receive, and the application: one message, and all', async () => {
    const message = await send(room, 'a', 'amy')
    for (const path of [`/v1/messages/${message}`, `/v1/channels/${room}/messages`]) {
      for (const as of ['amy', 'bob', 'mute']) expect(await gist(`GET ${path}`, { as })).toEqual([200])
      expect(await gist(`GET ${path}`)).toEqual([200])
    }
    for (const [as, reason] of REFUSED.slice(1)) {
      expect(await gist(`GET /v1/channels/${room}/messages`, { as })).toEqual([403, 'missing_privilege', reason])
      // That there is such a message is not told either.
      expect(await gist(`GET /v1/messages/${message}`, { as })).toEqual([404, 'entity_not_found'])
    }
  })

  it('shows the whole history to whoever receives now, and nothing to one who has left', async () => {
    await send(room, 'before', 'amy')
    await service.call(`POST /v1/channels/${room}/participants`, { body: { participantId: 'stranger' } })
    expect(await texts('stranger')).toEqual(['before'])
    await service.call(`DELETE /v1/channels/${room}/participants/me`, { as: 'stranger' })
    expect(await gist(`GET /v1/channels/${room}/messages`, { as: 'stranger' })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
  })

  it('of a public channel\'s messages is for members all the same', async () => {
    const open = await channel('group', ['amy'], { groupType: 'public' })
    const message = await send(open, 'a', 'amy')
    expect(await gist(`GET /v1/messages/${message}`, { as: 'bob' })).toEqual([404, 'entity_not_found'])
    for (const path of [`/v1/channels/${open}/messages`, `/v1/channels/${open}/participants`, `/v1/channels/${open}/timeline`]) {
      expect(await gist(`GET ${path}`, { as: 'bob' })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
    }
  })
})

describe('editing', () => {
  it('is its sender\'s while it may send, and the application\'s', async () => {
    const message = await send(room, 'a', 'bob')
    const edit = async (as?: string) => await gist(`PATCH /v1/channels/${room}/messages/${message}`, { ...(as === undefined ? {} : { as }), body: { textPayload: 'b' } })
    for (const as of ['bob', undefined]) expect(await edit(as)).toEqual([200])
    expect(await edit('amy')).toEqual([403, 'missing_privilege'])
    expect(await edit('stranger')).toEqual([403, 'missing_privilege', 'user_not_in_group'])
    await service.call(`POST /v1/channels/${room}/participants/bob/mute`)
    expect(await edit('bob')).toEqual([403, 'missing_privilege', 'muted'])
    await service.call(`DELETE /v1/channels/${room}/participants/bob`)
    expect(await edit('bob')).toEqual([403, 'missing_privilege', 'user_not_in_group'])
    expect(await edit()).toEqual([200])
  })

  it('keeps everything but what it names', async () => {
    const sent = (await post({ textPayload: 'a', messageData: [{ dataType: 'k', data: 1 }] }, 'amy')).json()
    const path = `PATCH /v1/channels/${room}/messages/${sent.messageId}`
    const { editedAt, audit, auditInfo, ...edited } = (await service.call(path, { as: 'amy', body: { messageData: [] } })).json()
    const { relay, audit: before, auditInfo: _, ...original } = sent
    expect(relay.status).toBe('relayed')
    expect(edited).toEqual({ ...original, messageData: [] })
    expect([audit.createdAt, auditInfo]).toEqual([before.createdAt, audit])
    expect(editedAt).toBe(audit.updatedAt)
    expect(await get(`/v1/messages/${sent.messageId}`)).toEqual({ ...edited, editedAt, audit, auditInfo })
  })

  it('is of a message of the channel that the path names', async () => {
    const another = await channel('group', ['amy'])
    const message = await send(room, 'a', 'amy')
    expect(await gist(`PATCH /v1/channels/${another}/messages/${message}`, { as: 'amy', body: { textPayload: 'b' } })).toEqual([404, 'entity_not_found'])
    expect(await gist(`DELETE /v1/channels/${another}/messages/${message}`, { as: 'amy' })).toEqual([404, 'entity_not_found'])
    expect(await gist(`PATCH /v1/channels/${room}/messages/unknown-1`, { as: 'amy', body: { textPayload: 'b' } })).toEqual([404, 'entity_not_found'])
  })
})

describe('deleting', () => {
  it('is its sender\'s, muted or not, and the application\'s, and no admin\'s', async () => {
    const [one, two] = [await send(room, 'one', 'bob'), await send(room, 'two', 'bob')]
    expect(await gist(`DELETE /v1/channels/${room}/messages/${one}`, { as: 'amy' })).toEqual([403, 'missing_privilege'])
    expect(await gist(`DELETE /v1/channels/${room}/messages/${one}`, { as: 'stranger' })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
    await service.call(`POST /v1/channels/${room}/participants/bob/mute`)
    expect(await gist(`DELETE /v1/channels/${room}/messages/${one}`, { as: 'bob' })).toEqual([204])
    expect(await gist(`DELETE /v1/channels/${room}/messages/${two}`)).toEqual([204])
    expect(await texts()).toEqual([])
  })

  it('of several is all or none: one of another\'s among them leaves all', async () => {
    const ids = [await send(room, 'mine', 'bob'), await send(room, 'amy\'s', 'amy')]
    expect(await gist(`DELETE /v1/channels/${room}/messages/${ids.join(',')}`, { as: 'bob' })).toEqual([403, 'missing_privilege'])
    expect(await texts()).toEqual(['amy\'s', 'mine'])
  })

  it('of all leaves the channel, its participants and what comes after', async () => {
    const message = await send(room, 'before', 'amy')
    expect(await gist(`DELETE /v1/channels/${room}/messages`)).toEqual([204])
    expect(await gist(`GET /v1/messages/${message}`, { as: 'amy' })).toEqual([404, 'entity_not_found'])
    expect(await gist(`DELETE /v1/channels/${room}/messages/${message}`, { as: 'amy' })).toEqual([404, 'entity_not_found'])
    await send(room, 'after', 'amy')
    expect(await texts('bob')).toEqual(['after'])
    expect(await gist('DELETE /v1/channels/unknown-1/messages')).toEqual([404, 'entity_not_found', 'not_found'])
  })
})
