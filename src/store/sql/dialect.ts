/** Statements that are the same for every SQL database, but for what each spells in its own way. */

declare const row: unique symbol

/** The text of a statement, with `?` for its parameters, and the type of its rows. Only the compiler sees that: the text is a plain string. */
export type Sql<Row> = string & { readonly [row]: Row }

/** Says what rows a text yields, where it is written. Databases tell no types, so this is the author's word. */
export const yields = <Row>(text: string): Sql<Row> => text as Sql<Row>

export interface Dialect {
  /** The larger, and the smaller, of two numbers. */
  greatest (one: string, other: string): string
  least (one: string, other: string): string
  /** Of JSON text: a member of the object that it is, as JSON text, and as a number. Null: there is none. */
  member (json: string, name: string): string
  numberIn (json: string, name: string): string
  /** Of JSON text: the array that it is, as a table whose column is `value`. */
  elements (json: string): string
  /** Of the JSON text of access control lists: the ids of users whom they name, as a table whose column is `value`. */
  userIdsIn (lists: string): string
  /** Of rows with a column `value`: a JSON array. Null may stand for none. */
  arrayOf (value: string): string
  /** Of a user `u`: its screen name, as JSON text. */
  screenName: string
}
