import { Ajv } from 'ajv'
import { expect, it } from 'vitest'
import { namedSchemas } from '../../schemas/named.ts'
import { PagingQuery } from '../../schemas/common.ts'
import { ParticipantsQuery } from '../../schemas/participation.ts'
import { StreamHeaders, StreamQuery } from '../../schemas/stream.ts'

interface Described {
  $id?: string
  $ref?: string
  description?: string
  examples?: unknown[]
  properties?: Record<string, Described>
}

const ajv = new Ajv({ strict: false, formats: { int64: true }, schemas: namedSchemas })
const schemas = namedSchemas as Described[]

it.each(schemas.map(schema => [schema.$id!, schema]))('%s is described, and its examples keep to it', (id, schema) => {
  expect(schema.description).toBeTruthy()
  expect(schema.examples).not.toHaveLength(0)
  for (const example of schema.examples!) {
    ajv.validate(id, example)
    expect(ajv.errors).toBeNull()
  }
})

const unnamed = Object.entries({ PagingQuery, ParticipantsQuery, StreamQuery, StreamHeaders }) as Array<[string, Described]>
it.each([...schemas.map((schema): [string, Described] => [schema.$id!, schema]), ...unnamed])('every field of %s is described, and its example keeps to it', (_, schema) => {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (field.$ref !== undefined) continue // described where it is defined
    expect(field.description, name).toBeTruthy()
    if ('allOf' in field) continue
    expect(field.examples, name).not.toHaveLength(0)
    for (const example of field.examples!) expect(ajv.validate(field, example), name).toBe(true)
  }
})
