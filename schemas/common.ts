/** What several resources share: references, audit times, the error envelope, paging. */
import { Type, type Static, type TSchema, type TUnsafe } from 'typebox'

/** A named schema from within another one: a named component of the OpenAPI document, not a copy. */
export function ref<Schema extends TSchema> (schema: Schema, description?: string): TUnsafe<Static<Schema>> {
  const $ref = `${(schema as { $id?: string }).$id}#`
  // A description beside a $ref is lost on the way to the document; beside an allOf it is kept.
  return Type.Unsafe<Static<Schema>>(description === undefined ? { $ref } : { description, allOf: [{ $ref }] })
}

/** The latest time that a JavaScript Date can hold. */
const LATEST_TIME_MS = 8.64e15
const exampleTime = 1732240000000

/** A time on the wire: milliseconds since the epoch. */
export const Time = (description: string) =>
  Type.Integer({ format: 'int64', minimum: 0, maximum: LATEST_TIME_MS, description: `${description}, in milliseconds since the epoch`, examples: [exampleTime] })

/** Characters of an id at most, of whatever kind (protocol 1, rule 1). */
export const LONGEST_ID = 72

/** An id. How it has to look is for src/rules/identifiers.ts: that differs with what it is of. */
export const Id = (description: string, example: string) => Type.String({ maxLength: LONGEST_ID, description, examples: [example] })

export const Reference = Type.Object({
  identifier: Id('The id of the entity', '@amy')
}, { $id: 'Reference', description: 'Names an entity by its id', examples: [{ identifier: '@amy' }] })
export type Reference = Static<typeof Reference>

/** A further key is refused here, and only here: an entity sent in place of its reference is a mistake. */
export const ReferenceInput = Type.Union([
  Id('The id of the entity', '@amy'),
  Type.Object({
    identifier: Id('The id of the entity', '@amy')
  }, { additionalProperties: false })
], { $id: 'ReferenceInput', description: 'an id of at most 72 characters, as a string or as {"identifier": "<id>"} without further keys', examples: ['@amy', { identifier: '@amy' }] })
export type ReferenceInput = Static<typeof ReferenceInput>

export const AuditInfo = Type.Object({
  createdAt: Time('When it was created'),
  updatedAt: Time('When it was last changed')
}, { $id: 'AuditInfo', description: 'When an entity was created and last changed', examples: [{ createdAt: exampleTime, updatedAt: exampleTime }] })
export type AuditInfo = Static<typeof AuditInfo>

/** The same times under mitter's documented name and under that of its SDKs. */
export const audits = {
  audit: ref(AuditInfo, 'When it was created and last changed'),
  auditInfo: ref(AuditInfo, 'The same as audit, under the name that mitter\'s SDKs read')
}

export const ErrorEnvelope = Type.Object({
  error: Type.String({ description: 'The kind of error, in short', examples: ['Not Found'] }),
  message: Type.String({ description: 'What was wrong and what would be right', examples: ['There is no channel "football-fans"'] }),
  errorCode: Type.String({ description: 'What was wrong, for programs. Answers say it once more as error_code', examples: ['entity_not_found'] }),
  error_code: Type.String({ description: 'The same as errorCode', examples: ['entity_not_found'] }),
  reason: Type.Optional(Type.String({ description: 'Why a relay operation was refused', examples: ['not_found'] })),
  instanceId: Type.String({ description: 'The id of the request, which its log lines carry', examples: ['0a1b5d7e-58a1-4d3c-9a57-8f1c2f4f9a10'] }),
  diagnostics: Type.Optional(Type.Unsafe<Record<string, unknown>>({
    type: 'object', additionalProperties: true, description: 'Names what was at fault', examples: [{ field: 'body/groupType' }]
  })),
  timestamp: Time('When the error happened')
}, {
  $id: 'ErrorEnvelope',
  // Or clients that hold answers to the document would refuse the one with error_code (src/http/document-shape.ts).
  additionalProperties: true,
  description: 'What every error answers',
  examples: [{
    error: 'Not Found',
    message: 'There is no channel "football-fans"',
    errorCode: 'entity_not_found',
    error_code: 'entity_not_found',
    reason: 'not_found',
    instanceId: '0a1b5d7e-58a1-4d3c-9a57-8f1c2f4f9a10',
    timestamp: exampleTime
  }]
})
export type ErrorEnvelope = Static<typeof ErrorEnvelope>

/** Rows of a page: asked for by nobody, and at most. Bounded, so that no page holds the store up. */
export const DEFAULT_PAGE_ROWS = 45
export const LARGEST_PAGE_ROWS = 200
/** Rows that an offset may pass over: each of them costs a step in an index. */
export const LARGEST_OFFSET_ROWS = 10_000

/** Rows of a page of participants, or of a timeline: where nobody asks for fewer, and at most. */
export const LONGEST_FORWARD_PAGE = 1_000

export const PagingQuery = Type.Object({
  before: Type.Optional(Type.String({ description: 'Entities older than the one with this id, newest first', examples: ['3f0d8a52-0b4c-4f7e-8d53-2b7f0e6f6a11'] })),
  after: Type.Optional(Type.String({ description: 'Entities newer than the one with this id, oldest first', examples: ['3f0d8a52-0b4c-4f7e-8d53-2b7f0e6f6a11'] })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LARGEST_PAGE_ROWS, default: DEFAULT_PAGE_ROWS, description: 'Entities at most, 1 to 200', examples: [20] })),
  entityCountOffset: Type.Optional(Type.Integer({ minimum: 0, maximum: LARGEST_OFFSET_ROWS, default: 0, description: 'Entities to pass over, 0 to 10,000', examples: [0] }))
})
export type PagingQuery = Static<typeof PagingQuery>

/** Ids in a comma-separated path segment (protocol 1, rule 9). */
export const LARGEST_ID_LIST = 45

const unsupported = (what: string) => Type.Optional(Type.Unsafe<Record<string, unknown>>({
  type: 'object', additionalProperties: true, description: `${what}. Not supported yet: leave out, or send an object with nothing in it`, examples: [{}]
}))

/** Accepted so that clients which send them empty work; with content they are refused as not supported yet. */
export const unsupportedInput = { entityMetadata: unsupported('Metadata'), entityProfile: unsupported('Profile') }
