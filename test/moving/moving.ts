/** Moves of embedded stores into databases of the run's PostgreSQL, and what is looked at there. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { move, type Moved, type OnProgress } from '../../src/store/moving/move.ts'
import { SCHEMA } from '../../src/store/postgres/session.ts'
import { runScript } from '../support/process.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'

/** A directory, and the database that a store in it is moved to. Both go with the directory. */
export interface Place {
  dataDir: string
  url: string
  remove (): void
}

export async function makePlace (): Promise<Place> {
  const parent = mkdtempSync(join(tmpdir(), 'channel-relay-moving-'))
  const dataDir = join(parent, 'data')
  mkdirSync(dataDir, { mode: 0o700 })
  return { dataDir, url: await sharedDatabase(parent), remove: () => rmSync(parent, { recursive: true }) }
}

/** Into a server that may forget, as the tests' is. */
export async function moveTo (url: string, dataDir: string, onProgress: OnProgress = () => {}): Promise<Moved> {
  return await move({ dataDir, url, allowUnsafe: true, onProgress })
}

/** Statements in the schema of the service, in a session of its own. */
export async function inDatabase <Row extends object = Record<string, any>> (url: string, statements: string): Promise<Row[]> {
  const sql = postgres(url, { max: 1, fetch_types: false, onnotice: () => {}, connection: { search_path: SCHEMA } })
  try {
    return [...await sql.unsafe<Row[]>(statements)]
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** `npm run migrate`, to its end. */
export const migrateTool = async (args: string[], env: Record<string, string> = {}) =>
  await runScript(['src/migrate.ts', ...args], { DATABASE_ALLOW_UNSAFE: 'true', ...env })
