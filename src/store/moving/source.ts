/** The embedded store that is moved: taken as a process takes it, and brought to the newest schema. */
import { existsSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { escaped } from '../postgres/parameters.ts'
import { screenNameOf } from '../postgres/write.ts'
import { databaseFile, lockDirectory, openReader, openWriter, StoreLocked } from '../sqlite/database.ts'
import { seal, Sealed } from '../sqlite/seal.ts'
import type { Row, Table } from './rows.ts'

/** How long to wait for a service that is just ending, in milliseconds. */
const LOCK_WAIT_MS = 3_000

/** A row of the embedded store, by its columns. */
type Found = Record<string, Row[number]>

/** What PostgreSQL keeps in another form, or beside, by table and column. */
const forms: Record<string, Record<string, (row: Found) => Row[number]>> = {
  users: { screen_name: ({ profile }) => screenNameOf(String(profile)) },
  entries: { timeline_type: ({ timeline_type: type }) => typeof type === 'string' ? escaped(type) : null }
}

export class Source {
  /** All of them, but for `meta`'s rows of the file itself. */
  readonly tables: Table[]
  readonly epoch: string
  readonly #db: DatabaseSync
  readonly #lock: DatabaseSync

  private constructor (db: DatabaseSync, lock: DatabaseSync) {
    this.#db = db
    this.#lock = lock
    this.tables = tablesOf(db)
    this.epoch = String(db.prepare('select value from meta where name = \'epoch\'').get()!.value)
  }

  /**
   * The store in a directory, which is its until it is closed.
   * Throws, in one sentence, where there is none, or another process has it.
   * @returns with why it cannot be moved, where it was before
   */
  static open (dataDir: string): { source: Source, sealed?: Sealed } {
    if (!existsSync(databaseFile(dataDir))) throw new Error(`There is no store in ${dataDir}: --from must be the DATA_DIR of a service`)
    const lock = take(dataDir)
    try {
      return { source: new Source(openWriter(dataDir), lock) }
    } catch (err) {
      if (err instanceof Sealed) return { source: new Source(openReader(dataDir), lock), sealed: err }
      lock.close()
      throw err
    }
  }

  count ({ name }: Table): number {
    return Number(this.#db.prepare(`select count(*) as rows from ${name}`).get()!.rows)
  }

  /** In the order of the key, one at a time. */
  * rowsOf ({ name, columns, key }: Table): Generator<Row> {
    const made = columns.map(column => forms[name]?.[column])
    const found = this.#db.prepare(`select * from ${name} order by ${key.join(', ')}`).iterate() as Iterable<Found>
    for (const row of found) {
      yield columns.map((column, index) => {
        const make = made[index]
        return make === undefined ? row[column]! : make(row)
      })
    }
  }

  /** From now on nothing opens it. */
  seal (to: string): void {
    seal(this.#db, { to, at: Date.now() })
  }

  close (): void {
    this.#db.close()
    this.#lock.close()
  }
}

/** As a process does that is to run on it. */
function take (dataDir: string): DatabaseSync {
  try {
    return lockDirectory(dataDir, LOCK_WAIT_MS)
  } catch (err) {
    if (!(err instanceof StoreLocked)) throw err
    throw new Error(`A service, or another tool, is at work on ${dataDir}: stop it, and run this again`, { cause: err })
  }
}

/** Whatever tables and columns there are: what a migration adds is copied, too. */
function tablesOf (db: DatabaseSync): Table[] {
  const names = db.prepare('select name from sqlite_schema where type = \'table\' and name not like \'sqlite^_%\' escape \'^\' order by name').all()
  return names.map(({ name }) => {
    const table = String(name)
    const columns = db.prepare('select name, pk from pragma_table_info(?)').all(table) as Array<{ name: string, pk: number }>
    const own = columns.map(({ name }) => name)
    return {
      name: table,
      columns: [...own, ...Object.keys(forms[table] ?? {}).filter(column => !own.includes(column))],
      key: columns.filter(({ pk }) => pk > 0).sort((one, other) => one.pk - other.pk).map(({ name }) => name)
    }
  })
}
