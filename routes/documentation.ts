/** The OpenAPI document (contract 9). Open to everyone. */
import type { FastifyPluginAsync } from 'fastify'
import { refuse } from '../src/errors.ts'

export const documentation: FastifyPluginAsync = async (app) => {
  app.get('/openapi.json', { schema: { hide: true } }, async (request, reply) =>
    await reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())))

  app.get('/openapi.yaml', { schema: { hide: true } }, async (request, reply) =>
    await reply.type('application/yaml; charset=utf-8').send(app.swagger({ yaml: true })))

  app.get('/docs', { schema: { hide: true } }, async () => {
    throw refuse('notImplemented', 'The page for reading the API (take /openapi.yaml)')
  })
}
