/**
 * What a stream may have of the log, page by page. A user's is found by channel: a replay looks once for the next
 * entry of each, then every page reads the channels whose turn it is, with the rights as they are by then.
 */
import { receives } from '../../../rules/relay.ts'
import type { Ahead, Entry, Interest, Page, Place, Position, Rights } from '../../contract/log.ts'
import type { EntryView, IntervalRecord } from '../records.ts'
import { entryOf } from '../render/entry.ts'
import { headOf, PAGE_BYTES, placeOf } from './log.ts'
import { ask, type EntrySource, type Found, type LogEnds, type Membership, type PageBounds, type Read } from './queries.ts'

/** A channel whose entries are still to come. */
interface Upcoming {
  channelKey: number
  /** Not after its next entry. */
  next: Position
}

/** What a page of a user's replay leaves to the next: it holds as long as nothing is about the user after `head`. */
interface UserAhead extends Ahead {
  userKey: number
  epoch: string
  /** The log's head when the channels were looked for: they are all that have entries up to there. */
  head: Place
  /** By `next`, rising. */
  channels: Upcoming[]
}

/** Entries of a page as they were found, and, where they are all up to the head, the rights there. */
type Part = Pick<Page, 'through' | 'ahead' | 'rights'> & { views: EntryView[] }

export function * read (interest: Interest, after: Position, limit: number, ahead?: Ahead): Read<Page> {
  const [ends] = yield * ask(['ends'])
  const bounds = { rows: limit, bytes: PAGE_BYTES }
  // Retention has passed the place that was to be gone on from.
  if (after < ends.floor.position) return { ...pageOf(yield * partOf(interest, ends.position, bounds, ends), ends), gap: 'expired' }
  return pageOf(yield * partOf(interest, after, bounds, ends, ahead), ends)
}

function * partOf (interest: Interest, after: Position, bounds: PageBounds, ends: LogEnds, ahead?: Ahead): Read<Part> {
  if (interest.of === 'application') {
    const [{ rows, ended }] = yield * ask(['entriesAfter', after, bounds])
    return ended ? lastOf(rows, { channels: [] }, ends) : partUpTo(rows, ends)
  }
  if (interest.of === 'channel' && interest.userId === undefined) return yield * wholeChannel(interest.channelKey, after, bounds, ends)
  const [user] = yield * ask(['user', interest.userId!])
  if (user === undefined || user.deletedAt !== undefined) return lastOf([], { channels: [] }, ends)
  if (interest.of === 'channel') return yield * ownChannel(user.userKey, interest.channelKey, after, bounds, ends)
  return yield * ownChannels(yield * aheadOf(user.userKey, after, ends, ahead), after, bounds, ends)
}

function pageOf ({ views, ...part }: Part, { epoch, position: head }: LogEnds): Page {
  const entries: Entry[] = views.map(view => entryOf(view, epoch)).filter(({ payload }) => payload !== undefined)
  return { entries, head, ...part }
}

/** Nothing lies between the last entry and the head. */
const lastOf = (views: EntryView[], rights: Rights, ends: LogEnds): Part => ({ views, through: headOf(ends), rights })

const partUpTo = (views: EntryView[], { epoch }: LogEnds): Part => ({ views, through: placeOf(epoch, views.at(-1)!.record) })

/** The application's view of one channel: everything since it was made. */
function * wholeChannel (channelKey: number, after: Position, bounds: PageBounds, ends: LogEnds): Read<Part> {
  const [channel] = yield * ask(['channelByKey', channelKey])
  if (channel === undefined) return lastOf([], { channels: [] }, ends)
  const { createdPosition: from, deletedPosition: deleted } = channel
  const [{ rows, ended }] = yield * ask(['entriesOf', [{ channelKey, from, upTo: ends.position }], after, ends.position, bounds])
  if (!ended) return partUpTo(rows, ends)
  return lastOf(rows, { channels: deleted === undefined ? [{ channelKey, status: 'active', admin: true }] : [] }, ends)
}

/** One channel as one of its members may see it. */
function * ownChannel (userKey: number, channelKey: number, after: Position, bounds: PageBounds, ends: LogEnds): Read<Part> {
  const [memberships, intervals] = yield * ask(['memberships', userKey, channelKey], ['intervals', userKey, channelKey, after, ends.position, intervalsOf(bounds)])
  const sources = [{ aboutKey: userKey, channelKey }, ...memberships.flatMap(membership => sourcesOf(membership, intervals, after, ends.position))]
  const [{ rows, ended }] = yield * ask(['entriesOf', sources, after, ends.position, bounds])
  return ended ? lastOf(rows, rightsOf(memberships), ends) : partUpTo(rows, ends)
}

/** The channels that a user's replay is still to come to: those of the page before, or found anew. */
function * aheadOf (userKey: number, after: Position, ends: LogEnds, given: Ahead | undefined): Read<UserAhead> {
  const [newest] = yield * ask(['newestAbout', userKey])
  const before = given as UserAhead | undefined
  if (before?.userKey === userKey && before.epoch === ends.epoch && before.after <= after && after < before.head.position && newest <= before.head.position) return before
  const [news] = yield * ask(['news', userKey, after])
  const channels = news.filter(membership => receivesNow(membership) || endsOf(membership, after).length > 0)
    .map(({ channelKey, next }) => ({ channelKey, next }))
    .sort(byNext)
  return { userKey, epoch: ends.epoch, after, head: headOf(ends), channels }
}

const byNext = (one: Upcoming, other: Upcoming): number => one.next - other.next

/**
 * All channels of a user. As many of them as a page has entries are looked at, those whose turn comes first: what
 * comes before the turn of the next is all there is. Where that is nothing, because rights begin later, all are.
 */
function * ownChannels (ahead: UserAhead, after: Position, bounds: PageBounds, ends: LogEnds): Read<Part> {
  const { userKey, head, channels } = ahead
  let rest = channels.slice(bounds.rows)
  let part = yield * readChannels(ahead, channels.slice(0, bounds.rows), after, rest[0] === undefined ? head.position : rest[0].next - 1, bounds)
  if (part.rows.length === 0 && rest.length > 0) {
    rest = []
    part = yield * readChannels(ahead, channels, after, head.position, bounds)
  }
  const { rows, ended, upcoming } = part
  if (!ended || rest.length > 0) {
    const { through, views } = partUpTo(rows, ends)
    const next = upcoming.map(({ channelKey, next }) => ({ channelKey, next: Math.max(next, through.position + 1) }))
    return { views, through, ahead: { ...ahead, after: through.position, channels: [...next, ...rest].sort(byNext) } satisfies UserAhead as Ahead }
  }
  // More may have come since the channels were looked for.
  if (head.position < ends.position) return { views: rows, through: head }
  const [memberships] = yield * ask(['memberships', userKey])
  return lastOf(rows, rightsOf(memberships), ends)
}

/** The entries of some channels, and when their turn comes again. */
function * readChannels ({ userKey, head }: UserAhead, channels: Upcoming[], after: Position, upTo: Position, bounds: PageBounds): Read<Found & { upcoming: Upcoming[] }> {
  const memberships = yield * ask(...channels.map(({ channelKey }) => ['memberships', userKey, channelKey] as ['memberships', number, number]))
  const most = intervalsOf(bounds)
  const intervals = yield * ask(...channels.map(({ channelKey }) =>
    ['intervals', userKey, channelKey, after, head.position, most] as ['intervals', number, number, number, number, number]))
  const sources: EntrySource[] = [{ aboutKey: userKey }, { closedKey: userKey }]
  const owners: Array<number | undefined> = [undefined, undefined]
  for (const [index, { channelKey }] of channels.entries()) {
    for (const source of memberships[index]!.flatMap(membership => sourcesOf(membership, intervals[index]!, after, head.position))) {
      sources.push(source)
      owners.push(channelKey)
    }
  }
  const [found] = yield * ask(['entriesOf', sources, after, upTo, bounds])
  const turns = new Map<number, Position>()
  for (const [index, { channelKey }] of channels.entries()) {
    // There may be more of them, which the next page looks at.
    if (intervals[index]!.length === most) turns.set(channelKey, intervals[index]!.at(-1)!.fromPosition)
  }
  for (const [index, next] of found.next.entries()) {
    const channelKey = owners[index]
    if (channelKey === undefined || next === undefined || next > head.position) continue
    turns.set(channelKey, Math.min(next, turns.get(channelKey) ?? next))
  }
  return { ...found, upcoming: [...turns].map(([channelKey, next]) => ({ channelKey, next })) }
}

/** Intervals that a page needs at most: each but the first begins with an entry that is about the member. */
const intervalsOf = ({ rows }: PageBounds): number => rows + 2

const receivesNow = ({ status, deletedPosition }: Membership): boolean => deletedPosition === undefined && receives(status)

function rightsOf (memberships: Membership[]): Rights {
  return {
    channels: memberships.filter(({ deletedPosition }) => deletedPosition === undefined).map(({ channelKey, status, admin }) => ({ channelKey, status, admin }))
  }
}

/** Where a member finds what it may have of a channel after `after`, with the rights as of the head (protocol 8, promise 4). */
function sourcesOf (membership: Membership, intervals: IntervalRecord[], after: Position, head: Position): EntrySource[] {
  return [...endsOf(membership, after), ...receivesNow(membership) ? entitled(intervals, after, head) : []]
}

/**
 * A channel's end concerns whoever was in it; the beginning of one that is there concerns whoever is in it since,
 * whether it received the channel then or not.
 */
function endsOf ({ deletedPosition, sincePosition, createdPosition }: Membership, after: Position): EntrySource[] {
  if (deletedPosition !== undefined) return deletedPosition > after ? [{ position: deletedPosition }] : []
  return sincePosition === createdPosition && createdPosition > after ? [{ position: createdPosition }] : []
}

/** The times in which a member received: intervals that meet are one. */
function entitled (intervals: IntervalRecord[], after: Position, head: Position): EntrySource[] {
  const spans: Array<{ channelKey: number, from: Position, upTo: Position }> = []
  for (const { channelKey, fromPosition: from, untilPosition, status } of intervals) {
    if (!receives(status)) continue
    const upTo = untilPosition === undefined ? head : untilPosition - 1
    const last = spans.at(-1)
    if (last !== undefined && last.upTo === from - 1) last.upTo = upTo
    else spans.push({ channelKey, from, upTo })
  }
  return spans.filter(({ upTo }) => upTo > after)
}
