/** `null` for an optional field means absent (protocol 1, rule 3): mitter's SDKs send `appliedAcls: null`. */
import type { TSchema } from 'typebox'

interface JsonSchema {
  $ref?: string
  allOf?: JsonSchema[]
  anyOf?: JsonSchema[]
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
}

/**
 * Makes a function that takes nulls of optional declared fields out of a value, in place. Free JSON, which
 * its schema declares no fields of, keeps its nulls.
 */
export function nullStripper (named: TSchema[]): (schema: JsonSchema, value: unknown) => void {
  const byReference = new Map(named.map(schema => [`${(schema as { $id?: string }).$id}#`, schema as JsonSchema]))

  return function strip (schema, value) {
    if (typeof value !== 'object' || value === null) return
    if (schema.$ref !== undefined) strip(byReference.get(schema.$ref)!, value)
    // What is no object or list, a member of a union does not say anything about.
    for (const part of [...schema.allOf ?? [], ...schema.anyOf ?? []]) strip(part, value)
    if (Array.isArray(value)) {
      if (schema.items !== undefined) for (const item of value) strip(schema.items, item)
      return
    }
    const fields = value as Record<string, unknown>
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      if (fields[name] === null && !schema.required?.includes(name)) delete fields[name]
      else strip(field, fields[name])
    }
  }
}
