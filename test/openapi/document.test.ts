/** What the OpenAPI document says is whole and true to itself. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startService, type Service } from '../http/service.ts'
import { compilerOf, operationsOf, responseOf, type Described, type Document } from './document.ts'

let service: Service
let document: Document
beforeAll(async () => {
  service = await startService()
  document = (await service.call('GET /openapi.json', { as: null })).json()
})
afterAll(() => service.stop())

/** Every example with the schema that it must keep to, and where it stands. */
function * examplesOf (node: unknown, at = '#'): Generator<[at: string, schema: object, example: unknown]> {
  if (typeof node !== 'object' || node === null) return
  const { schema, example, examples } = node as Described
  if (Array.isArray(examples)) for (const value of examples) yield [at, node, value]
  else for (const named of Object.values(examples ?? {})) yield [at, schema!, (named as { value: unknown }).value]
  if (example !== undefined) yield [at, schema!, example]
  for (const [key, part] of Object.entries(node)) {
    if (!['example', 'examples', 'default', 'enum', 'const'].includes(key)) yield * examplesOf(part, `${at}/${key}`)
  }
}

it('has no example that breaks its schema', () => {
  const compile = compilerOf(document)
  const examples = [...examplesOf(document)]
  const wrong = examples.filter(([, schema, example]) => !compile(schema)(example)).map(([at]) => at)
  expect(wrong).toEqual([])
  for (const part of ['#/components/schemas', '#/components/responses', '#/paths']) {
    expect(examples.filter(([at]) => at.startsWith(part)).length, part).toBeGreaterThan(10)
  }
})

it('has an example and a description for every parameter, and a description for every answer and header', () => {
  for (const [name, operation] of operationsOf(document)) {
    for (const parameter of operation.parameters ?? []) {
      expect(parameter, `${name} ${parameter.name}`).toMatchObject({ description: expect.stringMatching(/\w/), example: expect.anything() })
    }
    for (const status of Object.keys(operation.responses)) {
      const response = responseOf(document, operation, status)!
      expect(response.description, `${name} ${status}`).toMatch(/\w/)
      for (const [header, told] of Object.entries(response.headers ?? {})) expect(told.description, `${name} ${header}`).toMatch(/\w/)
    }
  }
})

it('names each status by itself, and has every error in the envelope', () => {
  for (const [name, operation] of operationsOf(document)) {
    for (const status of Object.keys(operation.responses)) {
      expect(status, name).toMatch(/^[245]\d\d$/)
      if (status < '400') continue
      const envelope = { 'application/json': { schema: { $ref: '#/components/schemas/ErrorEnvelope' } } }
      expect(responseOf(document, operation, status)!.content, `${name} ${status}`).toMatchObject(envelope)
    }
  }
})

it('tells of the statuses that follow from what an operation takes', () => {
  for (const [name, { parameters = [], responses, security, tags }] of operationsOf(document)) {
    const expected = [
      '400',
      ...(security!.length === 0 ? [] : ['401', '403', '404']),
      ...(parameters.some(parameter => parameter.in === 'path') ? ['414'] : []),
      ...(parameters.some(parameter => parameter.name === 'idempotency-key') ? ['422'] : []),
      ...(name.startsWith('GET') ? [] : ['413', '415']),
      // A stream answers 200 and bye instead (protocol 8, promise 8).
      ...(tags.includes('events') ? ['406'] : ['500'])
    ]
    expect(Object.keys(responses), name).toEqual(expect.arrayContaining(expected))
    if (tags.includes('events')) expect(Object.keys(responses).filter(status => status >= '500'), name).toEqual([])
  }
})

it('takes event tokens on event streams only, and says how calls are signed', () => {
  for (const [name, { security, tags }] of operationsOf(document)) {
    const schemes = security!.flatMap(requirement => Object.keys(requirement))
    const users = ['bearer', 'userToken', 'basic', 'signature']
    if (tags.includes('events')) expect(schemes, name).toEqual([...users, 'eventToken'])
    else if (tags.includes('meta')) expect([[], users], name).toContainEqual(schemes)
    else expect(schemes, name).toEqual(users)
  }
  expect(document.components.securitySchemes!.signature!.description).toMatch(/Content-Md5.*HMAC-SHA1/s)
})

/** Whether a schema, with what it refers to, allows a null anywhere. */
function hasNull (schema: object): boolean {
  const text = JSON.stringify(schema)
  const named = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => document.components.schemas![name!]!)
  return text.includes('"null"') || named.some(hasNull)
}

it('lets nulls stand for optional fields of bodies, as the service does, and never has one in an answer', () => {
  const compile = compilerOf(document)
  const schemas = document.components.schemas!
  const channel = { defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' }
  for (const field of Object.keys(schemas.ChannelInput!.properties as object)) {
    expect(compile(schemas.ChannelInput!)({ ...channel, [field]: null }), field).toBe(!(field in channel))
  }
  expect(compile(schemas.MessageInput!)({ textPayload: 'a', senderId: null, messageType: null, timelineEvents: [{ eventId: null, type: 'a', eventTimeMs: 0, subject: '@amy' }] })).toBe(true)
  for (const [name, { responses }] of operationsOf(document)) {
    for (const { content = {} } of Object.values(responses)) {
      for (const { schema } of Object.values(content)) expect(hasNull(schema!), name).toBe(false)
    }
  }
})

/** As generators of clients compare names: without regard to capitals, hyphens and underscores. */
const plain = (name: string) => name.replace(/[-_]/g, '').toLowerCase()
const alike = (names: string[]) => names.filter((name, index) => names.map(plain).indexOf(plain(name)) !== index)

it('names nothing as generators of clients name something else', () => {
  const schemas = Object.entries(document.components.schemas!)
  for (const [name, { properties = {} }] of schemas) expect(alike(Object.keys(properties as object)), name).toEqual([])
  for (const [name, { parameters = [] }] of operationsOf(document)) expect(alike(parameters.map(parameter => parameter.name)), name).toEqual([])
  // In Go what makes a Channel is NewChannel.
  const names = schemas.map(([name]) => name)
  expect(alike([...names, ...names.map(name => `New${name}`)])).toEqual([])
})

it('says of each scheme of credentials what generators know', () => {
  const schemes = Object.entries(document.components.securitySchemes!).map(([name, { type, scheme }]) => [name, type, scheme])
  expect(schemes).toEqual([
    ['bearer', 'http', 'bearer'], ['userToken', 'apiKey', undefined], ['basic', 'http', 'basic'], ['signature', 'apiKey', undefined], ['eventToken', 'apiKey', undefined]
  ])
})

interface Bounded extends Record<string, unknown> {
  type?: string | string[]
  properties?: Record<string, Bounded>
  items?: Bounded
  anyOf?: Bounded[]
  allOf?: Bounded[]
}

/** Where a schema has a string, a list, a number or an object that may be of any size. */
function * unbounded (schema: Bounded, at: string): Generator<string> {
  const { properties, items, anyOf = [], allOf = [] } = schema
  const [type] = [schema.type].flat()
  const bounds = {
    string: ['maxLength', 'x-max-bytes', 'enum', 'const'], array: ['maxItems'], integer: ['maximum'], number: ['maximum'], object: ['properties'], boolean: ['type'], null: ['type']
  }[type ?? ''] ?? ['$ref', 'allOf', 'anyOf', 'enum', 'const']
  if (!bounds.some(bound => bound in schema)) yield at
  for (const [name, part] of Object.entries(properties ?? {})) yield * unbounded(part, `${at}.${name}`)
  for (const part of [...anyOf, ...allOf]) yield * unbounded(part, at)
  if (items !== undefined && schema.maxItems !== 0) yield * unbounded(items, `${at}[]`)
}

it('has no string, list, number or object without a bound', () => {
  const schemas = Object.entries(document.components.schemas!).map(([name, schema]): [string, Bounded] => [name, schema])
  const contents = operationsOf(document).flatMap(([name, operation]) => [
    [`${name} body`, operation.requestBody as Described | undefined] as const,
    ...Object.entries(operation.responses).map(([status, response]) => [`${name} ${status}`, response] as const)
  ].flatMap(([at, content]) => Object.values(content?.content ?? {}).map(({ schema }): [string, Bounded] => [at, schema as Bounded])))
  expect([...schemas, ...contents].flatMap(([at, schema]) => [...unbounded(schema, at)]).sort()).toEqual([
    // Any JSON: within the bounds of a body, of its depth and of its values; a locator has one of its own (protocol 1, rule 9).
    'MessageDatum.data', 'UserLocator',
    // Refused unless they are empty.
    ...['ChannelInput', 'MessageInput', 'UserInput'].flatMap(name => ['entityMetadata', 'entityProfile'].map(field => `${name}.${field}`)), 'UserInput.appliedAcls',
    // What the service itself says.
    ...['error', 'message', 'errorCode', 'reason', 'instanceId', 'diagnostics'].map(field => `ErrorEnvelope.${field}`),
    'RelayOutcome.recipientsCount', 'UserToken.signedToken', 'EventToken.eventToken',
    'GET /v1/channels/{channelId}/events 200', 'GET /v1/users/{userId}/events 200', 'GET /v1/events 200'
  ].sort())
})
