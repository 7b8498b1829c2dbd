/** Opening the embedded database: the lock of its directory, its settings, its schema. */
import { randomInt } from 'node:crypto'
import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { keepToOwner, makeDataDirectory } from '../../data-directory.ts'
import { fillLookups } from './replies.ts'
import { Sealed, sealOf } from './seal.ts'

/** Another process has the directory. Its message is one sentence for the person who starts the second. */
export class StoreLocked extends Error {
  constructor (dataDir: string) {
    super(`DATA_DIR ${dataDir} is in use by another channel-relay process: stop that one, or choose another DATA_DIR`)
    this.name = 'StoreLocked'
  }
}

const migrationsDir = join(import.meta.dirname, 'migrations')

/** How long a connection waits for another one's lock, and how long to empty the write-ahead log, in milliseconds. */
const BUSY_WAIT_MS = 5_000
const EMPTY_WAIT_MS = 100

/**
 * Pages of the write-ahead log that have not been moved into the database file, at most, give or take a batch: 16 MiB. A page
 * that many batches have changed in the meantime is moved once.
 */
const UNMOVED_PAGES = 4_000

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const BUSY = 5
const READ_ONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

/**
 * Takes the directory for this process, for as long as it lives: an exclusive transaction on a file of
 * its own, whose lock the operating system lets go of however the process ends. Not `locking_mode` on
 * the database, which would lock out our own readers.
 * @param waitMs how long to wait for a process that is just ending
 * @throws StoreLocked
 */
export function lockDirectory (dataDir: string, waitMs: number): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    makeDataDirectory(dataDir)
    lock = new DatabaseSync(join(dataDir, 'lock'), { timeout: waitMs })
    lock.exec('pragma journal_mode = memory; begin exclusive')
  } catch (err) {
    lock?.close()
    if (resultCode(err) === BUSY) throw new StoreLocked(dataDir)
    throw new Error(`DATA_DIR ${dataDir} cannot be used (${(err as Error).message}): its file lock must be readable, writable and unharmed`, { cause: err })
  }
  return lock
}

export const databaseFile = (dataDir: string): string => join(dataDir, 'channel-relay.db')

/**
 * The connection that writes. Every commit is on disk when it returns (`synchronous=full`).
 * @throws Sealed where the store was moved
 */
export function openWriter (dataDir: string): DatabaseSync {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(databaseFile(dataDir), { timeout: BUSY_WAIT_MS })
    const sealed = sealOf(db)
    if (sealed !== undefined) throw new Sealed(dataDir, sealed)
    prepare(db)
    for (const suffix of ['', '-wal', '-shm']) keepToOwner(databaseFile(dataDir) + suffix)
    return db
  } catch (err) {
    db?.close()
    if (resultCode(err) === undefined) throw err
    throw new Error(`The database ${databaseFile(dataDir)} cannot be used (${(err as Error).message}): see that it may be written, or restore it from a backup`, { cause: err })
  }
}

function prepare (db: DatabaseSync): void {
  db.exec(`
    pragma journal_mode = wal;
    pragma synchronous = full;
    pragma secure_delete = on;
    pragma journal_size_limit = 67108864;
    pragma cache_size = -65536;
  `)
  migrate(db)
  fillLookups(db)
  emptyLog(db) // what was deleted before a crash is in no file any more
  ensureEpoch(db)
  probe(db) // and not by the first message
}

/** Throws where the database cannot be written to. */
export function probe (db: DatabaseSync): void {
  db.exec('update meta set value = value where name = \'epoch\'')
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
  const db = new DatabaseSync(databaseFile(dataDir), { readOnly: true, timeout: BUSY_WAIT_MS })
  // Not mapped into memory: a file that is cut short would end the process with SIGBUS.
  db.exec('pragma cache_size = -32768')
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

/** What was committed may be in a file that nobody finds again. */
export class Misplaced extends Error {
  constructor (dataDir: string) {
    super(`The database in DATA_DIR ${dataDir} was moved or removed, or cut short: put it back, or stop the service`)
    this.name = 'Misplaced'
  }
}

/**
 * Whether the files that a connection has open are still those under their names: what is written to one that was moved
 * or removed is gone with it. Where that cannot be seen, they are not.
 */
export function inPlace (dataDir: string): () => boolean {
  const look = (name: string): Stats | undefined => {
    try {
      return statSync(name, { throwIfNoEntry: false })
    } catch {
      return undefined
    }
  }
  const isSame = (one: Stats | undefined, other: Stats | undefined) => one?.ino === other?.ino && one?.dev === other?.dev
  const [file, log] = [databaseFile(dataDir), `${databaseFile(dataDir)}-wal`]
  const [opened, openedLog] = [look(file), look(log)]
  /** It only grows; the write-ahead log does not. */
  let size = opened?.size ?? 0
  return () => {
    const now = look(file)
    if (now === undefined || !isSame(now, opened) || now.size < size) return false
    size = now.size
    return isSame(look(log), openedLog)
  }
}

/**
 * Moves what was written into the database file, once that is enough: for whoever writes, when the callers have their answers.
 * Where it fails nothing is lost, and it is tried again behind the next batch.
 */
export function movesLog (db: DatabaseSync): () => void {
  db.exec('pragma wal_autocheckpoint = 0')
  const look = db.prepare('pragma wal_checkpoint(noop)')
  const move = db.prepare('pragma wal_checkpoint(passive)')
  return () => {
    try {
      const { log, checkpointed } = look.get() as { log: number, checkpointed: number }
      if (log - checkpointed >= UNMOVED_PAGES) move.get()
    } catch {}
  }
}

/**
 * Moves what was written into the database file and empties the write-ahead log, in which deleted text is until then.
 * @returns false where somebody who reads was in the way: whoever writes does not wait for that
 */
export function emptyLog (db: DatabaseSync): boolean {
  db.exec(`pragma busy_timeout = ${EMPTY_WAIT_MS}`)
  try {
    return db.prepare('pragma wal_checkpoint(truncate)').get()?.busy === 0
  } finally {
    db.exec(`pragma busy_timeout = ${BUSY_WAIT_MS}`)
  }
}

/** Whether what a connection finds in the file is none of what was written there. */
export function isHarmed (err: unknown): boolean {
  return [CORRUPT, NOT_A_DATABASE].includes(resultCode(err) ?? -1)
}

/** SQLite's primary result code of an error, or undefined where it is not SQLite's. */
export function resultCode (err: unknown): number | undefined {
  const code = (err as { errcode?: unknown } | null)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** Whether the disk is full, harmed or away: nothing that a command could be blamed for. */
export function isUnavailable (err: unknown): boolean {
  const code = resultCode(err)
  return code !== undefined && [BUSY, READ_ONLY, IO_ERROR, CORRUPT, FULL, CANNOT_OPEN, NOT_A_DATABASE].includes(code)
}
