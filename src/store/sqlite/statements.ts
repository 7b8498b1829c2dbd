/** Prepared statements that know what their rows are. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Sql } from '../sql/dialect.ts'

/** A statement that yields rows. */
export interface Reading<Row> {
  get (...parameters: SQLInputValue[]): Row | undefined
  all (...parameters: SQLInputValue[]): Row[]
  iterate (...parameters: SQLInputValue[]): IterableIterator<Row>
}

/** A statement that changes rows, and yields none. */
export type Writing = Pick<StatementSync, 'run'>

/** A statement for each text, under the same name. */
export type Statements<Texts> = { readonly [Name in keyof Texts]: Texts[Name] extends Sql<infer Row> ? Reading<Row> : Writing }

/**
 * Prepares every text. What comes back are SQLite's own statements, with nothing around them that a call or a row
 * would have to pass: that their rows are what `yields` says is taken on trust, in the cast here and nowhere else.
 */
export function prepareAll<Texts extends Record<string, string>> (db: DatabaseSync, texts: Texts): Statements<Texts> {
  return Object.fromEntries<unknown>(Object.entries(texts).map(([name, text]) => [name, db.prepare(text)])) as Statements<Texts>
}
