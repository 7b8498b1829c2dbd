/** Checking requests against their schemas, and saying what is wrong in a way that helps (protocol 1, rules 3, 6 and 9). */
import { Ajv, type AnySchemaObject, type ErrorObject, type Options, type ValidateFunction } from 'ajv'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'
import { refuse, refuseWith, type Refusal } from '../errors.ts'
import { nullStripper } from './nulls.ts'

/** Where a part of the request stands in messages and `diagnostics.field`. */
const partNames: Record<string, string> = { querystring: 'query' }

/**
 * Bodies are taken as they are: no coercion (`5` is no string), no removal, no defaults; nulls of optional
 * fields mean absent. What stands in URLs and headers is text, and is read by `readTexts`: Ajv's own coercion
 * takes `Infinity`, `0x10` and ` 5` for integers.
 */
export function validatorCompiler (named: TSchema[]): FastifySchemaCompiler<TSchema> {
  const bodies = ajvWith(named, {})
  const texts = ajvWith(named, { useDefaults: true })
  const stripNulls = nullStripper(named)
  return ({ schema, httpPart = 'body' }) => {
    if (httpPart === 'body') return bodyValidator(bodies.compile(schema), stripNulls(schema))
    return textValidator(schema, texts.compile(schema), partNames[httpPart] ?? httpPart)
  }
}

/** `verbose` has errors carry the schema that they break, whose description says what would be right. */
function ajvWith (named: TSchema[], options: Options): Ajv {
  const ajv = new Ajv({ strict: true, strictTypes: false, verbose: true, ...options })
  ajv.addKeyword({
    keyword: 'x-max-bytes',
    type: 'string',
    schemaType: 'number',
    // A UTF-16 unit takes at most 3 bytes of UTF-8: short texts need no counting.
    validate: (most: number, text: string) => text.length * 3 <= most || Buffer.byteLength(text) <= most
  })
  // What is said to generators of clients.
  ajv.addVocabulary(['x-enum-varnames'])
  ajv.addFormat('int64', true)
  for (const schema of named) ajv.addSchema(schema)
  return ajv
}

function bodyValidator (validate: ValidateFunction, stripNulls: (body: unknown) => void) {
  const check = validator(validate, 'body')
  return (body: unknown) => {
    // Fastify hands an absent body over as null.
    if (body === null) return { error: refuseWith('badRequest', { diagnostics: { field: 'body' } }, 'This call needs a body: send a JSON object, with Content-Type: application/json') }
    stripNulls(body)
    return check(body)
  }
}

function textValidator (schema: AnySchemaObject, validate: ValidateFunction, part: string) {
  const check = validator(validate, part)
  const declared = Object.entries<AnySchemaObject>(schema.properties ?? {})
  return (texts: Record<string, unknown>) => {
    const error = readTexts(declared, texts, part)
    return error === undefined ? check(texts) : { error }
  }
}

/** How the text of a type is written, and what it says. */
const readers: Record<string, { written: RegExp, how: string, read: (text: string) => unknown }> = {
  integer: { written: /^\d{1,15}$/, how: 'a whole number in decimal digits', read: Number },
  boolean: { written: /^(?:true|false)$/, how: 'true or false', read: text => text === 'true' }
}

/** Puts what the texts of declared parameters say in their place. Others are nobody's, and ignored (protocol 1, rule 3). */
function readTexts (declared: Array<[string, AnySchemaObject]>, texts: Record<string, unknown>, part: string): Refusal | undefined {
  for (const [name, schema] of declared) {
    const text = texts[name]
    if (text === undefined) continue
    if (typeof text !== 'string') return invalid(`${part}/${name}`, `${part}/${name} is given more than once: send it once`)
    const reader = readers[schema.type]
    if (reader === undefined) continue
    if (!reader.written.test(text)) return invalid(`${part}/${name}`, `${part}/${name} must be ${reader.how}`, schema)
    texts[name] = reader.read(text)
  }
  return undefined
}

/** What it says of good data leaves it in its place: headers above all, of which Fastify would give a copy to each who asks. */
function validator (validate: ValidateFunction, part: string) {
  return (data: unknown): true | { error: Refusal } => {
    if (validate(data)) return true
    // Of a union, the last error is the union's own; those before it are its members'.
    return { error: refusalOf(validate.errors!.at(-1)!, part) }
  }
}

function refusalOf (error: ErrorObject, part: string): Refusal {
  const { keyword, params, parentSchema } = error
  const at = part + error.instancePath
  if (keyword === 'required') {
    const field = `${at}/${params.missingProperty}`
    return invalid(field, `${field} is missing`, parentSchema?.properties?.[params.missingProperty])
  }
  if (keyword === 'maxItems') return refuseWith('limitExceeded', { diagnostics: { field: at } }, `${at} has more than ${params.limit} items: send fewer`)
  if (keyword === 'x-max-bytes') return refuseWith('limitExceeded', { diagnostics: { field: at } }, `${at} has more than ${error.schema} bytes of UTF-8: send less`)
  if (keyword === 'enum') return invalid(at, `${at} must be one of ${params.allowedValues.join(', ')}`)
  if (keyword === 'anyOf') return invalid(at, `${at} must be ${parentSchema?.description}`)
  return invalid(at, `${at} ${error.message}`, parentSchema)
}

function invalid (field: string, what: string, schema?: AnySchemaObject): Refusal {
  const message = schema?.description === undefined ? what : `${what}. It is: ${schema.description}`
  return refuseWith('invalidAttribute', { diagnostics: { field } }, message)
}

/** As `invalid`, for what a schema cannot say. `field` as in `body/groupType`. */
export function refuseField (field: string, what: string): Refusal {
  return refuseWith('invalidAttribute', { diagnostics: { field } }, `${field} ${what}`)
}

/** Splits a comma-separated path segment or query value. Doubles are dropped; throws `limitExceeded` for too many. */
export function splitList (text: string, most: number): string[] {
  const items = [...new Set(text.split(','))]
  if (items.length > most) throw refuse('limitExceeded', `The list has ${items.length} items: send at most ${most} at a time`)
  return items
}
