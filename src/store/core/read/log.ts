/** Reads of the log: its ends, the whole of it, and where a stream starts. What a stream may have is replay.ts. */
import { SYSTEM } from '../../../rules/identifiers.ts'
import type { Interest, Place, Position, Resume, StreamRequest, StreamStart, Tail } from '../../contract/log.ts'
import { formatCursor, parseCursor } from '../cursor.ts'
import { entryOf } from '../render/entry.ts'
import { ask, type LogEnds, type Read } from './queries.ts'
import { allowedChannel, userKeyOf } from './rights.ts'

/** Text of entries that one page holds at most, give or take one entry, in bytes. */
export const PAGE_BYTES = 256 * 1024

export function placeOf (epoch: string, { position, tag }: Pick<LogEnds, 'position' | 'tag'>): Place {
  return { position, cursor: formatCursor(epoch, position, tag) }
}

export const headOf = (ends: LogEnds): Place => placeOf(ends.epoch, ends)

const floorOf = ({ epoch, floor }: LogEnds): Place => placeOf(epoch, floor)

export function * head (): Read<Place> {
  const [ends] = yield * ask(['ends'])
  return headOf(ends)
}

export function * tail (after: Position, limit: number): Read<Tail> {
  const [ends, { rows }] = yield * ask(['ends'], ['tail', after, { rows: limit, bytes: PAGE_BYTES }])
  if (after < ends.floor.position) return { entries: [], head: headOf(ends), gap: true }
  return { entries: rows.map(view => entryOf(view, ends.epoch)), head: headOf(ends) }
}

export function * openStream (request: StreamRequest, resume: Resume): Read<StreamStart> {
  if (request.of === 'user') yield * userKeyOf(request.userId)
  if (request.of !== 'channel') return { interest: request, ...yield * startOf(resume, 0) }
  const { channelId, actor } = request
  const channel = yield * allowedChannel(actor, channelId)
  const interest: Interest = { of: 'channel', channelId, channelKey: channel.channelKey, ...(actor === SYSTEM ? {} : { userId: actor }) }
  return { interest, ...yield * startOf(resume, channel.createdPosition) }
}

/** @param least where the history that this stream tells begins: a cursor from before may be of a channel that had the same id */
function * startOf (resume: Resume, least: Position): Read<Omit<StreamStart, 'interest'>> {
  const cursor = resume.from === 'cursor' ? parseCursor(resume.cursor) : undefined
  const [ends, tag] = yield * ask(['ends'], ['tagAt', cursor?.position ?? 0])
  const head = headOf(ends)
  if (resume.from === 'head') return { place: head }
  if (resume.from === 'earliest') return { place: floorOf(ends) }
  if (cursor === undefined || cursor.epoch !== ends.epoch || cursor.position > ends.position) return { place: head, gap: 'unknown' }
  if (cursor.position < ends.floor.position) return { place: head, gap: 'expired' }
  const written = cursor.position === ends.floor.position ? ends.floor.tag : tag
  if (cursor.tag !== written || cursor.position < least) return { place: head, gap: 'unknown' }
  const place = placeOf(ends.epoch, cursor)
  // One cursor has one spelling.
  return place.cursor === resume.cursor ? { place } : { place: head, gap: 'unknown' }
}
