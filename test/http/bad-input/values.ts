/** What a client that is broken, or means harm, puts where something else belongs. */
import type { Api, JsonSchema } from './operations.ts'

/** Texts that are no JSON, or none that can be kept. */
export const unreadableJson = ['{', '{"a":1,}', "{'a':1}", 'undefined', '{"a":NaN}', '[1', '"\\ud800"', '{"a":"\\udc00b"}', '{"a":1e999}', '\u0000', '{"__proto__":{}}', '{} {}']

export const wrongContentTypes = [
  'text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
  'application/octet-stream', 'application/jsonp', 'application/merge-patch+json', 'nonsense', 'application/', ''
]

/** Ids that no entity can have, whatever its kind. */
export const impossibleIds = [
  '', 'x'.repeat(73), 'x'.repeat(10_000), 'with.dots', '.system-1', '..', 'with/slash', 'with%2Fpercent', 'with\u0000nul', 'with\nnewline',
  'newline-at-its-end\n', 'with\r\nnewline', 'with 😀 emoji', '😀'.repeat(8), 'with space', '-begins-so', '_begins-so', '$begins-so', 'ümlaut-1', '\u200eleft-to-right', '__proto__', "x'; drop table users; --"
]

/** Ids that only a user can have, and what is reserved. */
export const tooShortIds = ['x', 'x'.repeat(7), '.broadcast', '.control', '.system', '.anonymous', '.deleted', '.typing-indicator-stream']

/** Path segments on the wire that name nothing: 404. */
export const namelessSegments = [
  'x', 'x'.repeat(7), 'x'.repeat(8), 'x'.repeat(72), 'x'.repeat(73), '.', '..', '%2e%2e', 'with.dots', '.broadcast', '%2F', 'with%2Fslash', '%00', 'with%00nul', '%0A', 'with%0D%0Anewline',
  '%F0%9F%98%80', '%25', '%2500', '%20', '+', '~', ':', '*', '__proto__', 'constructor', 'toString', "x'--", 'null', 'undefined', 'NaN', '1e300', '-1'
]

/** Lists on the wire of what is not there: 404, or 400 where only one may be named. */
export const namelessLists = [',', '%2C', 'a,,b', 'unknown-1,unknown-2']

/** Path segments that are no UTF-8, percent-encoded: 400. */
export const unreadableSegments = ['%zz', '%', '%2', '%ff', '%C3', '%ed%a0%80', '%c0%af', 'x%']

/** What a value of each type is not. */
const wrong: Record<string, unknown[]> = {
  string: [5, 1e300, true, [], {}, ['text'], { identifier: 'text' }],
  integer: ['text', '5', '', 1e300, 1.5, -1, true, [], {}, [5]],
  boolean: ['text', 'true', '', 0, 1, 1e300, [], {}],
  array: ['text', '', 5, 1e300, true, {}, { length: 0 }, { 0: 'text' }],
  object: ['text', '', 5, 1e300, true, [], [{}]]
}
const wrongReferences = [5, 1e300, true, [], ['@amy'], {}, { identifier: 5 }, { identifier: null }, { identifier: ['@amy'] }, { identifier: '@amy', screenName: 'Amy' }, { userId: '@amy' }]

export interface WrongBody {
  /** Which field has what. */
  what: string
  body: unknown
}

/** Bodies that are right but for one field, at any depth: of a wrong type, missing, or null where it is needed. */
export function * wrongBodies (api: Api, schema: JsonSchema, sample: unknown, at = 'body', put: (value: unknown) => unknown = value => value): Generator<WrongBody> {
  const { anyOf, enum: allowed, type = '', properties = {}, required = [], items } = api.resolve(schema)
  const values = anyOf !== undefined ? wrongReferences : [...wrong[type] ?? [], ...(allowed === undefined ? [] : [5, 'Nonsense', '', 'active '])]
  for (const value of values) yield { what: `${at} as ${JSON.stringify(value)}`, body: put(value) }
  if (items !== undefined && Array.isArray(sample)) {
    yield { what: `${at} with null in it`, body: put([null]) }
    yield * wrongBodies(api, items, sample[0], `${at}/0`, value => put([value]))
  }
  const fields = sample as Record<string, unknown>
  for (const name of required) {
    const { [name]: _, ...rest } = fields
    yield { what: `${at} without ${name}`, body: put(rest) }
    // Whatever may hold any JSON may hold null.
    if (Object.keys(api.resolve(properties[name]!)).some(key => ['type', 'anyOf', 'enum'].includes(key))) yield { what: `${at}/${name} as null`, body: put({ ...fields, [name]: null }) }
  }
  for (const [name, field] of Object.entries(properties)) {
    if (name in fields) yield * wrongBodies(api, field, fields[name], `${at}/${name}`, value => put({ ...fields, [name]: value }))
  }
}

/** Names of fields with which a caller gives an entity its id. */
const ownIds: Record<string, string[]> = {
  userId: [], channelId: tooShortIds, messageId: tooShortIds, eventId: tooShortIds
}

/** Bodies that are right but for one id: of the entity itself (`own`), or in a reference to another. */
export function * wrongIds (api: Api, schema: JsonSchema, sample: unknown, at = 'body', put: (value: unknown) => unknown = value => value): Generator<WrongBody & { own: boolean }> {
  const { anyOf, properties = {}, items } = api.resolve(schema)
  const show = (id: string) => JSON.stringify(id.length > 80 ? `${id.slice(0, 3)}… (${id.length})` : id)
  if (anyOf !== undefined) {
    for (const id of impossibleIds) {
      yield { what: `${at} as ${show(id)}`, body: put(id), own: false }
      yield { what: `${at} as a reference to ${show(id)}`, body: put({ identifier: id }), own: false }
    }
  }
  if (items !== undefined && Array.isArray(sample)) yield * wrongIds(api, items, sample[0], `${at}/0`, value => put([value]))
  const fields = sample as Record<string, unknown>
  for (const [name, field] of Object.entries(properties)) {
    if (!(name in fields)) continue
    const putField = (value: unknown) => put({ ...fields, [name]: value })
    for (const id of name in ownIds ? [...impossibleIds, ...ownIds[name]!] : []) yield { what: `${at}/${name} as ${show(id)}`, body: putField(id), own: true }
    yield * wrongIds(api, field, fields[name], `${at}/${name}`, putField)
  }
}
