/** Whether the process lives, and whether it can answer (protocol 9). Open to everyone, and says nothing more. */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '../schemas/common.ts'
import { Health } from '../schemas/health.ts'
import { answer, refuses } from '../src/http/answers.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['meta']

export const health: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  app.get('/health/live', {
    logLevel: 'warn',
    schema: {
      operationId: 'isLive',
      tags,
      summary: 'Whether the process lives',
      security: [],
      response: { 200: answer(ref(Health), 'It does'), ...refuses(400, 500) }
    }
  }, async () => ({ status: 'ok' as const }))

  const isReady = async () => {
    await store.check()
    return { status: 'ok' as const }
  }
  app.get('/health/ready', {
    logLevel: 'warn',
    schema: {
      operationId: 'isReady',
      tags,
      summary: 'Whether the store answers',
      security: [],
      response: { 200: answer(ref(Health), 'It does'), ...refuses(400, 500, 503) }
    }
  }, isReady)
  // For whoever guesses.
  app.get('/health', { logLevel: 'warn', schema: { hide: true } }, isReady)
}
