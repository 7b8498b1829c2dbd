/** The whole service inside the test's own process, on a free port. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { buildApp } from '../../src/app.ts'
import { createAuthenticate, createIdentify } from '../../src/auth/authenticate.ts'
import { loadCredentials, type Credentials } from '../../src/auth/credentials.ts'
import { createTokens } from '../../src/auth/tokens.ts'
import type { UnreadBounds } from '../../src/http/unread.ts'
import { createStreams, type Streams } from '../../src/relay/streams.ts'
import { readSettings } from '../../src/settings.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { startForeignTraffic } from './foreign-traffic.ts'
import { loseHints } from './lost-hints.ts'
import { basicOf } from './process.ts'
import { openTestStore, readsAreDelayed, readsSeed, type TestStoreOptions } from './stores.ts'

/** Nobody is waited for whose connection is kept without a request. */
const CLOSE_WITHIN_MS = 60

export interface TestApp {
  url: string
  app: FastifyInstance
  store: Store
  streams: Streams
  credentials: Credentials
  /** Headers of the application. */
  application: Record<string, string>
  /** Headers of a user, who is made where it is not there. */
  user (userId: string): Promise<Record<string, string>>
  stop (): Promise<void>
}

export interface TestAppOptions {
  /** Stays where it is given; made, and removed at the end, where it is not. */
  dataDir?: string
  /** In the place of the store that tests run on. */
  openStore?: (options: TestStoreOptions) => Promise<Store>
  heartbeatMs?: number
  queueBytes?: number
  checkpointMs?: number
  stalledMs?: number
  corsOrigins?: string[]
  retentionMs?: number
  tokenTtlSeconds?: number
  unread?: UnreadBounds
  closeWithinMs?: number
  /** What the service is given in the place of its store; `TestApp.store` stays the store itself. */
  wrapStore?: (store: Store) => Store
  /** Nobody else writes, and the service learns of each commit at once, even where reads are delayed. */
  alone?: boolean
}

export async function startApp (options: TestAppOptions = {}): Promise<TestApp> {
  const {
    heartbeatMs = 15_000, queueBytes = 1024 * 1024, corsOrigins = [], retentionMs = 168 * 3_600_000, tokenTtlSeconds = 3_600,
    openStore = openTestStore, alone = !readsAreDelayed, wrapStore = store => store, unread = {}, closeWithinMs = CLOSE_WITHIN_MS, ...more
  } = options
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'channel-relay-app-'))
  const logger = pino({ level: 'silent' })
  const failures: Error[] = []
  const credentials = loadCredentials(readSettings({ DATA_DIR: dataDir }))
  const store = await openStore({ dataDir, retentionMs, onError: err => failures.push(err) })
  const served = wrapStore(alone ? store : loseHints(store, { seed: readsSeed }))
  const tokens = createTokens({ credentials, store: served, ttlSeconds: tokenTtlSeconds })
  const authenticate = createAuthenticate({ store: served })
  const streams = await createStreams({ store: served, logger, heartbeatMs, queueBytes, ...more })
  const app = await buildApp({ applicationId: credentials.applicationId, store: served, authenticate, identify: createIdentify({ credentials, tokens }), tokens, streams, corsOrigins, logger, unread, closeWithinMs })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const traffic = alone ? undefined : await startForeignTraffic(store)
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  return {
    url,
    app,
    store,
    streams,
    credentials,
    application: { authorization: basicOf(credentials) },
    async user (userId) {
      await store.append({ type: 'create-user', actor: '.system', userId, userLocators: [], systemUser: false }).catch(() => {})
      const { signedToken } = await tokens.issueUserToken({ kind: 'application' }, userId)
      return { authorization: `Bearer ${signedToken}` }
    },
    async stop () {
      await traffic?.stop()
      await app.close()
      await store.close()
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true })
      if (failures.length > 0) throw new AggregateError(failures, 'the store failed during the test')
    }
  }
}
