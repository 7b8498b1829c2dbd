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
const PAGE_BYTES = 4 * 1024 * 1024

export const boundsOf = ({ limit }: PageRequest): PageBounds => ({ rows: limit, bytes: PAGE_BYTES })

/** A page of what was found, and where it goes on. */
export function pageOf<T, Row> ({ rows, ended }: Rows<Row>, idOf: (row: Row) => string, show: (row: Row) => T): ListPage<T> {
  const last = rows.at(-1)
  return { items: rows.map(show), ...(ended || last === undefined ? {} : { next: idOf(last) }) }
}

/** As many rows as a page may hold, of which one more was asked for. */
export function firstOf<Row> (rows: Row[], limit: number): Rows<Row> {
  return { rows: rows.slice(0, limit), ended: rows.length <= limit }
}
