/** Opening the embedded database: the lock of its directory, its settings, its schema. */
import { randomInt } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Another process has the directory. Its message is one sentence for the person who starts the second. */
export class StoreLocked extends Error {
  constructor (dataDir: string) {
    super(`DATA_DIR ${dataDir} is in use by another channel-relay process: stop that one, or choose another DATA_DIR`)
    this.name = 'StoreLocked'
  }
}

const migrationsDir = join(import.meta.dirname, 'migrations')

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const BUSY = 5
const IO_ERROR = 10
const FULL = 13
const CANNOT_OPEN = 14

/**
 * Takes the directory for this process, for as long as it lives: an exclusive transaction on a file of
 * its own, whose lock the operating system lets go of however the process ends. Not `locking_mode` on
 * the database, which would lock out our own readers.
 * @param waitMs how long to wait for a process that is just ending
 * @throws StoreLocked
 */
export function lockDirectory (dataDir: string, waitMs: number): DatabaseSync {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const lock = new DatabaseSync(join(dataDir, 'lock'), { timeout: waitMs })
  try {
    lock.exec('pragma journal_mode = memory; begin exclusive')
  } catch (err) {
    lock.close()
    if (resultCode(err) === BUSY) throw new StoreLocked(dataDir)
    throw err
  }
  return lock
}

/** The connection that writes. Every commit is on disk when it returns (`synchronous=full`). */
export function openWriter (dataDir: string): DatabaseSync {
  const db = new DatabaseSync(join(dataDir, 'channel-relay.db'), { timeout: 5_000 })
  db.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma secure_delete = on;
    pragma journal_size_limit = 67108864;
    pragma cache_size = -65536;
  `)
  migrate(db)
  // What was deleted before a crash is in no file any more.
  db.exec('pragma wal_checkpoint(truncate)')
  ensureEpoch(db)
  return db
}

/** A new database is a history of its own. */
function ensureEpoch (db: DatabaseSync): void {
  if (db.prepare('select 1 from meta where name = \'epoch\'').get() !== undefined) return
  const epoch = Array.from({ length: 12 }, () => randomInt(36).toString(36)).join('')
  const put = db.prepare('insert into meta (name, value) values (?, ?)')
  db.exec('begin immediate')
  put.run('floor_position', '0')
  put.run('floor_tag', String(randomInt(2 ** 31)))
  put.run('removed_position', '0')
  put.run('epoch', epoch)
  db.exec('commit')
}

/** A connection that reads, at the same time as the writer writes. */
export function openReader (dataDir: string): DatabaseSync {
  const db = new DatabaseSync(join(dataDir, 'channel-relay.db'), { readOnly: true, timeout: 5_000 })
  db.exec('pragma cache_size = -32768; pragma mmap_size = 268435456')
  return db
}

/** Runs the migrations that the database has not seen, in order, each in a transaction of its own. */
function migrate (db: DatabaseSync): void {
  const files = readdirSync(migrationsDir).filter(name => name.endsWith('.sql')).sort()
  const done = Number(db.prepare('pragma user_version').get()?.user_version)
  if (done > files.length) {
    throw new Error(`The database in DATA_DIR was written by a newer channel-relay (schema ${done}, this one knows ${files.length}): run that one`)
  }
  for (const [index, file] of files.entries()) {
    if (index < done) continue
    db.exec('begin immediate')
    db.exec(readFileSync(join(migrationsDir, file), 'utf8'))
    db.exec(`pragma user_version = ${index + 1}`)
    db.exec('commit')
  }
}

/** SQLite's primary result code of an error, or undefined where it is not SQLite's. */
export function resultCode (err: unknown): number | undefined {
  const code = (err as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** Whether the disk is full or away: nothing that a command could be blamed for. */
export function isUnavailable (err: unknown): boolean {
  const code = resultCode(err)
  return code === FULL || code === IO_ERROR || code === BUSY || code === CANNOT_OPEN
}
