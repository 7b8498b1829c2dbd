/** A message that one may not read is, to whom asks, a message that is not there (protocol 6). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startService, type Service } from '../http/service.ts'
import { callsTo } from '../http/rules/calls.ts'

const UNKNOWN = 'not-there-at-all'
const OUTSIDERS = ['stranger', 'waiting', 'disabled']

let service: Service
let room: string
let message: string
beforeAll(async () => {
  service = await startService(['amy', 'bob', ...OUTSIDERS])
  room = await channel('group', ['bob'], { groupType: 'private', participation: [{ participantId: 'bob' }, { participantId: 'disabled', participationStatus: 'Disabled' }] })
  await service.call(`POST /v1/channels/${room}/participants`, { as: 'waiting', body: { participantId: 'waiting' } })
  message = await send(room, 'for members only', 'bob')
})
afterAll(() => service.stop())
const { gist, channel, send } = callsTo(() => service)

/** An answer, but for what no two answers have in common, and for the id that the caller named itself. */
async function answerTo (request: string, messageId: string, as: string, body?: object): Promise<unknown[]> {
  const response = await service.call(request.replace('{message}', messageId), { as, ...(body === undefined ? {} : { body }) })
  const { instanceId, timestamp, ...rest } = response.json()
  const { 'content-length': length, date, ...headers } = response.headers
  return [response.statusCode, JSON.parse(JSON.stringify(rest).replaceAll(messageId, '{message}')), Object.keys(headers).sort()]
}

describe.each(OUTSIDERS)('to one who is %s', as => {
  it('reading a message by its id is a 404, in the same words as of one that is not there', async () => {
    const [hidden, missing] = [await answerTo('GET /v1/messages/{message}', message, as), await answerTo('GET /v1/messages/{message}', UNKNOWN, as)]
    expect(missing[0]).toBe(404)
    expect(hidden).toEqual(missing)
  })

  it('every other route that names a message answers as if it were not there', async () => {
    const own = await channel('group', [as])
    const event = { type: 'mitter.mtet.ReadTime', eventTimeMs: 1_732_240_000_000, subject: as }
    const differing: unknown[] = []
    for (const at of [room, own]) {
      const routes: Array<[request: string, body?: object]> = [
        [`GET /v1/channels/${at}/messages/{message}/timeline`], [`POST /v1/channels/${at}/messages/{message}/timeline`, event],
        [`PATCH /v1/channels/${at}/messages/{message}`, { textPayload: 'changed' }], [`DELETE /v1/channels/${at}/messages/{message}`],
        [`GET /v1/channels/${at}/messages?before={message}`], [`GET /v1/channels/${at}/messages?after={message}`]
      ]
      for (const [request, body] of routes) {
        const [hidden, missing] = [await answerTo(request, message, as, body), await answerTo(request, UNKNOWN, as, body)]
        if (JSON.stringify(hidden) !== JSON.stringify(missing) || missing[0] as number < 400) differing.push([request, hidden, missing])
      }
    }
    expect(differing).toEqual([])
  })

  it('its id is taken, as any other that was ever given', async () => {
    const own = await channel('group', [as])
    expect(await gist(`POST /v1/channels/${own}/messages`, { as, body: { messageId: message, textPayload: 'mine' } })).toEqual([409, 'duplicate_entity'])
  })
})

describe('its sender', () => {
  it.each(['leaving', 'being taken out'])('may read it by its id after %s, and nothing else of the channel', async how => {
    const left = await channel('group', ['amy', 'bob'], { groupType: 'private' })
    const [own, others] = [await send(left, 'mine', 'amy'), await send(left, 'not mine', 'bob')]
    expect(await gist(`DELETE /v1/channels/${left}/participants/amy`, how === 'leaving' ? { as: 'amy' } : {})).toEqual([204])
    const response = await service.call(`GET /v1/messages/${own}`, { as: 'amy' })
    expect([response.statusCode, response.json().textPayload]).toEqual([200, 'mine'])
    expect(await answerTo('GET /v1/messages/{message}', others, 'amy')).toEqual(await answerTo('GET /v1/messages/{message}', UNKNOWN, 'amy'))
    expect((await gist(`GET /v1/channels/${left}/messages`, { as: 'amy' }))[0]).toBe(403)
  })

  it('may not where it, its channel, or all that was said there is deleted', async () => {
    const ends: Array<(room: string, id: string) => string> = [
      (room, id) => `DELETE /v1/channels/${room}/messages/${id}`, room => `DELETE /v1/channels/${room}/messages`, room => `DELETE /v1/channels/${room}`
    ]
    for (const end of ends) {
      const left = await channel('group', ['amy'], { groupType: 'private' })
      const own = await send(left, 'mine', 'amy')
      await service.call(`DELETE /v1/channels/${left}/participants/amy`)
      expect((await service.call(end(left, own))).statusCode).toBe(204)
      expect(await answerTo('GET /v1/messages/{message}', own, 'amy')).toEqual(await answerTo('GET /v1/messages/{message}', UNKNOWN, 'amy'))
    }
  })
})
