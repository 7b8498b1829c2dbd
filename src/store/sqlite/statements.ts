/** Prepared statements that know what their rows are. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'

declare const row: unique symbol

/** The text of a statement, with the type of its rows. Only the compiler sees that: the text is a plain string. */
export type Sql<Row> = string & { readonly [row]: Row }

/** Says what rows a text yields, where it is written. SQLite tells no types, so this is the author's word. */
export const yields = <Row>(text: string): Sql<Row> => text as Sql<Row>

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
