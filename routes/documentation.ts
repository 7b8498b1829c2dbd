/** The OpenAPI document, and a page to read and try it (protocol 9). Open to everyone. */
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyPluginAsync } from 'fastify'

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
interface Document { paths?: Record<string, Record<string, { parameters?: Parameter[] }>> }

/**
 * The document as the page is to have it. Its policy lets it call this service only: no other server is for choosing.
 * And what has an example is sent with it by whoever does not look, so what may be left out has none:
 * `before` together with `after` is refused, and a second call with the same Idempotency-Key is not carried out.
 */
function forPage (document: object): object {
  const copy = structuredClone(document) as Document
  for (const operation of Object.values(copy.paths ?? {}).flatMap(path => Object.values(path))) {
    for (const parameter of operation.parameters ?? []) if (parameter.required !== true) delete parameter.example
  }
  return { ...copy, servers: [{ url: '/', description: 'This service' }] }
}

export const documentation: FastifyPluginAsync = async (app) => {
  app.get('/openapi.json', { schema: { hide: true } }, async (request, reply) =>
    await reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())))

  app.get('/openapi.yaml', { schema: { hide: true } }, async (request, reply) =>
    await reply.type('application/yaml; charset=utf-8').send(app.swagger({ yaml: true })))

  await app.register(async page => {
    page.addHook('onRequest', async (request, reply) => {
      reply.headers({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    })
    await page.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: contentSecurityPolicy,
      transformSpecification: forPage,
      transformSpecificationClone: false,
      // What is typed under Authorize lives as long as the page. BaseLayout: without a bar for the addresses of other documents.
      uiConfig: { persistAuthorization: false, layout: 'BaseLayout', docExpansion: 'list', tryItOutEnabled: true, displayRequestDuration: true },
      theme: { title: 'channel-relay' }
    })
  })
}
