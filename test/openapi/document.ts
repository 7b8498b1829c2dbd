/** The OpenAPI document as a test sees it: what it declares, and whether something keeps to it. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

export interface Described {
  description?: string
  schema?: object
  example?: unknown
  examples?: unknown
  content?: Record<string, Described>
  headers?: Record<string, Described>
  [key: string]: unknown
}

export interface Operation extends Described {
  operationId: string
  summary: string
  tags: string[]
  security?: object[]
  parameters?: Array<Described & { name: string, in: string, required?: boolean }>
  responses: Record<string, Described & { $ref?: string }>
}

export interface Document extends Described {
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, Described>>
}

/** All operations, as `['GET /v1/users', operation]`. */
export function operationsOf (document: Document): Array<[name: string, Operation]> {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]))
}

/** The response itself where another stands for it. */
export function responseOf (document: Document, operation: Operation, status: string): Described | undefined {
  const response = operation.responses[status]
  return response?.$ref === undefined ? response : document.components.responses![response.$ref.split('/').at(-1)!]
}

/**
 * Compiles schemas of the document. `closed`: objects may hold nothing that their schemas do not name, which an
 * answer keeps to although the document leaves room for more.
 */
export function compilerOf (document: Document, closed = false): (schema: object) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true, formats: { int64: true } })
  const components = closed ? close(document.components) : document.components
  ajv.addSchema({ $id: 'document', components } as object)
  const compiled = new Map<object, ValidateFunction>()
  return schema => {
    const known = compiled.get(schema)
    if (known !== undefined) return known
    const validate = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/')))
    compiled.set(schema, validate)
    return validate
  }
}

function close<Value> (value: Value): Value {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(close) as Value
  const copy = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, close(part)]))
  return ('properties' in copy && copy.type === 'object' ? { additionalProperties: false, ...copy } : copy) as Value
}
