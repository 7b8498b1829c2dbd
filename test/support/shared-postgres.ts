/**
 * One PostgreSQL server for a whole run of vitest, started when the first test asks for a database, and one database
 * for each data directory. The server belongs to vitest's main process, where `setup` runs: workers come and go.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { startPostgres, unsafeSettings, type PostgresServer } from './postgres.ts'

/** Where the main process is asked, for workers. */
const VARIABLE = 'SHARED_POSTGRES'

/**
 * The URL of the database that belongs to a data directory; made at the first call, the same at every other, from
 * whatever process of the run. It goes when the directory is gone, and with the run.
 */
export async function sharedDatabase (dataDir: string): Promise<string> {
  const asked = process.env[VARIABLE]
  if (asked === undefined) throw new Error('there is no shared PostgreSQL: only tests that vitest runs have it')
  const response = await fetch(asked, { method: 'POST', body: dataDir })
  const answer = await response.text()
  if (!response.ok) throw new Error(answer)
  return answer
}

/** Before the first test of a run; what it answers is done after the last one. */
export default async function setup (): Promise<() => Promise<void>> {
  let server: Promise<PostgresServer> | undefined
  const databases = new Map<string, Promise<string>>()
  const asked = createServer((request, response) => {
    text(request).then(database).then(url => response.end(url), (err: Error) => response.writeHead(500).end(String(err.stack)))
  }).listen(0, '127.0.0.1').unref()
  await once(asked, 'listening')
  process.env[VARIABLE] = `http://127.0.0.1:${(asked.address() as AddressInfo).port}`
  return async () => {
    asked.close()
    asked.closeAllConnections()
    await (await server)?.stop()
  }

  async function database (dataDir: string): Promise<string> {
    server ??= startPostgres({ settings: unsafeSettings })
    const running = await server
    let made = databases.get(dataDir)
    if (made === undefined) {
      made = make(running, nameOf(dataDir))
      databases.set(dataDir, made)
      await dropUnused(running)
    }
    return await made
  }

  async function make (running: PostgresServer, name: string): Promise<string> {
    // Copied as files, not through the log: half the time.
    await running.query(`create database ${name} template template0 strategy file_copy`)
    return running.url(name)
  }

  /** A run makes a thousand, of 8 MB each. */
  async function dropUnused (running: PostgresServer): Promise<void> {
    for (const dataDir of databases.keys()) {
      if (await access(dataDir).then(() => true, () => false)) continue
      // A store that is still open is an error of its test, which this is not to hide: then it stays.
      await running.query(`drop database if exists ${nameOf(dataDir)}`).then(() => databases.delete(dataDir), () => {})
    }
  }
}

const nameOf = (dataDir: string): string => `relay_${createHash('sha256').update(dataDir).digest('hex').slice(0, 20)}`
