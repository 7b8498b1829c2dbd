/** What hangs on a message and goes with it. */
import type { Position } from '../contract/log.ts'
import type { PageBounds } from '../core/read/queries.ts'
import type { Remains } from '../core/records.ts'
import { remainsSql, sizeOf, type SizedRow } from '../sql/due-texts.ts'
import { collect, positionsOf } from '../sql/rows.ts'
import type { Statements } from './statements.ts'

export function remainsOf (sql: Statements<typeof remainsSql>, message: Position, floor: Position, bounds: PageBounds): Remains {
  const edits = collect(sql.editsOf.iterate(message, bounds.rows + 1), bounds, row => row, sizeOf)
  const left = { rows: bounds.rows - edits.rows.length, bytes: bounds.bytes - bytesOf(edits.rows) }
  const events = collect(sql.eventsOfMessage.iterate(message, floor, left.rows + 1), left, row => row, sizeOf)
  return {
    edits: positionsOf(edits.rows),
    events: positionsOf(events.rows),
    bytes: bytesOf(edits.rows) + bytesOf(events.rows),
    more: !edits.ended || !events.ended
  }
}

const bytesOf = (rows: SizedRow[]): number => rows.reduce((sum, row) => sum + sizeOf(row), 0)
