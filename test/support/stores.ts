/**
 * Which store tests run on, and how it behaves: the one place that reads these settings of a test run.
 * `STORE`: `sqlite`; `loading-beforehand`, which decides as one behind a connection does; or `postgres`, each data
 * directory a database of the run's own server (shared-postgres.ts). `READS`: `delayed` (delayed-reads.ts, with the
 * traffic of others beside it), or prompt where it is not set. `READS_SEED`: the delays.
 */
import { mkdir } from 'node:fs/promises'
import type { ClockSettings } from '../../src/store/clock.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { createStore } from '../../src/store/create-store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { stateOf } from '../store/consistency.ts'
import { LoadingBeforehand } from '../store/loading-beforehand.ts'
import { rowsOfPostgres } from '../store/postgres-state.ts'
import { delayReads } from './delayed-reads.ts'
import { sharedDatabase } from './shared-postgres.ts'

export interface TestStoreOptions {
  dataDir: string
  /** For how long an entry can be resumed from, in milliseconds. */
  retentionMs?: number
  /** Unless given, things go by their age at once. */
  clock?: ClockSettings
  onError?: (err: Error) => void
}

const WEEK_MS = 168 * 3_600_000

const openers: Record<string, (options: TestStoreOptions) => Promise<Store>> = {
  sqlite: openSqliteStore,
  'loading-beforehand': async ({ dataDir, retentionMs = WEEK_MS, clock = {}, onError = () => {} }) =>
    createStore(new LoadingBeforehand(dataDir), { retentionMs, clock, onError }),
  postgres: async ({ dataDir, retentionMs = WEEK_MS, ...options }) => {
    // The database is there as long as the directory is.
    await mkdir(dataDir, { recursive: true })
    return await openPostgresStore({ url: await sharedDatabase(dataDir), retentionMs, allowUnsafe: true, ...options })
  }
}

const { STORE = 'sqlite', READS = 'prompt', READS_SEED = '1' } = process.env

/** Things go by their age at once; it can be faked. */
export const promptClock: ClockSettings = { steadyMs: 0, monotonic: () => performance.now() }

export const readsAreDelayed = READS === 'delayed'

export const readsSeed = Number(READS_SEED)

export async function openTestStore (options: TestStoreOptions): Promise<Store> {
  const open = openers[STORE]
  if (open === undefined) throw new Error(`STORE is ${STORE}: it must be one of ${Object.keys(openers).join(', ')}`)
  const store = await open({ clock: promptClock, ...options })
  return readsAreDelayed ? delayReads(store, { seed: readsSeed }) : store
}

/** Whether it is in this process: where it is not, what takes many calls takes longer. */
export const storeIsNear = STORE !== 'postgres'

/** All that is stored, by table. */
export async function rowsOf (dataDir: string): Promise<Record<string, unknown[]>> {
  return STORE === 'postgres' ? await rowsOfPostgres(await sharedDatabase(dataDir)) : stateOf(dataDir).rows
}
