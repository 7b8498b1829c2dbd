/** Which store runs: the one place that decides it. */
import type { Settings } from '../settings.ts'
import type { Store } from './contract/store.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'

export { StoreLocked } from './sqlite/database.ts'

export interface OpenOptions {
  /** How long to wait for a process that is just ending, in milliseconds. */
  lockWaitMs?: number
  /** Told of what went wrong without being anybody's fault. */
  onError?: (err: Error) => void
}

/**
 * The store that the settings ask for.
 * @throws StoreLocked where another process has its data
 */
export async function openStore ({ dataDir, retentionMs }: Pick<Settings, 'dataDir' | 'retentionMs'>, options: OpenOptions = {}): Promise<Store> {
  return await openSqliteStore({ dataDir, retentionMs, ...options })
}
