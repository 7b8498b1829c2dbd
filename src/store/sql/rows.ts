/** What is done with rows of whatever table. */
import type { Position } from '../contract/log.ts'
import type { PageBounds, Rows } from '../core/read/queries.ts'

/** Not every database has booleans. */
export type Flag = 0 | 1

export interface PositionRow {
  position: Position
}

/** Absent values of a row are left out of a record. */
export const given = <K extends string, T>(key: K, value: T | null): { [Key in K]?: T } => (value === null ? {} : { [key]: value }) as { [Key in K]?: T }

/** The same of what is stored as JSON text. */
export const parsed = <K extends string, T>(key: K, json: string | null): { [Key in K]?: T } => given(key, json === null ? null : JSON.parse(json) as T)

export function ifFound<Row, T> (row: Row | undefined, make: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : make(row)
}

export function positionsOf (rows: PositionRow[]): Position[] {
  return rows.map(({ position }) => position)
}

/** As many rows as the bounds allow, and no more than that read. */
export function collect<Row, T> (found: IterableIterator<Row>, bounds: PageBounds, make: (row: Row) => T, sizeOf: (row: Row, made: T) => number): Rows<T> {
  const rows: T[] = []
  let bytes = 0
  let ended = true
  takeRows(found, row => {
    ended = rows.length < bounds.rows && (rows.length === 0 || bytes < bounds.bytes)
    if (!ended) return false
    const made = make(row)
    rows.push(made)
    bytes += sizeOf(row, made)
    return true
  })
  return { rows, ended }
}

/** Two parts of a row's key (`Tables` in core/source.ts), joined with a space; the first has none. */
export function partsOf (key: string): [string, string] {
  const space = key.indexOf(' ')
  return [key.slice(0, space), key.slice(space + 1)]
}

/** Two parts that are numbers. */
export function numbersOf (key: string): [number, number] {
  const [one, other] = partsOf(key)
  return [Number(one), Number(other)]
}

/**
 * Takes rows until `take` says that it wants no more. Where SQLite fails at a row, the statement is left clean: by itself
 * it would keep the error until its next use, and throw it once more at whoever that is.
 */
export function takeRows<Row> (rows: IterableIterator<Row>, take: (row: Row) => boolean): void {
  try {
    for (const row of rows) if (!take(row)) return
  } catch (err) {
    rows.return?.()
    throw err
  }
}
