/** Where what a request under a key came to is found. */
import { hash } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'

/** Rows that are given their place at once. */
const FILL_ROWS = 1_000

/**
 * A number that stands for an actor and a key in the index: 48 bits of a digest, so that nobody can choose many that are alike.
 * Two may be, all the same: whoever looks compares both.
 */
export function lookupOf (actor: string, key: string): number {
  return parseInt(hash('sha1', `${actor} ${key}`, 'hex').slice(0, 12), 16)
}

/** Gives rows of an earlier schema their place, which SQL alone cannot. */
export function fillLookups (db: DatabaseSync): void {
  const find = db.prepare('select reply_id, actor, key from replies where lookup is null limit ?')
  const fill = db.prepare('update replies set lookup = ? where reply_id = ?')
  for (let rows = find.all(FILL_ROWS); rows.length > 0; rows = find.all(FILL_ROWS)) {
    db.exec('begin immediate')
    for (const { reply_id: id, actor, key } of rows) fill.run(lookupOf(String(actor), String(key)), id!)
    db.exec('commit')
  }
}
