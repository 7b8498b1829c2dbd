/** The client for browsers (clients/browser), made small. Open to everyone and to pages of every origin: it is public code. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { FastifyPluginAsync } from 'fastify'
import { minify } from 'terser'

const source = new URL('../clients/browser/client.js', import.meta.url)

/** How long a browser may go without asking whether there is another one, in seconds. */
const FRESH_SECONDS = 300

/** What is served, and the tag by which a browser asks whether it has that already. */
async function readClient (): Promise<{ code: string, tag: string }> {
  const { code } = await minify(await readFile(source, 'utf8'), { module: true, format: { preamble: '/* channel-relay-client, MIT */' } })
  return { code: code!, tag: `"${createHash('sha256').update(code!).digest('base64url').slice(0, 22)}"` }
}

export const client: FastifyPluginAsync = async (app) => {
  let made: ReturnType<typeof readClient> | undefined

  app.get('/client.js', { schema: { hide: true } }, async (request, reply) => {
    const { code, tag } = await (made ??= readClient())
    reply.headers({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': `public, max-age=${FRESH_SECONDS}`,
      etag: tag
    })
    // The tag may come back weakened, by a proxy that has compressed the file.
    if (request.headers['if-none-match']?.includes(tag) === true) return await reply.code(304).send()
    return await reply.type('text/javascript; charset=utf-8').send(code)
  })
}
