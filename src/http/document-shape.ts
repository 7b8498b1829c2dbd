/** Where the OpenAPI document is to say more, or less, than the schemas that requests are checked against. */

interface Schema {
  $ref?: string
  type?: string | string[]
  enum?: unknown[]
  allOf?: Schema[]
  anyOf?: Schema[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
}

interface Operation {
  requestBody?: { content: Record<string, { schema?: Schema }> }
  responses?: Record<string, unknown>
}

export interface Document {
  paths?: Record<string, Record<string, Operation>>
  components?: { schemas?: Record<string, Schema> }
}

export function operationsOf<Of> ({ paths = {} }: { paths?: Record<string, Record<string, Of>> }): Of[] {
  return Object.values(paths).flatMap(path => Object.values(path))
}

/** Says of the optional fields of bodies that they may be null, which means absent (nulls.ts has the nulls taken out). In place. */
export function withNulls (document: Document): Document {
  const seen = new Set<Schema>()

  function visit (schema: Schema): void {
    if (seen.has(schema)) return
    seen.add(schema)
    if (schema.$ref !== undefined) visit(document.components!.schemas![schema.$ref.split('/').at(-1)!]!)
    for (const part of [...schema.allOf ?? [], ...schema.anyOf ?? [], ...schema.items === undefined ? [] : [schema.items]]) visit(part)
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      visit(field)
      if (schema.required?.includes(name) !== true) schema.properties![name] = nullable(field)
    }
  }

  for (const { requestBody } of operationsOf(document)) {
    for (const { schema } of Object.values(requestBody?.content ?? {})) if (schema !== undefined) visit(schema)
  }
  return document
}

function nullable (schema: Schema): Schema {
  const { $ref, allOf, anyOf, ...rest } = schema
  if (typeof schema.type === 'string') return { ...schema, type: [schema.type, 'null'], ...(schema.enum === undefined ? {} : { enum: [...schema.enum, null] }) }
  const members = anyOf ?? allOf ?? ($ref === undefined ? undefined : [{ $ref }])
  // What has no type, nor names one, may be null already.
  return members === undefined ? schema : { ...rest, anyOf: [...members, { type: 'null' }] }
}

/**
 * Names beside others that mean the same. From two names that differ in their hyphens and capitals alone, generators of
 * clients make one, and code that does not compile: the document has the one, whose description tells of the others.
 */
const ALIASES = ['error_code', 'lastEventId', 'last_event_id']

/** A copy without aliases: fields, with what requires them and their examples, and parameters. */
export function withoutAliases<Part> (part: Part): Part {
  if (Array.isArray(part)) return part.filter(item => !ALIASES.includes(item?.name ?? item)).map(withoutAliases) as Part
  if (typeof part !== 'object' || part === null) return part
  const kept = Object.entries(part).filter(([name]) => !ALIASES.includes(name))
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutAliases(value)])) as Part
}
