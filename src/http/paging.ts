/** From a list's query to the page that the store is asked for, and to the one after it (protocol 1, rule 8). */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DEFAULT_PAGE_ROWS, LONGEST_FORWARD_PAGE, type PagingQuery } from '../../schemas/common.ts'
import { refuseWith } from '../errors.ts'
import type { ForwardRequest, ListPage, PageRequest } from '../store/contract/reads.ts'
import { COUNT_HEADER, CURSOR_HEADER } from './answers.ts'
import { pathOf } from './envelope.ts'
import { refuseField } from './validation.ts'

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

/** Of lists that only go forward. Throws where the query wants them to go back: that is no parameter which nobody knows. */
export function forwardPageOf (query: { after?: string, limit?: number }): ForwardRequest {
  if ('before' in query) throw refuseField('query/before', 'is not possible, this list only goes forward: send after, with the id that the page is to begin behind')
  const { after, limit = LONGEST_FORWARD_PAGE } = query
  return { limit, ...(after === undefined ? {} : { after }) }
}

/** The headers of a list: when it was read, how many there are, and where it goes on (RFC 8288). */
export function sendPageHeaders (request: FastifyRequest, reply: Pick<FastifyReply, 'header'>, page: ListPage<unknown> & { total?: number }, cursor?: string): void {
  if (cursor !== undefined) reply.header(CURSOR_HEADER, cursor)
  if (page.total !== undefined) reply.header(COUNT_HEADER, page.total)
  if (page.next !== undefined) reply.header('link', `<${nextPage(request, page.next, page.nextOffset)}>; rel="next"`)
}

/** The same list in the same direction, from an entity on. */
function nextPage ({ url, routeOptions }: FastifyRequest, next: string, offset = 0): string {
  const path = pathOf(url)
  const query = new URLSearchParams(url.slice(path.length).replace(/^\?/, '').replace(/#.*$/s, ''))
  const onlyForward = /\/(?:participants|timeline|tokens)$/.test(routeOptions.url!)
  for (const name of ['entityCountOffset', 'access_token']) query.delete(name)
  if (offset > 0) query.set('entityCountOffset', String(offset))
  query.set(onlyForward || query.has('after') ? 'after' : 'before', next)
  return `${path}?${query}`
}
