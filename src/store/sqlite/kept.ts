/**
 * What the writer keeps in memory of the rows that it looks up, from one batch to the next. Nobody else writes: what was
 * committed is what is there.
 */
import type { Changes } from '../core/changes.ts'
import type { TableName, Tables } from '../core/source.ts'

/** Rows of one table that are kept at least, once so many were looked up; twice as many at most. */
const KEPT_ROWS = 16_384

/** Text in a row that is kept, at most, in characters: a user's profile may be long. */
const KEPT_CHARACTERS = 1_024

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

const tables = () => Object.fromEntries(keptTables.map(table => [table, new Generations()])) as { [T in KeptTable]: Generations }

const isSmall = (table: TableName, record: Tables[TableName]): boolean =>
  table !== 'user' || (record as Tables['user']).profile.length <= KEPT_CHARACTERS

/** What was asked for of late: what was not since two generations began is gone. */
class Generations {
  #young = new Map<string, Tables[TableName]>()
  #old = new Map<string, Tables[TableName]>()

  get (key: string): Tables[TableName] | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set (key: string, record: Tables[TableName]): void {
    if (this.#young.size >= KEPT_ROWS) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, record)
  }

  delete (key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }
}
