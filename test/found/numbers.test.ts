/** Numbers are doubles, and the documents say so (protocol 1, rule 3). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { callsTo } from '../http/rules/calls.ts'
import { startService, type Service } from '../http/service.ts'

let service: Service
beforeAll(async () => { service = await startService(['amy']) })
afterAll(() => service.stop())
const { channel } = callsTo(() => service)

it('a number comes back as the document says', async () => {
  const rules = readFileSync(join(import.meta.dirname, '../../docs/protocol.md'), 'utf8')
  const told = [...rules.matchAll(/`(-?[\d.]+)`(?: comes back)? as `(-?[\d.]+)`/g)].map(([, sent, kept]) => [sent, kept])
  expect(told.map(([sent]) => sent)).toEqual(['12345678901234567890', '1.10', '-0'])
  const room = await channel('group', ['amy'])
  for (const [sent, kept] of told) {
    const body = `{"textPayload":"a","messageData":[{"dataType":"number","data":${sent}}]}`
    const { body: answer } = await service.call(`POST /v1/channels/${room}/messages`, { as: 'amy', body })
    expect(answer).toContain(`"messageData":[{"dataType":"number","data":${kept}}]`)
    expect((await service.call(`GET /v1/channels/${room}/messages?limit=1`)).body).toContain(`"data":${kept}}`)
  }
})

it('the schema says what becomes of numbers', async () => {
  const { components } = (await service.call('GET /openapi.json')).json()
  expect(components.schemas.MessageDatum.properties.data.description).toContain('Numbers are IEEE 754 doubles')
})
