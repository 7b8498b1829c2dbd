/** Rows as both stores have them, and what they come to. */
import { createHash } from 'node:crypto'

/** In the order of a table's columns, and in the form in which PostgreSQL keeps them. */
export type Row = Array<string | number | null>

export interface Table {
  name: string
  columns: string[]
  /** Of the columns: rows are read in its order, which is the same everywhere. */
  key: string[]
}

/** What the rows of a table come to. */
export interface Sum {
  rows: number
  /** SHA-256 over all of them, in the order of the key. */
  checksum: string
}

/** The same rows in the same order, and nothing else, have the same sum. Holds one of them at a time. */
export async function sumOf (rows: Iterable<Row> | AsyncIterable<Row>): Promise<Sum> {
  const hash = createHash('sha256')
  let count = 0
  for await (const row of rows) {
    hash.update(`${JSON.stringify(row)}\n`)
    count++
  }
  return { rows: count, checksum: hash.digest('hex') }
}
