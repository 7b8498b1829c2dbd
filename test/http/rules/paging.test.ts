/** Pages both ways, and exact totals, over channels, users and messages (protocol 1, rule 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startService, type Service } from '../service.ts'
import { callsTo, RULESETS } from './calls.ts'

const COUNT = 52

let service: Service
let room: string
/** Of each list its path, and the ids of what it holds, oldest first. */
const lists: Record<string, { path: string, ids: string[] }> = {}
beforeAll(async () => {
  service = await startService()
  const numbers = Array.from({ length: COUNT }, (_, index) => String(index).padStart(8, '0'))
  for (const userId of numbers) await service.call('POST /v1/users', { body: { userId } })
  for (const channelId of numbers) await service.call('POST /v1/channels', { body: { channelId, defaultRuleSet: RULESETS.group, participation: [{ participantId: numbers[0] }] } })
  room = numbers[0]!
  for (const messageId of numbers) await service.call(`POST /v1/channels/${room}/messages`, { body: { messageId, textPayload: 'a' } })
  lists.users = { path: '/v1/users', ids: numbers }
  lists.channels = { path: '/v1/channels', ids: numbers }
  lists.messages = { path: `/v1/channels/${room}/messages`, ids: numbers }
  lists['a user\'s channels'] = { path: `/v1/users/${numbers[0]}/channels`, ids: numbers }
})
afterAll(() => service.stop())
const { get, gist, total, send } = callsTo(() => service)

describe.each(['users', 'channels', 'messages', 'a user\'s channels'])('%s', (name) => {
  const page = async (query: string) => (await get(`${lists[name]!.path}${query}`)).map((one: { identifier: string }) => one.identifier)
  const from = (start: number, end: number) => lists[name]!.ids.slice(start, end)

  it('are the 45 newest, newest first, where nothing is asked for', async () => {
    expect(await page('')).toEqual(from(COUNT - 45, COUNT).reverse())
  })

  it('go back page by page to the first, each once', async () => {
    const seen: string[] = []
    for (let ids = await page('?limit=10'); ids.length > 0; ids = await page(`?limit=10&before=${seen.at(-1)}`)) seen.push(...ids)
    expect(seen).toEqual(from(0, COUNT).reverse())
  })

  it('go on page by page to the last, oldest first, each once', async () => {
    const seen = from(0, 1)
    for (let ids = await page(`?limit=10&after=${seen[0]}`); ids.length > 0; ids = await page(`?limit=10&after=${seen.at(-1)}`)) seen.push(...ids)
    expect(seen).toEqual(from(0, COUNT))
  })

  it('may be passed over, from either end of a page', async () => {
    expect(await page('?entityCountOffset=50')).toEqual(from(0, 2).reverse())
    expect(await page(`?before=${from(10, 11)[0]}&entityCountOffset=3&limit=2`)).toEqual(from(5, 7).reverse())
    expect(await page(`?after=${from(10, 11)[0]}&entityCountOffset=3&limit=2`)).toEqual(from(14, 16))
    expect(await page('?entityCountOffset=10000')).toEqual([])
    expect(await gist(`GET ${lists[name]!.path}?entityCountOffset=10001`)).toEqual([400, 'invalid_domain_attribute'])
  })

  it('are 200 at most', async () => {
    expect(await page('?limit=200')).toHaveLength(COUNT)
    expect(await gist(`GET ${lists[name]!.path}?limit=201`)).toEqual([400, 'invalid_domain_attribute'])
  })

  it('have a total that no page, cursor or offset changes', async () => {
    const newest = from(COUNT - 1, COUNT)[0]
    for (const query of ['', '?limit=1', '?entityCountOffset=51', `?before=${newest}`, `?after=${newest}`]) expect(await total(`${lists[name]!.path}${query}`)).toBe(COUNT)
  })

  it('go on from what is there: from anything else it is a 404', async () => {
    for (const side of ['before', 'after']) expect((await gist(`GET ${lists[name]!.path}?${side}=unknown-1`)).slice(0, 2)).toEqual([404, 'entity_not_found'])
  })
})

describe('the total', () => {
  it('of messages counts what is there after deletions, and nothing after a truncation', async () => {
    const path = `/v1/channels/${lists.channels!.ids[1]}`
    const ids = [await send(path.split('/')[3]!, 'a'), await send(path.split('/')[3]!, 'b'), await send(path.split('/')[3]!, 'c')]
    expect(await total(`${path}/messages`)).toBe(3)
    await service.call(`DELETE ${path}/messages/${ids[0]}`)
    expect(await total(`${path}/messages`)).toBe(2)
    expect((await get(`${path}/messages?after=${ids[0]}`)).map(({ messageId }: { messageId: string }) => messageId)).toEqual(ids.slice(1))
    await service.call(`DELETE ${path}/messages`)
    expect([await total(`${path}/messages`), await get(`${path}/messages`)]).toEqual([0, []])
    const later = await send(path.split('/')[3]!, 'd')
    expect((await get(`${path}/messages?after=${ids[1]}`)).map(({ messageId }: { messageId: string }) => messageId)).toEqual([later])
    expect(await total(`${path}/messages`)).toBe(1)
  })

  it('of a channel\'s messages is not changed by another channel\'s cursor: that is a 404', async () => {
    const message = await send(lists.channels!.ids[2]!, 'a')
    expect((await gist(`GET /v1/channels/${room}/messages?before=${message}`)).slice(0, 2)).toEqual([404, 'entity_not_found'])
  })

  it('of users and channels falls as they are deleted', async () => {
    const last = lists.users!.ids.at(-1)
    await service.call(`DELETE /v1/users/${last}`)
    expect([await total('/v1/users'), (await get('/v1/users?limit=200')).length]).toEqual([COUNT - 1, COUNT - 1])
    expect((await get(`/v1/users?limit=200&before=${last}`)).length).toBe(COUNT - 1)
    await service.call(`DELETE /v1/channels/${last}`)
    expect([await total('/v1/channels'), (await get('/v1/channels?limit=200')).length]).toEqual([COUNT - 1, COUNT - 1])
    expect((await gist(`GET /v1/channels?before=${last}`))[0]).toBe(404)
    expect(await total(lists['a user\'s channels']!.path)).toBe(COUNT - 1)
  })

  it('of users does not count the application', async () => {
    expect((await get('/v1/users?limit=200')).map((user: { userId: string }) => user.userId)).not.toContain('.system')
  })
})
