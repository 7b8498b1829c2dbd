/** Pages of lists (protocol 1, rule 8): where they begin, and what they go on from. */
import type { ListPage, PageRequest } from '../../contract/reads.ts'
import type { PageBounds, Read, Rows, Slice } from './queries.ts'

/**
 * Where a page begins in its list's order.
 * @param keyOf the place of an entity, by its id; refuses where there is none
 */
export function * sliceOf ({ before, after }: PageRequest, keyOf: (id: string) => Read<number>): Read<Slice> {
  if (after !== undefined) return { after: yield * keyOf(after) }
  return { before: before === undefined ? Number.MAX_SAFE_INTEGER : yield * keyOf(before) }
}

/** Text that an answer holds at most, in bytes, give or take one item: a page that would be larger ends earlier. */
export const PAGE_BYTES = 4 * 1024 * 1024

export const boundsOf = ({ limit }: PageRequest): PageBounds => ({ rows: limit, bytes: PAGE_BYTES })

/**
 * A place of a list that goes forward, by the two numbers that the list is ordered by: what a page goes on from where
 * an id would not do, because whatever had it may have gone, or there may be two. No id has a dot in it (protocol 1, rule 1).
 */
export const formatPlace = (one: number, other: number): string => `.${one}.${other}`

/** Undefined: not a place, so an id. */
export function parsePlace (text: string): [number, number] | undefined {
  const numbers = /^\.(\d{1,15})\.(\d{1,15})$/.exec(text)
  return numbers === null ? undefined : [Number(numbers[1]), Number(numbers[2])]
}

/** A page of what was found, and where it goes on. */
export function pageOf<T, Row> ({ rows, ended }: Rows<Row>, nextOf: (row: Row) => string, show: (row: Row) => T): ListPage<T> {
  const last = rows.at(-1)
  return { items: rows.map(show), ...(ended || last === undefined ? {} : { next: nextOf(last) }) }
}

/** As many rows as a page may hold, of which one more was asked for. */
export function firstOf<Row> (rows: Row[], limit: number): Rows<Row> {
  return { rows: rows.slice(0, limit), ended: rows.length <= limit }
}
