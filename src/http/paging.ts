/** From a list's query to the page that the store is asked for (contract 1, rule 8). */
import { DEFAULT_PAGE_ROWS, type PagingQuery } from '../../schemas/common.ts'
import { refuseWith } from '../errors.ts'
import type { PageRequest } from '../store/store.ts'

export function pageOf ({ before, after, limit = DEFAULT_PAGE_ROWS, entityCountOffset = 0 }: PagingQuery): PageRequest {
  if (before !== undefined && after !== undefined) {
    throw refuseWith('badRequest', { diagnostics: { field: 'query/after' } }, 'A page is before an entity or after one: send one of both')
  }
  return {
    limit,
    offset: entityCountOffset,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after })
  }
}
