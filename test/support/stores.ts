/**
 * Which store tests run on, and how it behaves: the one place that reads these settings of a test run.
 * `STORE`: `sqlite`, or `loading-beforehand`, which decides as one behind a connection does. `READS`: `delayed` (delayed-reads.ts, with the traffic of others beside it), or prompt where it
 * is not set. `READS_SEED`: the delays.
 */
import type { Store } from '../../src/store/contract/store.ts'
import { createStore } from '../../src/store/create-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { LoadingBeforehand } from '../store/loading-beforehand.ts'
import { delayReads } from './delayed-reads.ts'

export interface TestStoreOptions {
  dataDir: string
  /** For how long an entry can be resumed from, in milliseconds. */
  retentionMs?: number
  onError?: (err: Error) => void
}

const WEEK_MS = 168 * 3_600_000

const openers: Record<string, (options: TestStoreOptions) => Promise<Store>> = {
  sqlite: openSqliteStore,
  'loading-beforehand': async ({ dataDir, retentionMs = WEEK_MS, onError = () => {} }) =>
    createStore(new LoadingBeforehand(dataDir), { retentionMs, onError })
}

const { STORE = 'sqlite', READS = 'prompt', READS_SEED = '1' } = process.env

export const readsAreDelayed = READS === 'delayed'

export const readsSeed = Number(READS_SEED)

export async function openTestStore (options: TestStoreOptions): Promise<Store> {
  const open = openers[STORE]
  if (open === undefined) throw new Error(`STORE is ${STORE}: it must be one of ${Object.keys(openers).join(', ')}`)
  const store = await open(options)
  return readsAreDelayed ? delayReads(store, { seed: readsSeed }) : store
}
