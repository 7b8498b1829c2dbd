/** Which store runs: the one place that decides it. */
import type { Settings } from '../settings.ts'
import type { Store } from './contract/store.ts'
import { openPostgresStore } from './postgres/postgres-store.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'

export { StoreLocked } from './sqlite/database.ts'

export interface OpenOptions {
  /** How long to wait for a process that is just ending and has the directory, in milliseconds. */
  lockWaitMs?: number
  /** Told of what went wrong without being anybody's fault. */
  onError?: (err: Error) => void
}

/**
 * The store that the settings ask for. One behind a connection is waited for.
 * @throws StoreLocked where another process has the directory
 */
export async function openStore (settings: Pick<Settings, 'dataDir' | 'databaseUrl' | 'databaseAllowUnsafe' | 'retentionMs'>, options: OpenOptions = {}): Promise<Store> {
  const { dataDir, databaseUrl, databaseAllowUnsafe: allowUnsafe, retentionMs } = settings
  const { lockWaitMs, ...rest } = options
  if (databaseUrl !== undefined) return await openPostgresStore({ url: databaseUrl, allowUnsafe, retentionMs, ...rest })
  return await openSqliteStore({ dataDir, retentionMs, ...options })
}
