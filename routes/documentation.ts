/** The OpenAPI document, and a page to read and try it (protocol 9). Open to everyone. */
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'
import { operationsOf } from '../src/http/document-shape.ts'

/**
 * The page gets what it needs from this service alone and calls nothing else, so that whatever got into it
 * could take the credentials typed there nowhere. The hash is that of the one style in Swagger UI's markup,
 * which hides its drawings of icons.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-hashes' 'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join('; ')

interface Parameter { required?: boolean, example?: unknown }
interface Operation { parameters?: Parameter[], security?: object[], tags?: string[], description?: string }
interface Document { paths?: Record<string, Record<string, Operation>>, components?: { securitySchemes?: Record<string, object> } }

const STREAM_NOTE = 'Not for trying here: a stream does not end, and this page shows an answer when it has ended. Copy the URL into `curl -N`, with the header `Authorization`.'

/**
 * The document as the page is to have it. Its policy lets it call this service only: no other server is for choosing.
 * And what has an example is sent with it by whoever does not look, so what may be left out has none:
 * `before` together with `after` is refused, and a second call with the same Idempotency-Key is not carried out.
 * Nor has it what the page cannot do: sign calls, show a stream.
 */
function forPage (document: object): object {
  const copy = structuredClone(document) as Document
  delete copy.components?.securitySchemes?.signature
  for (const operation of operationsOf(copy)) {
    if (operation.security !== undefined) operation.security = operation.security.filter(scheme => !('signature' in scheme))
    if (operation.tags?.includes('events') === true) operation.description = STREAM_NOTE
    for (const parameter of operation.parameters ?? []) if (parameter.required !== true) delete parameter.example
  }
  return { ...copy, servers: [{ url: '/', description: 'This service' }] }
}

/** For Swagger UI: no button to try a stream, for whose end the page would wait. Runs in the browser, which gets it as it is written here. */
const streamsAreNotTried = () => ({
  statePlugins: { spec: { wrapSelectors: { allowTryItOutFor: () => (state: unknown, path: string) => !path.endsWith('/events') } } }
})

/** A text that is made when it is first asked for, and kept: whoever asks shows no credentials. */
function kept (make: () => string): () => Buffer {
  let bytes: Buffer | undefined
  return () => {
    bytes ??= Buffer.from(make())
    return bytes
  }
}

const JSON_TYPE = 'application/json; charset=utf-8'
const YAML_TYPE = 'application/yaml; charset=utf-8'

export const documentation: FastifyPluginAsync = async (app) => {
  const json = kept(() => JSON.stringify(app.swagger()))
  const yaml = kept(() => app.swagger({ yaml: true }))
  const jsonForPage = kept(() => JSON.stringify(forPage(app.swagger())))

  app.get('/openapi.json', { schema: { hide: true } }, async (request, reply) => await reply.type(JSON_TYPE).send(json()))
  app.get('/openapi.yaml', { schema: { hide: true } }, async (request, reply) => await reply.type(YAML_TYPE).send(yaml()))

  await app.register(async page => {
    page.addHook('onRequest', async (request, reply) => {
      reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
      // In the place of the page's own routes, which would make the document anew for each call.
      if (request.routeOptions.url === '/docs/json') return await reply.type(JSON_TYPE).send(jsonForPage())
      if (request.routeOptions.url === '/docs/yaml') return await reply.type(YAML_TYPE).send(yaml())
    })
    await page.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: contentSecurityPolicy,
      // What is typed under Authorize lives as long as the page. BaseLayout: without a bar for the addresses of other documents.
      uiConfig: { persistAuthorization: false, layout: 'BaseLayout', docExpansion: 'list', tryItOutEnabled: true, displayRequestDuration: true, plugins: [streamsAreNotTried] },
      theme: { title: 'channel-relay' }
    })
  })
}
