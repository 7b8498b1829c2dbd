/** A known path asked with a method that it does not have: 405, which Fastify by itself does not know (protocol 1, rule 10). */
import type { FastifyInstance, HTTPMethods } from 'fastify'
import { refuse } from '../errors.ts'
import { pathOf } from './envelope.ts'

/** Methods by path. */
export type KnownRoutes = Map<string, Set<string>>

/** Call before routes are registered; what it returns fills as they are. */
export function collectRoutes (app: FastifyInstance): KnownRoutes {
  const known: KnownRoutes = new Map()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = known.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    known.set(url, methods)
  })
  return known
}

/** Call after all routes are registered. OPTIONS is left to CORS where that is on. */
export function refuseOtherMethods (app: FastifyInstance, known: KnownRoutes): void {
  const preflight = app.hasRoute({ method: 'OPTIONS', url: '*' })
  for (const [url, methods] of [...known]) {
    if (url === '*') continue
    // Asked too: of a plugin's "/" (/docs and /docs/) Fastify tells its hook but one half.
    const has = (method: string) => methods.has(method) || app.hasRoute({ method: method as HTTPMethods, url })
    const allowed = app.supportedMethods.filter(has).sort().join(', ')
    const others = app.supportedMethods.filter(method => !has(method) && !(preflight && method === 'OPTIONS'))
    app.route({
      method: others,
      url,
      schema: { hide: true },
      // Before any body is read: what is wrong with that does not matter here.
      onRequest: async (request, reply) => {
        reply.header('allow', allowed)
        throw refuse('methodNotAllowed', request.method, pathOf(request.url), allowed)
      },
      handler: () => {}
    })
  }
}
