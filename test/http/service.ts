/** The whole app on a store of its own, called without a socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance, HTTPMethods, LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { buildApp } from '../../src/app.ts'
import { createAuthenticate, createIdentify } from '../../src/auth/authenticate.ts'
import type { Credentials } from '../../src/auth/credentials.ts'
import { createTokens } from '../../src/auth/tokens.ts'
import { createStreams } from '../../src/relay/streams.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { openTestStore } from '../support/stores.ts'

export const credentials: Credentials = {
  applicationId: 'application-1',
  accessKey: 'key',
  accessSecret: Buffer.alloc(32, 1).toString('base64'),
  tokenSecret: 't'.repeat(64)
}

export const applicationAuthorization = `Basic ${Buffer.from(`${credentials.accessKey}:${credentials.accessSecret}`).toString('base64')}`

export const GROUP_CHAT = 'io.mitter.ruleset.chats.GroupChat'

export interface CallOptions {
  /** A user's id, whose token is shown; the application calls by default; null: no credentials. */
  as?: string | null
  /** Sent as JSON; a string or bytes as they are. */
  body?: unknown
  headers?: Record<string, string>
}

export interface Service {
  applicationId: string
  app: FastifyInstance
  store: Store
  dataDir: string
  /** Lines of the log, parsed. */
  log: Array<Record<string, unknown>>
  call (request: string, options?: CallOptions): Promise<LightMyRequestResponse>
  stop (): Promise<void>
}

/** Starts the app; `users` are there already. A request is written as `POST /v1/channels`. `level`: of the log. */
export async function startService (users: string[] = [], corsOrigins: string[] = [], level = 'debug'): Promise<Service> {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-http-'))
  const store = await openTestStore({ dataDir })
  const log: Array<Record<string, unknown>> = []
  const logger = pino({ level }, { write: line => { log.push(JSON.parse(line)) } })
  const tokens = createTokens({ credentials, store, ttlSeconds: 3600 })
  const authenticate = createAuthenticate({ store })
  const streams = await createStreams({ store, logger, heartbeatMs: 15_000, queueBytes: 1_048_576 })
  const app = await buildApp({ applicationId: credentials.applicationId, store, authenticate, identify: createIdentify({ credentials, tokens }), tokens, streams, corsOrigins, logger })

  const authorizations = new Map<string, string>()
  const service: Service = {
    applicationId: credentials.applicationId,
    app,
    store,
    dataDir,
    log,
    async call (request, { as, body, headers = {} } = {}) {
      const [method, url] = request.split(' ') as [HTTPMethods, string]
      const authorization = as === undefined ? applicationAuthorization : authorizations.get(as ?? '')
      const raw = typeof body === 'string' || Buffer.isBuffer(body) || body === undefined
      return await app.inject({
        method: method as 'GET',
        url,
        headers: {
          ...(authorization === undefined ? {} : { authorization }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers
        },
        ...(body === undefined ? {} : { payload: raw ? body : JSON.stringify(body) })
      })
    },
    async stop () {
      await app.close()
      await store.close()
      rmSync(dataDir, { recursive: true })
    }
  }
  for (const userId of users) {
    await service.call('POST /v1/users', { body: { userId } })
    const { userToken } = (await service.call(`POST /v1/users/${encodeURIComponent(userId)}/tokens`)).json()
    authorizations.set(userId, `Bearer ${userToken.signedToken}`)
  }
  return service
}
