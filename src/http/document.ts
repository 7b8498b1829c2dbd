/** What the OpenAPI document says beside the routes. */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import { description, license, name, version } from '../package.ts'
import { overview, securitySchemes, tags } from './document-text.ts'
import { operationsOf, withNulls, withoutAliases, type Document } from './document-shape.ts'
import { impliedStatuses, refusalComponents, refusalReference, refuses } from './refusals.ts'

type Transform = NonNullable<FastifyDynamicSwaggerOptions['transform']>

/** Adds the statuses that follow from what a route takes. Routes without a schema are not in the document. */
const withImplied: Transform = ({ schema, url, route }) => {
  if (schema?.response === undefined) return { schema, url }
  const { params, headers } = schema
  const implied = refuses(...impliedStatuses({ method: route.method, params, headers }))
  return { url, schema: { ...schema, response: { ...schema.response, ...implied } } }
}

/** One component for each status in the place of a copy on every route. */
function nameRefusals (document: Document): Document {
  for (const operation of operationsOf(document)) {
    for (const status of Object.keys(operation.responses ?? {})) {
      const reference = refusalReference(status)
      if (reference !== undefined) operation.responses![status] = reference
    }
  }
  return document
}

export const documentOptions: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: name,
      version,
      summary: description,
      description: overview,
      license: { name: license, identifier: license }
    },
    servers: [
      { url: '/', description: 'The service that this document comes from' },
      { url: 'http://127.0.0.1:11902', description: 'A service on this machine, as npm start starts it' }
    ],
    tags,
    components: { securitySchemes, responses: refusalComponents() }
  },
  transform: withImplied,
  // A copy without shared parts, which YAML would write as anchors and aliases.
  transformObject: document => {
    const copy = JSON.parse(JSON.stringify('openapiObject' in document ? document.openapiObject : {})) as Document
    return withoutAliases(withNulls(nameRefusals(copy)))
  },
  refResolver: {
    // Components are named as in the code, not def-0, def-1.
    buildLocalReference: (json, _baseUri, _fragment, index) => typeof json.$id === 'string' ? json.$id.replace(/#$/, '') : `def-${index}`
  }
}
