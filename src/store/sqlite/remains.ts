/** What hangs on a message and goes with it. */
import type { Position } from '../contract/log.ts'
import type { PageBounds } from '../core/read/queries.ts'
import { lanes, type Remains } from '../core/records.ts'
import { collect, positionsOf, type PositionRow } from './rows.ts'
import { yields, type Statements } from './statements.ts'

/** How much there is to take away, without reading it. */
export interface SizedRow extends PositionRow {
  bytes: number
}

/** Of an entry `e`. */
export const size = 'coalesce(octet_length(e.body), 0) as bytes'
export const sizeOf = ({ bytes }: SizedRow): number => bytes

export const remainsSql = {
  editsOf: yields<SizedRow>(`select e.position, ${size} from entries e
    where message_position = ? and kind = 'message-updated' and lane = ${lanes.event} order by position limit ?`),
  eventsOfMessage: yields<SizedRow>(`select e.position, ${size} from entries e
    where message_position = ? and kind = 'message-timeline' and position <= ? order by position limit ?`)
}

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
