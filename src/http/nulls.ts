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

type Fields = Record<string, unknown>
type Strip = (value: unknown) => void

/** What there is to do with a value of a schema. */
interface Plan {
  parts: Plan[]
  fields: Array<{ name: string, optional: boolean, plan: Plan }>
  items?: Plan
}

/**
 * Makes functions, one for a schema, that take nulls of optional declared fields out of a value, in place. Free JSON, which
 * its schema declares no fields of, keeps its nulls.
 */
export function nullStripper (named: TSchema[]): (schema: JsonSchema) => Strip {
  const byReference = new Map(named.map(schema => [`${(schema as { $id?: string }).$id}#`, schema as JsonSchema]))
  // A schema may contain itself: its plan is there before what it consists of.
  const plans = new Map<JsonSchema, Plan>()

  function planOf (schema: JsonSchema): Plan {
    const known = plans.get(schema)
    if (known !== undefined) return known
    const plan: Plan = { parts: [], fields: [] }
    plans.set(schema, plan)
    if (schema.$ref !== undefined) plan.parts.push(planOf(byReference.get(schema.$ref)!))
    // What is no object or list, a member of a union does not say anything about.
    plan.parts.push(...[...schema.allOf ?? [], ...schema.anyOf ?? []].map(planOf))
    if (schema.items !== undefined) plan.items = planOf(schema.items)
    plan.fields = Object.entries(schema.properties ?? {}).map(([name, field]) => (
      { name, optional: schema.required?.includes(name) !== true, plan: planOf(field) }
    ))
    return plan
  }

  return schema => {
    const plan = planOf(schema)
    return value => strip(plan, value)
  }
}

function strip ({ parts, fields, items }: Plan, value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const part of parts) strip(part, value)
  if (Array.isArray(value)) {
    if (items !== undefined) for (const item of value) strip(items, item)
    return
  }
  for (const { name, optional, plan } of fields) {
    const field = (value as Fields)[name]
    if (field === null && optional) delete (value as Fields)[name]
    else if (field !== undefined) strip(plan, field)
  }
}
