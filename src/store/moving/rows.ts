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
  /** SHA-256 over the lines of all of them, in the order of the key. */
  checksum: string
}

/** Characters of lines that are handed on at once. */
const CHARACTERS = 65_536

const escapes: Record<string, string> = { '\\': '\\\\', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v' }

const fieldOf = (value: Row[number]): string | number =>
  typeof value === 'string' ? value.replace(/[\\\b\f\n\r\t\v]/g, character => escapes[character]!) : value ?? '\\N'

/** A line for each row, exactly as PostgreSQL writes it (postgresql.org/docs/current/sql-copy.html, "Text Format"); some at a time. */
export function * linesOf (rows: Iterable<Row>): Generator<string> {
  let lines = ''
  for (const row of rows) {
    lines += `${row.map(fieldOf).join('\t')}\n`
    if (lines.length < CHARACTERS) continue
    yield lines
    lines = ''
  }
  if (lines !== '') yield lines
}

const LINE_END = 0x0a

/**
 * The same lines in the same order, and nothing else, have the same sum, however they are cut. Holds one piece at a time.
 * @param onRows told how many there were so far, after each piece
 */
export async function sumOf (lines: Iterable<string> | AsyncIterable<Uint8Array>, onRows: (rows: number) => void = () => {}): Promise<Sum> {
  const hash = createHash('sha256')
  let rows = 0
  for await (const some of lines) {
    const bytes = typeof some === 'string' ? Buffer.from(some) : some
    hash.update(bytes)
    for (let at = bytes.indexOf(LINE_END); at !== -1; at = bytes.indexOf(LINE_END, at + 1)) rows++
    onRows(rows)
  }
  return { rows, checksum: hash.digest('hex') }
}
