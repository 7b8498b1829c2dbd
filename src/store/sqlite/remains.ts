/** What hangs on a message, read as far as it is wanted. */
import type { Position } from '../contract/log.ts'
import type { PageBounds } from '../core/read/queries.ts'
import type { Remains } from '../core/records.ts'
import type { remainsSql } from '../sql/due-texts.ts'
import { remainsOf as within } from '../sql/remains.ts'
import type { Statements } from './statements.ts'

export function remainsOf (sql: Statements<typeof remainsSql>, message: Position, floor: Position, bounds: PageBounds): Remains {
  return within(sql.editsOf.iterate(message, bounds.rows + 1), rows => sql.eventsOfMessage.iterate(message, floor, rows), bounds)
}
