/** The mark of a store that was moved: nothing is to be added to it any more, here or in a copy of its file. */
import type { DatabaseSync } from 'node:sqlite'

export interface Seal {
  /** Where the store is now, without a password. */
  to: string
  /** Since when, in milliseconds since the epoch. */
  at: number
}

/** A schema that no version knows: those that know no seal refuse the file, too. */
const SEALED_SCHEMA = 2 ** 31 - 1

/** The store of a directory was moved. Its message is one sentence for the person who starts something on it. */
export class Sealed extends Error {
  constructor (dataDir: string, { to, at }: Seal) {
    super(`The store in DATA_DIR ${dataDir} was moved to ${to} at ${new Date(at).toISOString()} and is sealed: set DATABASE_URL to where it is now, and keep the directory as it is`)
    this.name = 'Sealed'
  }
}

/** Of an open database; undefined: it is in use, or new. */
export function sealOf (db: DatabaseSync): Seal | undefined {
  if (db.prepare('select 1 from sqlite_schema where name = \'meta\'').get() === undefined) return undefined
  const row = db.prepare('select value from meta where name = \'moved_to\'').get()
  return row === undefined ? undefined : JSON.parse(String(row.value)) as Seal
}

/** On disk when it returns. It is in the database itself: a copy of the file has it, too. */
export function seal (db: DatabaseSync, seal: Seal): void {
  db.exec('begin immediate')
  db.prepare('insert into meta (name, value) values (\'moved_to\', ?)').run(JSON.stringify(seal))
  db.exec(`pragma user_version = ${SEALED_SCHEMA}`)
  db.exec('commit')
  db.exec('pragma wal_checkpoint(truncate)') // else it is in the write-ahead log alone
}
