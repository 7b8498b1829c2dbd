/**
 * What the writer keeps in memory of the rows that it looks up, from one batch to the next. Nobody else writes: what was
 * committed is what is there.
 */
import type { Changes } from '../core/changes.ts'
import type { TableName, Tables } from '../core/source.ts'
import { LatelyUsed } from '../../lately-used.ts'

/** Rows of one table that are kept at least, once so many were looked up; twice as many at most. */
const KEPT_ROWS = 16_384

/** Text in a row that is kept, at most, in characters: a user's profile may be long. */
const KEPT_CHARACTERS = 1_024

/** Entries of access control lists in a row that is kept, at most. */
const KEPT_LIST_ENTRIES = 8

/** What most commands look up, and few change. */
const keptTables = ['user', 'token', 'living', 'channel', 'member', 'application'] as const satisfies TableName[]
type KeptTable = (typeof keptTables)[number]

const isKept = (table: TableName): table is KeptTable => (keptTables as readonly TableName[]).includes(table)

export class KeptRows {
  #tables = tables()

  /** A row as it was committed last; undefined: it is not known, or not there. */
  get<T extends TableName> (table: T, key: string): Tables[T] | undefined {
    return isKept(table) ? this.#tables[table].get(key) as Tables[T] | undefined : undefined
  }

  /** What a transaction has found, before it has written anything. */
  keep<T extends TableName> (table: T, key: string, record: Tables[T]): void {
    if (isKept(table) && isSmall(table, record)) this.#tables[table].set(key, record)
  }

  /** What a transaction has written is on disk. */
  committed ({ rows, forgottenMembers, forgottenChannels }: Changes): void {
    // These go without being rows to take away.
    if (forgottenMembers.length > 0 || forgottenChannels.length > 0) return this.forget()
    for (const table of keptTables) {
      for (const [key, record] of rows[table] ?? []) {
        if (record !== null && isSmall(table, record)) this.#tables[table].set(key, record)
        else this.#tables[table].delete(key)
      }
    }
  }

  /** Whatever has happened: everything is looked up anew. */
  forget (): void {
    this.#tables = tables()
  }
}

const tables = () => Object.fromEntries(keptTables.map(table => [table, new LatelyUsed(2 * KEPT_ROWS)])) as { [T in KeptTable]: LatelyUsed<string, Tables[TableName]> }

/** Lists of a channel, and a user's profile, may be long. */
function isSmall (table: TableName, record: Tables[TableName]): boolean {
  if (table === 'user') return (record as Tables['user']).profile.length <= KEPT_CHARACTERS
  if (table !== 'channel') return true
  const { acls } = record as Tables['channel']
  return acls === undefined || acls.plus.length + acls.minus.length <= KEPT_LIST_ENTRIES
}
