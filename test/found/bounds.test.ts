/** The bounds of protocol 1, rule 9: every array and every string of a body has one, and nesting has. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { GROUP_CHAT, startService, type Service } from '../http/service.ts'
import { callsTo } from '../http/rules/calls.ts'

let service: Service
let room: string
beforeAll(async () => {
  service = await startService(['amy'])
  room = await channel('group', ['amy'])
})
afterAll(() => service.stop())
const { channel } = callsTo(() => service)

const LONG = 'x'.repeat(200_000)
const event = { type: 'seen', eventTimeMs: 1_732_240_000_000, subject: 'amy' }
const nested = (levels: number): unknown => levels === 0 ? 1 : [nested(levels - 1)]
const message = (more: object) => (): [string, object] => [`POST /v1/channels/${room}/messages`, { textPayload: 'a', ...more }]
const room64 = (count: number) => (): [string, object] => ['POST /v1/channels', { defaultRuleSet: GROUP_CHAT, timelineEvents: Array(count).fill(event) }]
const user = (more: object) => (): [string, object] => ['POST /v1/users', more]
/** Of so many characters, written as JSON. */
const locator = (length: number): object => ({ a: 'x'.repeat(length - '{"a":""}'.length) })
/** A body with a value so deep in it: the body's own object is the first level, its list the second, an item the third. */
const deep = (levels: number) => message({ messageData: [{ dataType: 'a', data: nested(levels - 3) }] })
/** Of so many values: six with the ones around them. What stands in texts is none, however it looks. */
const values = (count: number) => (): [string, string] => {
  const data = Array(count - 6).fill('[ ]').join(' , ')
  return [`POST /v1/channels/${room}/messages`, `{"textPayload":"[1,{","messageData":[{"dataType":"a\\",","data":[ ${data} ]}]}`]
}

it.each<[string, () => [string, object | string]]>([
  ['32,769 values', values(32_769)],
  ['65 timeline events with a channel', room64(65)],
  ['65 timeline events with a message', message({ timelineEvents: Array(65).fill(event) })],
  ['33 levels of nesting', deep(33)],
  ['a payload type of 200,000 characters', message({ payloadType: LONG })],
  ['a data type of 200,000 characters', message({ messageData: [{ dataType: LONG, data: 1 }] })],
  ['a screen name of 200,000 characters', user({ screenName: { screenName: LONG } })],
  ['10,000 locators', user({ userLocators: Array(10_000).fill({ a: 1 }) })],
  ['a locator of 200,000 characters', user({ userLocators: [{ '@type': 'a', locator: LONG }] })],
  ['a locator of 1,025 characters, written as JSON', user({ userLocators: [{ a: 1 }, locator(1_025)] })],
  ['a locator of 200,000 characters within it', user({ userLocators: [{ a: [{ b: LONG }] }] })],
  ['5,000 roles', () => [`PATCH /v1/channels/${room}/participants/amy`, { roles: Array(5_000).fill('admin') }]],
  ['5,000 roles of a participant at creation', () => ['POST /v1/channels', { defaultRuleSet: GROUP_CHAT, participation: [{ participantId: 'amy', roles: Array(5_000).fill('admin') }] }]]
])('a body is refused for %s', async (_what, request) => {
  const [line, body] = request()
  const response = await service.call(line, { body })
  expect([400, 413]).toContain(response.statusCode)
  expect(['invalid_domain_attribute', 'limit_exceeded', 'invalid_input_syntax']).toContain(response.json().errorCode)
})

it.each<[string, () => [string, object | string]]>([
  ['32,768 values', values(32_768)],
  ['64 locators of 1,024 characters', user({ userLocators: Array(64).fill(locator(1_024)) })],
  ['64 timeline events with a channel', room64(64)], ['64 timeline events with a message', message({ timelineEvents: Array(64).fill(event) })], ['32 levels of nesting', deep(32)]
])('a body may have %s', async (_what, request) => {
  const [line, body] = request()
  expect((await service.call(line, { body })).statusCode).toBe(200)
})
