/** Reads of the log: where a stream starts, what it may have, and the whole of it. */
import { refuse } from '../../../errors.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import { mustReceive, statusTable } from '../../../rules/relay.ts'
import type { Entry, Interest, Page, Place, Position, Resume, Rights, StreamRequest, StreamStart, Tail } from '../../contract/log.ts'
import { formatCursor, parseCursor } from '../cursor.ts'
import type { EntryView } from '../records.ts'
import { entryOf } from '../render/entry.ts'
import { ask, type EntrySource, type LogEnds, type Membership, type Read } from './queries.ts'
import { userKeyOf } from './rights.ts'

/** Text of entries that one page holds at most, give or take one entry, in bytes. */
const PAGE_BYTES = 256 * 1024

export function headOf ({ epoch, position, tag }: LogEnds): Place {
  return { position, cursor: formatCursor(epoch, position, tag) }
}

const floorOf = ({ epoch, floor }: LogEnds): Place => ({ position: floor.position, cursor: formatCursor(epoch, floor.position, floor.tag) })

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
  const [channel, member] = yield * ask(['channel', channelId], ['member', channelId, actor])
  if (channel === undefined) throw refuse('channelNotFound', channelId)
  if (actor !== SYSTEM) mustReceive(channelId, member?.status)
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
  const place = { position: cursor.position, cursor: formatCursor(ends.epoch, cursor.position, cursor.tag) }
  // One cursor has one spelling.
  return place.cursor === resume.cursor ? { place } : { place: head, gap: 'unknown' }
}

export function * read (interest: Interest, after: Position, limit: number): Read<Page> {
  const [ends] = yield * ask(['ends'])
  const bounds = { rows: limit, bytes: PAGE_BYTES }
  if (after < ends.floor.position) return yield * overtaken(interest, ends)
  if (interest.of === 'application') {
    const [{ rows, ended }] = yield * ask(['entriesAfter', after, bounds])
    return pageOf(rows, ended ? { channels: [] } : undefined, ends)
  }
  const { sources, rights } = yield * readable(interest, after, ends.position)
  const [{ rows, ended }] = yield * ask(['entriesOf', sources, after, bounds])
  return pageOf(rows, ended ? rights : undefined, ends)
}

/** Retention has passed the place that was to be gone on from. */
function * overtaken (interest: Interest, ends: LogEnds): Read<Page> {
  const { rights } = interest.of === 'application' ? { rights: { channels: [] } } : yield * readable(interest, ends.position, ends.position)
  return { ...pageOf([], rights, ends), gap: 'expired' }
}

/** @param rights those at the head, where nothing lies between the last entry and it */
function pageOf (views: EntryView[], rights: Rights | undefined, ends: LogEnds): Page {
  const entries: Entry[] = views.map(view => entryOf(view, ends.epoch)).filter(({ payload }) => payload !== undefined)
  const head = ends.position
  if (rights !== undefined) return { entries, through: headOf(ends), head, rights }
  const { position, tag } = views.at(-1)!.record
  return { entries, through: { position, cursor: formatCursor(ends.epoch, position, tag) }, head }
}

/** Where an interest finds what it may have after `after`, and its rights, both as of the head (protocol 8, promise 4). */
function * readable (interest: Exclude<Interest, { of: 'application' }>, after: Position, head: Position): Read<{ sources: EntrySource[], rights: Rights }> {
  if (interest.of === 'channel' && interest.userId === undefined) return yield * wholeChannel(interest.channelKey, head)
  const [user] = yield * ask(['user', interest.userId!])
  if (user === undefined || user.deletedAt !== undefined) return { sources: [], rights: { channels: [] } }
  const { userKey } = user
  const [memberships, closings] = interest.of === 'user'
    ? yield * ask(['memberships', userKey], ['closings', userKey, after])
    : [...yield * ask(['memberships', userKey, interest.channelKey]), []]
  const living = memberships.filter(({ deletedPosition }) => deletedPosition === undefined)
  const withNews = living.filter(({ status, lastPosition }) => statusTable[status].receives && lastPosition > after)
  const intervals = yield * ask(...withNews.map(({ channelKey }) => ['intervals', userKey, channelKey, head] as ['intervals', number, number, number]))
  return {
    sources: [
      interest.of === 'user' ? { aboutKey: userKey } : { aboutKey: userKey, channelKey: interest.channelKey },
      ...closings.map(position => ({ position })),
      ...memberships.flatMap(membership => endOf(membership, after)),
      ...living.flatMap(membership => beginningOf(membership, after)),
      ...intervals.flatMap(ofChannel => entitled(ofChannel, after, head))
    ],
    rights: { channels: living.map(({ channelKey, status, admin }) => ({ channelKey, status, admin })) }
  }
}

/** The application's view of one channel: everything since it was made. */
function * wholeChannel (channelKey: number, head: Position): Read<{ sources: EntrySource[], rights: Rights }> {
  const [channel] = yield * ask(['channelByKey', channelKey])
  if (channel === undefined) return { sources: [], rights: { channels: [] } }
  const { createdPosition: from, deletedPosition: deleted } = channel
  return {
    sources: [{ channelKey, from, upTo: head }],
    rights: { channels: deleted === undefined ? [{ channelKey, status: 'active', admin: true }] : [] }
  }
}

/** A channel's end concerns whoever was in it. */
function endOf ({ deletedPosition }: Membership, after: Position): EntrySource[] {
  return deletedPosition !== undefined && deletedPosition > after ? [{ position: deletedPosition }] : []
}

/** The beginning of a channel concerns whoever is in it since, whether it received the channel then or not. */
function beginningOf ({ sincePosition, createdPosition }: Membership, after: Position): EntrySource[] {
  return sincePosition === createdPosition && createdPosition > after ? [{ position: createdPosition }] : []
}

/** The times in which a member received: intervals that meet are one. */
function entitled (intervals: Array<{ channelKey: number, fromPosition: Position, untilPosition?: Position, status: Membership['status'] }>, after: Position, head: Position): EntrySource[] {
  const spans: Array<{ channelKey: number, from: Position, upTo: Position }> = []
  for (const { channelKey, fromPosition: from, untilPosition, status } of intervals) {
    if (!statusTable[status].receives) continue
    const upTo = untilPosition === undefined ? head : untilPosition - 1
    const last = spans.at(-1)
    if (last !== undefined && last.upTo === from - 1) last.upTo = upTo
    else spans.push({ channelKey, from, upTo })
  }
  return spans.filter(({ upTo }) => upTo > after)
}
