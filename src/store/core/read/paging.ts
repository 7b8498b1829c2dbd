/** Pages of lists (contract 1, rule 8): where they begin, and what they go on from. */
import type { ListPage, PageRequest } from '../../contract/reads.ts'
import { type Read, type Slice } from './queries.ts'

/**
 * Where a page begins in its list's order.
 * @param keyOf the place of an entity, by its id; refuses where there is none
 */
export function * sliceOf ({ before, after }: PageRequest, keyOf: (id: string) => Read<number>): Read<Slice> {
  if (after !== undefined) return { after: yield * keyOf(after) }
  return { before: before === undefined ? Number.MAX_SAFE_INTEGER : yield * keyOf(before) }
}

/**
 * Text that an answer holds at most, in characters, give or take one item: a page that would be larger ends earlier.
 * UTF-8 takes at most three bytes for each; of what is sent mostly, one.
 */
const PAGE_CHARACTERS = 4 * 1024 * 1024

/** A page of rows of which one more was asked for than it is to hold. */
export function pageOf<T> (rows: T[], limit: number, idOf: (row: T) => string): ListPage<T> {
  const items = rows.slice(0, limit)
  return rows.length > limit ? { items, next: idOf(items.at(-1)!) } : { items }
}

/** As `pageOf`, of texts, which may be too many for one answer. */
export function pageOfTexts (rows: Array<{ id: string, text: string }>, limit: number): ListPage<string> {
  let characters = 0
  let count = 0
  while (count < rows.length && count < limit && (count === 0 || characters + rows[count]!.text.length <= PAGE_CHARACTERS)) {
    characters += rows[count++]!.text.length
  }
  const items = rows.slice(0, count).map(({ text }) => text)
  return rows.length > count ? { items, next: rows[count - 1]!.id } : { items }
}
