/** Every operation of the app's own OpenAPI document, and requests that would succeed but for one thing. */
import type { Service } from '../service.ts'

export interface JsonSchema {
  $ref?: string
  allOf?: JsonSchema[]
  anyOf?: JsonSchema[]
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  examples?: unknown[]
}

export interface Operation {
  method: string
  /** With its parameters in braces. */
  path: string
  operationId: string
  /** Whether it asks who is calling. */
  guarded: boolean
  /** Whether it answers an event stream, which does not end. */
  stream: boolean
  query: Array<{ name: string, type: string, required: boolean, example: string }>
  takesKey: boolean
  /** Statuses that the document names. */
  statuses: string[]
  /** Undefined: it takes no body. */
  body?: JsonSchema
}

interface Documented {
  operationId: string
  security?: unknown[]
  parameters?: Array<{ in: string, name: string, required?: boolean, schema: { type: string, examples?: unknown[] } }>
  requestBody?: { content: Record<string, { schema: JsonSchema }> }
  responses: Record<string, { content?: Record<string, unknown> }>
}

export interface Api {
  operations: Operation[]
  /** What a reference refers to, of an `allOf` of one its part, and of what may be null the rest. */
  resolve (schema: JsonSchema): JsonSchema & { type?: string }
  /** A value that a schema allows: every field that it declares, filled from the examples. */
  sample (schema: JsonSchema): unknown
}

/** Fields that are refused with content, as not supported yet. */
const UNSUPPORTED = ['appliedAcls', 'entityMetadata', 'entityProfile']

export async function readApi (service: Service): Promise<Api> {
  const { paths, components } = (await service.call('GET /openapi.json', { as: null })).json() as {
    paths: Record<string, Record<string, Documented>>, components: { schemas: Record<string, JsonSchema> }
  }
  const operations = Object.entries(paths).flatMap(([path, item]) => Object.entries(item).map(([method, documented]): Operation => {
    const { operationId, security = [], parameters = [], requestBody, responses } = documented
    const body = requestBody?.content['application/json']?.schema
    return {
      method: method.toUpperCase(),
      path,
      operationId,
      guarded: security.length > 0,
      stream: responses[200]?.content?.['text/event-stream'] !== undefined,
      query: parameters.filter(parameter => parameter.in === 'query').map(({ name, required = false, schema }) => ({ name, type: schema.type, required, example: String(schema.examples?.[0]) })),
      takesKey: parameters.some(({ name }) => name === 'idempotency-key'),
      statuses: Object.keys(responses),
      ...(body === undefined ? {} : { body })
    }
  }))

  function resolve ({ type: types, ...schema }: JsonSchema): JsonSchema & { type?: string } {
    if (schema.$ref !== undefined) return resolve(components.schemas[schema.$ref.slice('#/components/schemas/'.length)]!)
    const parts = schema.allOf ?? schema.anyOf?.filter(({ type }) => type !== 'null') ?? []
    if (parts.length === 1) return resolve(parts[0]!)
    const [type] = [types ?? []].flat()
    return { ...schema, ...(type === undefined ? {} : { type }), ...(schema.enum === undefined ? {} : { enum: schema.enum.filter(value => value !== null) }) }
  }

  function sample (given: JsonSchema): unknown {
    const schema = resolve(given)
    if (schema.anyOf !== undefined) return sample(schema.anyOf[0]!)
    if (schema.items !== undefined) return [sample(schema.items)]
    // Its fields exclude each other.
    if (schema.properties?.patchType !== undefined) return { patchType: 'Diff' }
    if (schema.properties === undefined) return schema.examples?.[0] ?? schema.enum?.[0]
    const fields = Object.entries(schema.properties).filter(([name]) => !UNSUPPORTED.includes(name))
    return Object.fromEntries(fields.map(([name, field]) => [name, sample(field)]))
  }
  return { operations, resolve, sample }
}

/** An operation's path with its parameters filled in, and what its query must have; `values` are there as they are to be on the wire. */
export function pathOf ({ path, query }: Operation, values: Record<string, string>): string {
  const needed = query.filter(({ required }) => required).map(({ name, example }) => `${name}=${example}`).join('&')
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    if (values[name] === undefined) throw new Error(`no value for {${name}} of ${path}`)
    return values[name]
  }) + (needed === '' ? '' : `?${needed}`)
}

/** Names of the parameters in an operation's path. */
export const pathParameters = ({ path }: Operation): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
