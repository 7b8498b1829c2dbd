/** Timelines of channels and messages (protocol 5). */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo, RULESETS } from './calls.ts'

let service: Service
let room: string
let message: string
beforeAll(async () => { service = await startService(['amy', 'bob', 'mute', 'off', 'waiting', 'stranger']) })
afterAll(() => service.stop())
beforeEach(async () => {
  room = await channel('group', [], {
    groupType: 'strict_private',
    participation: [{ participantId: 'amy', roles: ['admin'] }, { participantId: 'bob' }, { participantId: 'mute' }, { participantId: 'off', participationStatus: 'Disabled' }]
  })
  await service.call(`PATCH /v1/channels/${room}/participants/mute`, { body: { newStatus: 'ReadOnly' } })
  await service.call(`POST /v1/channels/${room}/participants`, { as: 'waiting', body: { participantId: 'waiting' } })
  message = await send(room, 'Hello', 'amy')
})
const { get, gist, channel, send } = callsTo(() => service)

const event = (subject: string, type = 'mitter.mtet.ReadTime', more: object = {}) => ({ type, eventTimeMs: 1_732_240_000_000, subject, ...more })
const add = async (path: string, body: object, as?: string) => await gist(`POST /v1/channels/${path}/timeline`, { ...(as === undefined ? {} : { as }), body })
const typesOf = async (path: string, query = '', as?: string) => (await get(`/v1/channels/${path}/timeline${query}`, as))
  .map((entry: { timelineEvent: { type: string } }) => entry.timelineEvent.type)
/** The paths of the two timelines. */
const both = () => [room, `${room}/messages/${message}`]

describe('adding an event', () => {
  it('to a channel answers 204, and it reads back whole', async () => {
    const eventId = randomUUID()
    const response = await service.call(`POST /v1/channels/${room}/timeline`, { as: 'bob', body: event('bob', 'seen', { eventId }) })
    expect([response.statusCode, response.body]).toEqual([204, ''])
    const [entry] = await get(`/v1/channels/${room}/timeline`)
    const { audit } = entry.timelineEvent
    expect(entry).toEqual({
      channelId: { identifier: room },
      timelineEvent: { identifier: eventId, eventId, type: 'seen', eventTimeMs: 1_732_240_000_000, subject: { identifier: 'bob' }, audit, auditInfo: audit }
    })
    expect(audit).toEqual({ createdAt: expect.any(Number), updatedAt: expect.any(Number) })
  })

  it('to a message answers the id of the event, and it reads back whole', async () => {
    const response = await service.call(`POST /v1/channels/${room}/messages/${message}/timeline`, { as: 'bob', body: event('bob') })
    const { identifier } = response.json()
    expect([response.statusCode, response.json()]).toEqual([200, { identifier: expect.any(String) }])
    const entries = await get(`/v1/channels/${room}/messages/${message}/timeline`)
    expect(entries.map((entry: { timelineEvent: { type: string } }) => entry.timelineEvent.type)).toEqual(['mitter.mtet.SentTime', 'mitter.mtet.ReadTime'])
    expect(entries[1]).toMatchObject({ messageId: { identifier: message }, channelId: { identifier: room }, timelineEvent: { eventId: identifier, identifier, subject: { identifier: 'bob' } } })
  })

  it('to several messages gives each an event of its own, or none where one is not there', async () => {
    const another = await send(room, 'More', 'amy')
    const path = `${room}/messages/${message},${another}`
    expect(await add(path, event('bob'), 'bob')).toEqual([200])
    const entries = await get(`/v1/channels/${path}/timeline?eventTypeFilter=mitter.mtet.ReadTime`)
    expect(entries.map((entry: { messageId: { identifier: string } }) => entry.messageId.identifier)).toEqual([message, another])
    expect(new Set(entries.map((entry: { timelineEvent: { eventId: string } }) => entry.timelineEvent.eventId)).size).toBe(2)
    expect(await add(`${path},unknown-1`, event('bob', 'seen'), 'bob')).toEqual([404, 'entity_not_found'])
    expect(await typesOf(path, '?eventTypeFilter=seen')).toEqual([])
  })

  it('with an id of the caller\'s is for one message at a time', async () => {
    const another = await send(room, 'More', 'amy')
    const own = event('bob', 'seen', { eventId: randomUUID() })
    expect(await add(`${room}/messages/${message},${another}`, own, 'bob')).toEqual([400, 'bad_request'])
    expect(await add(`${room}/messages/${message}`, own, 'bob')).toEqual([200])
  })

  it('is to one channel at a time', async () => {
    expect(await add(`${room},${await channel('group', ['bob'])}`, event('bob'), 'bob')).toEqual([400, 'bad_request'])
  })

  it('to what is not there is a 404: a channel, a message, a message of another channel', async () => {
    const elsewhere = await channel('group', ['amy'])
    expect(await add('unknown-1', event('amy'), 'amy')).toEqual([404, 'entity_not_found', 'not_found'])
    expect(await add(`${room}/messages/unknown-1`, event('amy'), 'amy')).toEqual([404, 'entity_not_found'])
    expect(await add(`${elsewhere}/messages/${message}`, event('amy'), 'amy')).toEqual([404, 'entity_not_found'])
  })
})

describe('an event\'s id', () => {
  it('is given once, over channels and messages', async () => {
    const own = event('bob', 'seen', { eventId: randomUUID() })
    expect(await add(room, own, 'bob')).toEqual([204])
    for (const path of both()) expect(await add(path, own, 'bob')).toEqual([409, 'duplicate_entity'])
    expect(await typesOf(room)).toEqual(['seen'])
  })

  it('that came with a new channel or message is taken too', async () => {
    const own = event('amy', 'seen', { eventId: randomUUID() })
    await service.call(`POST /v1/channels/${room}/messages`, { as: 'amy', body: { textPayload: 'a', timelineEvents: [own] } })
    expect(await add(room, own, 'amy')).toEqual([409, 'duplicate_entity'])
    expect(await gist(`POST /v1/channels/${room}/messages`, { as: 'amy', body: { textPayload: 'b', timelineEvents: [own] } })).toEqual([409, 'duplicate_entity'])
    const another = event('amy', 'seen', { eventId: randomUUID() })
    await channel('group', [], { timelineEvents: [another] }, 'amy')
    expect(await add(room, another, 'amy')).toEqual([409, 'duplicate_entity'])
  })
})

describe('a subject', () => {
  it('is a user that there is, or the application, however the event comes', async () => {
    const timelineEvents = [event('nobody')]
    for (const path of both()) expect(await add(path, event('nobody'))).toEqual([404, 'entity_not_found'])
    expect(await gist(`POST /v1/channels/${room}/messages`, { body: { textPayload: 'a', timelineEvents } })).toEqual([404, 'entity_not_found'])
    expect(await gist('POST /v1/channels', { body: { defaultRuleSet: RULESETS.group, timelineEvents } })).toEqual([404, 'entity_not_found'])
  })

  it('may be the application in events that come with a channel or a message', async () => {
    const timelineEvents = [event('.system')]
    expect(await gist(`POST /v1/channels/${room}/messages`, { body: { textPayload: 'a', timelineEvents } })).toEqual([200])
    expect(await gist('POST /v1/channels', { body: { defaultRuleSet: RULESETS.group, timelineEvents } })).toEqual([200])
  })
})

describe('a type', () => {
  it.each(['io.mitter.types.timeline.CreationTime', 'mitter.mtet.SentTime', 'mitter.mtet.ReceivedTime', 'mitter.mtet.DeliveredTime', 'mitter.mtet.ReadTime', 'mitter.mtet.DeletedTime'])('that is standard is taken: %s', async (type) => {
    for (const path of both()) expect((await add(path, event('bob', type), 'bob'))[0]).toBeLessThan(300)
  })

  it('of one\'s own is free text of 1 to 128 characters that does not begin with io.mitter', async () => {
    for (const type of ['x', 'com.example.Waved 👋', 'mitter.mtet.Waved', 'i'.repeat(128)]) expect(await add(room, event('bob', type), 'bob')).toEqual([204])
    for (const type of ['', 'i'.repeat(129), 'io.mitter', 'io.mitter.types.timeline.Own', 'io.mitterish']) {
      for (const path of both()) expect(await add(path, event('bob', type), 'bob')).toEqual([400, 'invalid_domain_attribute'])
    }
  })
})

describe('a time', () => {
  it('is a whole number of milliseconds from 0 to the last that a Date can hold', async () => {
    for (const eventTimeMs of [0, 8.64e15]) expect(await add(room, { ...event('bob'), eventTimeMs }, 'bob')).toEqual([204])
    for (const eventTimeMs of [-1, 8.64e15 + 1, 1.5, '5']) expect(await add(room, { ...event('bob'), eventTimeMs }, 'bob')).toEqual([400, 'invalid_domain_attribute'])
  })
})

describe('who may write', () => {
  it('is whoever receives the channel, about itself', async () => {
    for (const path of both()) {
      expect((await add(path, event('bob'), 'bob'))[0]).toBeLessThan(300)
      expect(await add(path, event('amy'), 'bob')).toEqual([403, 'missing_privilege'])
      expect(await add(path, event('.system'), 'bob')).toEqual([403, 'missing_privilege'])
      expect(await add(path, event('stranger'), 'stranger')).toEqual([403, 'missing_privilege', 'user_not_in_group'])
      expect(await add(path, event('off'), 'off')).toEqual([403, 'missing_privilege', 'disabled'])
      expect(await add(path, event('waiting'), 'waiting')).toEqual([403, 'missing_privilege', 'pending'])
    }
  })

  it('is the application, about anyone that there is', async () => {
    for (const path of both()) {
      for (const subject of ['bob', 'stranger', '.system']) expect((await add(path, event(subject)))[0]).toBeLessThan(300)
      expect(await add(path, event('nobody'))).toEqual([404, 'entity_not_found'])
    }
  })

  it('if muted may say what becomes of messages, and nothing else', async () => {
    for (const path of both()) {
      for (const type of ['mitter.mtet.ReceivedTime', 'mitter.mtet.DeliveredTime', 'mitter.mtet.ReadTime']) expect((await add(path, event('mute', type), 'mute'))[0]).toBeLessThan(300)
      for (const type of ['seen', 'mitter.mtet.Waved', 'io.mitter.types.timeline.CreationTime']) expect(await add(path, event('mute', type), 'mute')).toEqual([403, 'missing_privilege', 'muted'])
    }
  })
})

describe('reading', () => {
  it('is for whoever receives the channel, and for the application', async () => {
    for (const path of both()) {
      for (const as of ['amy', 'mute', undefined]) expect((await gist(`GET /v1/channels/${path}/timeline`, as === undefined ? {} : { as }))).toEqual([200])
      expect(await gist(`GET /v1/channels/${path}/timeline`, { as: 'stranger' })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
      expect(await gist(`GET /v1/channels/${path}/timeline`, { as: 'waiting' })).toEqual([403, 'missing_privilege', 'pending'])
      expect(await gist(`GET /v1/channels/${path}/timeline`, { as: 'off' })).toEqual([403, 'missing_privilege', 'disabled'])
    }
  })

  it('filters by one type or several, whatever they are', async () => {
    for (const type of ['seen', 'waved', 'seen']) await add(room, event('bob', type), 'bob')
    expect(await typesOf(room)).toEqual(['seen', 'waved', 'seen'])
    expect(await typesOf(room, '?eventTypeFilter=seen')).toEqual(['seen', 'seen'])
    expect(await typesOf(room, '?eventTypeFilter=waved,unknown')).toEqual(['waved'])
    expect(await typesOf(room, '?eventTypeFilter=waved,seen')).toEqual(['seen', 'waved', 'seen'])
    expect(await typesOf(room, '?eventTypeFilter=unknown')).toEqual([])
    expect(await typesOf(room, '?limit=2')).toEqual(['seen', 'waved'])
  })

  it('takes several channels at once, of each of which the reader must be', async () => {
    const another = await channel('group', ['bob'])
    await add(room, event('bob', 'first'), 'bob')
    await add(another, event('bob', 'second'), 'bob')
    const entries = await get(`/v1/channels/${another},${room}/timeline`, 'bob')
    expect(entries.map((entry: { channelId: { identifier: string }, timelineEvent: { type: string } }) => [entry.channelId.identifier, entry.timelineEvent.type])).toEqual([[another, 'second'], [room, 'first']])
    expect(await gist(`GET /v1/channels/${another},${room}/timeline`, { as: 'stranger' })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
    const private_ = await channel('group', ['amy'], { groupType: 'private' })
    expect(await gist(`GET /v1/channels/${room},${private_}/timeline`, { as: 'bob' })).toEqual([403, 'missing_privilege', 'user_not_in_group'])
    expect(await gist(`GET /v1/channels/${room},unknown-1/timeline`, { as: 'bob' })).toEqual([404, 'entity_not_found', 'not_found'])
  })

  it('is of the channel that the path names: another\'s message is not found', async () => {
    const elsewhere = await channel('group', ['amy'])
    expect(await gist(`GET /v1/channels/${elsewhere}/messages/${message}/timeline`, { as: 'amy' })).toEqual([404, 'entity_not_found'])
  })

  it('has what came with the channel or the message, first', async () => {
    const own = [event('amy', 'mitter.mtet.SentTime'), event('amy', 'drafted')]
    const channelId = await channel('group', [], { timelineEvents: [event('amy', 'io.mitter.types.timeline.CreationTime')] }, 'amy')
    const { messageId, timelineEvents } = (await service.call(`POST /v1/channels/${channelId}/messages`, { as: 'amy', body: { textPayload: 'a', timelineEvents: own } })).json()
    await add(`${channelId}/messages/${messageId}`, event('amy'), 'amy')
    expect(timelineEvents.map((one: { type: string }) => one.type)).toEqual(['mitter.mtet.SentTime', 'drafted'])
    expect(await typesOf(`${channelId}/messages/${messageId}`)).toEqual(['mitter.mtet.SentTime', 'drafted', 'mitter.mtet.ReadTime'])
    expect((await get(`/v1/channels/${channelId}`)).timelineEvents.map((one: { type: string }) => one.type)).toEqual(['io.mitter.types.timeline.CreationTime'])
    expect(await typesOf(channelId)).toEqual(['io.mitter.types.timeline.CreationTime'])
  })

  it('cannot change it: nothing deletes an event', async () => {
    for (const path of both()) {
      for (const method of ['DELETE', 'PATCH', 'PUT']) expect(await gist(`${method} /v1/channels/${path}/timeline`)).toEqual([405, 'method_not_allowed'])
    }
    await add(room, event('bob', 'seen'), 'bob')
    await service.call(`DELETE /v1/channels/${room}/participants/bob`)
    await service.call(`DELETE /v1/channels/${room}/messages`)
    expect(await typesOf(room)).toEqual(['seen'])
  })

  it('of a message ends with it', async () => {
    await service.call(`DELETE /v1/channels/${room}/messages/${message}`, { as: 'amy' })
    expect(await gist(`GET /v1/channels/${room}/messages/${message}/timeline`, { as: 'amy' })).toEqual([404, 'entity_not_found'])
    expect(await add(`${room}/messages/${message}`, event('amy'), 'amy')).toEqual([404, 'entity_not_found'])
  })
})

describe('every ruleset', () => {
  it('has timelines', async () => {
    for (const [name, participants] of [['direct', ['amy', 'bob']], ['system', ['amy']], ['single', ['amy']]] as Array<[keyof typeof RULESETS, string[]]>) {
      const channelId = await channel(name, participants)
      expect(await add(channelId, event('amy', 'seen'), 'amy')).toEqual([204])
      expect(await typesOf(channelId, '', 'amy')).toEqual(['seen'])
    }
  })
})
