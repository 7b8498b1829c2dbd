/** What hangs on a message and goes with it. */
import type { PageBounds } from '../core/read/queries.ts'
import type { Remains } from '../core/records.ts'
import { sizeOf, type SizedRow } from './due-texts.ts'
import { collect, positionsOf } from './rows.ts'

/**
 * As much of it as the bounds allow.
 * @param edits one more than that, where there are so many
 * @param eventsWithin the same of its events, for so many rows
 */
export function remainsOf (edits: IterableIterator<SizedRow>, eventsWithin: (rows: number) => IterableIterator<SizedRow>, bounds: PageBounds): Remains {
  const foundEdits = collect(edits, bounds, row => row, sizeOf)
  const left = { rows: bounds.rows - foundEdits.rows.length, bytes: bounds.bytes - bytesOf(foundEdits.rows) }
  const foundEvents = collect(eventsWithin(left.rows + 1), left, row => row, sizeOf)
  return {
    edits: positionsOf(foundEdits.rows),
    events: positionsOf(foundEvents.rows),
    bytes: bytesOf(foundEdits.rows) + bytesOf(foundEvents.rows),
    more: !foundEdits.ended || !foundEvents.ended
  }
}

const bytesOf = (rows: SizedRow[]): number => rows.reduce((sum, row) => sum + sizeOf(row), 0)
