/** Rows of earlier schemas that are to be found by key and actor. */
import type { DatabaseSync } from 'node:sqlite'
import { lookupOf } from '../sql/lookup.ts'

/** Rows that are given their place at once. */
const FILL_ROWS = 1_000

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
