/** The client for browsers (clients/browser), made small. Open to everyone and to pages of every origin: it is public code. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import type { FastifyPluginAsync } from 'fastify'

const source = new URL('../clients/browser/client.js', import.meta.url)

/** How long a browser may go without asking whether there is another one, in seconds. */
const FRESH_SECONDS = 300

/** What is served, and the tag by which a browser asks whether it has that already. */
async function readClient (): Promise<{ code: string, tag: string }> {
  const thread = new Worker(new URL('../src/http/minify-thread.ts', import.meta.url), { workerData: await readFile(source, 'utf8') })
  const [code] = await once(thread, 'message') as [string]
  return { code, tag: `"${createHash('sha256').update(code).digest('base64url').slice(0, 22)}"` }
}

export const client: FastifyPluginAsync = async (app) => {
  /** Made when it is first asked for. */
  let made: ReturnType<typeof readClient> | undefined

  app.get('/client.js', { schema: { hide: true } }, async (request, reply) => {
    made ??= readClient().catch(err => {
      made = undefined
      throw err
    })
    const { code, tag } = await made
    reply.headers({
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': `public, max-age=${FRESH_SECONDS}`,
      etag: tag
    })
    // The tag may come back weakened, by a proxy that has compressed the file.
    const has = request.headers['if-none-match']
    if (has === '*' || has?.includes(tag) === true) return await reply.code(304).send()
    return await reply.type('text/javascript; charset=utf-8').send(code)
  })
}
