/** Reads of the log: its ends, the whole of it, and where a stream starts. What a stream may have is replay.ts. */
import { SYSTEM } from '../../../rules/identifiers.ts'
import type { Gap, Interest, Place, Position, Resume, StreamRequest, StreamStart, Tail } from '../../contract/log.ts'
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

/** @param tag of the entry at that place, where there is one */
export function gapAfter ({ position, cursor }: Place, tag: number | undefined, ends: LogEnds): Gap | undefined {
  const { epoch, floor } = ends
  if (parseCursor(cursor)?.epoch !== epoch) return 'unknown'
  if (position < floor.position) return 'expired'
  const written = position === floor.position ? floor.tag : tag
  return written !== undefined && formatCursor(epoch, position, written) === cursor ? undefined : 'unknown'
}

export function * tail (after: Place, limit: number): Read<Tail> {
  const { position } = after
  const [ends, tag, { rows }] = yield * ask(['ends'], ['tagAt', position], ['tail', position, { rows: limit, bytes: PAGE_BYTES }])
  const gap = gapAfter(after, tag, ends)
  if (gap !== undefined) return { entries: [], head: headOf(ends), gap }
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
  if (cursor === undefined) return { place: head, gap: 'unknown' }
  const place = { position: cursor.position, cursor: resume.cursor }
  const gap = gapAfter(place, tag, ends) ?? (place.position < least ? 'unknown' : undefined)
  return gap === undefined ? { place } : { place: head, gap }
}
