/** Pages of rows that may be long: what is beyond a page's bytes is not sent at all. */
import type { PageBounds, Rows } from '../core/read/queries.ts'
import { yields, type Sql } from '../sql/dialect.ts'

/** What a row of a page says beside itself. */
export interface Paged {
  /** How many rows were found: those of the page, and those beyond its bytes. */
  found: number
}

/**
 * Of the rows that a text yields, in its order, those that a page has room for: a row more than the page may have bytes, as
 * everywhere. A parameter more, the last: those bytes.
 * @param size of one of its rows, `q`, in bytes
 */
export function bounded<Row> (text: Sql<Row>, size: string): Sql<Row & Paged> {
  return yields<Row & Paged>(`select * from (select q.*, coalesce(sum(${size}) over (rows between unbounded preceding and 1 preceding), 0) as bytes_before,
    count(*) over () as found from (${text}) q) page where bytes_before = 0 or bytes_before < ?`)
}

/** The bytes of a text that may be none. */
export const bytesOf = (...columns: string[]): string => columns.map(column => `coalesce(octet_length(q.${column}), 0)`).join(' + ')

/** @param rows of a bounded text, of which one more than the page holds was asked for */
export function pageOf<Row extends Paged, T> (rows: Row[], bounds: PageBounds, make: (row: Row) => T): Rows<T> {
  const within = rows.slice(0, bounds.rows)
  return { rows: within.map(make), ended: rows.length === 0 || within.length === rows[0]!.found }
}
