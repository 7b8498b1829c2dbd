/**
 * What a stream may have of the log, page by page. A user's is found by channel: a replay looks once for the next
 * entry of each, then every page reads the channels whose turn it is, with the rights as they are by then.
 */
import type { AccessLists } from '../../../rules/access.ts'
import { classesOf } from '../../../rules/audience.ts'
import type { Ahead, Entry, Interest, Page, Place, Position, Rights, RightsNow } from '../../contract/log.ts'
import type { EntryView, IntervalRecord } from '../records.ts'
import { entryOf } from '../render/entry.ts'
import { callerOfMembership, readsNow, spansOf, toldAsIs, toldOf, type Reader, type Told } from './entitlement.ts'
import { gapAfter, headOf, PAGE_BYTES, placeOf } from './log.ts'
import { ask, type EntrySource, type Found, type ListsFrom, type LogEnds, type Membership, type PageBounds, type Read } from './queries.ts'

/** A channel whose entries are still to come. */
interface Upcoming {
  channelKey: number
  /** What of it: all that a member may have; changes of lists, where the user is in it no more; where messages end that have named the user. */
  what: 'all' | 'lists' | 'ends'
  /** Not after its next entry. */
  next: Position
}

/** What a page of a user's replay leaves to the next: it holds as long as nothing is about the user after `head`. */
interface UserAhead extends Ahead {
  userKey: number
  /** The log's head when the channels were looked for: they are all that have entries up to there. */
  head: Place
  /** By `next`, rising. */
  channels: Upcoming[]
  /** Channels whose messages have named the user, and ended. */
  ended: number[]
  /** Channels with news that the user may not read: other lists may give back what it might read before. */
  closed: ReadonlySet<number>
}

/** Changes of lists since the channels were looked for, of which a replay looks whether they are of its reader's. */
const CHANGES_LOOKED_AT = 200

/** Entries of a page as they were found, and, where they are all up to the head, the rights there. */
type Part = Pick<Page, 'through' | 'ahead' | 'rights' | 'named'> & { told: Told[], places?: Membership[] }

export function * read (interest: Interest, after: Place, limit: number, ahead?: Ahead): Read<Page> {
  const [ends, tag] = yield * ask(['ends'], ['tagAt', after.position])
  const bounds = { rows: limit, bytes: PAGE_BYTES }
  const gap = gapAfter(after, tag, ends)
  if (gap === 'unknown') return { entries: [], through: headOf(ends), head: headOf(ends), gap }
  // Retention has passed the place that was to be gone on from.
  if (gap === 'expired') return { ...pageOf(yield * partOf(interest, ends.position, bounds, ends), ends), gap }
  return pageOf(yield * partOf(interest, after.position, bounds, ends, ahead), ends)
}

export function * rights (interest: Interest): Read<RightsNow> {
  const [ends] = yield * ask(['ends'])
  return { rights: yield * rightsAtHead(interest), head: headOf(ends), floor: ends.floor.position }
}

function * rightsAtHead (interest: Interest): Read<Rights> {
  if (interest.of === 'application') return { channels: [] }
  if (interest.of === 'channel' && interest.userId === undefined) return applicationIn((yield * ask(['channelByKey', interest.channelKey]))[0], interest.channelKey)
  const [user] = yield * ask(['user', interest.userId!])
  if (user === undefined || user.deletedAt !== undefined) return { channels: [] }
  if (interest.of === 'user') return yield * rightsOfUser(user.userKey)
  const [membership] = yield * ask(['membership', user.userKey, interest.channelKey])
  return rightsOf(membership === undefined ? [] : [membership])
}

function * rightsOfUser (userKey: number): Read<Rights> {
  const [memberships, named] = yield * ask(['memberships', userKey], ['channelsNaming', userKey])
  return { ...rightsOf(memberships), ...(named.length === 0 ? {} : { named }) }
}

/** The application reads a channel for as long as it is there. */
const applicationIn = (channel: { deletedPosition?: Position } | undefined, channelKey: number): Rights =>
  ({ channels: channel === undefined || channel.deletedPosition !== undefined ? [] : [{ channelKey, status: 'active', admin: true }] })

function * partOf (interest: Interest, after: Position, bounds: PageBounds, ends: LogEnds, ahead?: Ahead): Read<Part> {
  if (interest.of === 'application') {
    const [{ rows, ended }] = yield * ask(['entriesAfter', after, bounds])
    return ended ? lastOf(toldAsIs(rows), { channels: [] }, ends) : partUpTo(toldAsIs(rows), rows, ends)
  }
  if (interest.of === 'channel' && interest.userId === undefined) return yield * wholeChannel(interest.channelKey, after, bounds, ends)
  const [user] = yield * ask(['user', interest.userId!])
  if (user === undefined || user.deletedAt !== undefined) return lastOf([], { channels: [] }, ends)
  const reader: Reader = { of: interest.of, userId: user.userId, userKey: user.userKey }
  if (interest.of === 'channel') return yield * ownChannel(reader, interest.channelKey, after, bounds, ends)
  return yield * ownChannels(reader, yield * aheadOf(reader, after, ends, ahead), after, bounds, ends)
}

function pageOf ({ told, places, ...part }: Part, ends: LogEnds): Page {
  const entries: Entry[] = told.map(({ view, otherwise }) => formOf(entryOf(view, ends.epoch), otherwise))
  const listed = told.filter(({ view }) => view.lists !== undefined).map(({ view: { record, lists } }): [string, AccessLists | undefined] => [record.messageId!, lists!.now])
  return {
    entries: entries.filter(({ payload }) => payload !== undefined),
    ...(places === undefined ? {} : { places: rightsOf(places).channels }),
    ...(listed.length === 0 ? {} : { messageLists: listed }),
    head: headOf(ends),
    ...part
  }
}

const formOf = (entry: Entry, otherwise: boolean): Entry => otherwise ? entry.otherwise ?? entry : entry

/** Nothing lies between the last entry and the head. */
const lastOf = (told: Told[], rights: Rights, ends: LogEnds): Part => ({ told, through: headOf(ends), rights })

/** @param rows all that were looked at */
const partUpTo = (told: Told[], rows: EntryView[], { epoch }: LogEnds): Part => ({ told, through: placeOf(epoch, rows.at(-1)!.record) })

/** The application's view of one channel: everything since it was made. */
function * wholeChannel (channelKey: number, after: Position, bounds: PageBounds, ends: LogEnds): Read<Part> {
  const [channel] = yield * ask(['channelByKey', channelKey])
  if (channel === undefined) return lastOf([], { channels: [] }, ends)
  const { createdPosition: from } = channel
  const [{ rows, ended }] = yield * ask(['entriesOf', [{ channelKey, from, upTo: ends.position, listed: true }], after, ends.position, bounds])
  const told = toldAsIs(rows)
  if (!ended) return partUpTo(told, rows, ends)
  return lastOf(told, applicationIn(channel, channelKey), ends)
}

/** One channel as somebody may see it who may read it. */
function * ownChannel (reader: Reader, channelKey: number, after: Position, bounds: PageBounds, ends: LogEnds): Read<Part> {
  const { userKey } = reader
  const most = changesOf(bounds)
  const [membership, intervals, lists] = yield * ask(
    ['membership', userKey, channelKey], ['intervals', userKey, channelKey, after, ends.position, most], ['listsOf', channelKey, after, ends.position, most])
  if (membership === undefined) return lastOf([], { channels: [] }, ends)
  const sources: EntrySource[] = [
    { aboutKey: userKey, channelKey },
    ...membership.listed ? [{ namedKey: userKey, channelKey }] : [],
    ...sourcesOf(reader, membership, intervals, lists, after, ends.position)
  ]
  const upTo = knownUpTo(lists, most, ends.position)
  const [{ rows, ended }] = yield * ask(['entriesOf', sources, after, upTo, bounds])
  const { told } = yield * toldOf(rows, reader)
  const places = [membership]
  if (!ended) return { ...partUpTo(told, rows, ends), places }
  if (upTo < ends.position) return { told, places, through: yield * placeAt(upTo, ends) }
  return { ...lastOf(told, rightsOf(places), ends), places }
}

/** The channels that a user's replay is still to come to: those of the page before, or found anew. */
function * aheadOf (reader: Reader, after: Position, ends: LogEnds, given: Ahead | undefined): Read<UserAhead> {
  const { userKey } = reader
  const before = given as UserAhead | undefined
  const [newest, tag] = yield * ask(['newestAbout', userKey], ['tagAt', before?.head.position ?? 0])
  const isOfThisLog = before !== undefined && gapAfter(before.head, tag, ends) === undefined
  if (isOfThisLog && before.userKey === userKey && before.after <= after && after < before.head.position && newest <= before.head.position && !(yield * mayHaveOpened(before))) return before
  const [news, left, ended] = yield * ask(['news', userKey, after], ['listedChannelsLeft', userKey, after], ['endedChannelsNaming', userKey, after])
  const channels = news.filter(membership => (membership.listsPosition ?? 0) > after || readsNow(reader, membership) || endsOf(membership, after).length > 0)
    .map(({ channelKey, next }): Upcoming => ({ channelKey, what: 'all', next }))
    .concat(left.map(one => ({ ...one, what: 'lists' })), ended.map(one => ({ ...one, what: 'ends' })))
    .sort(byNext)
  return { userKey, after, head: headOf(ends), channels, ended: ended.map(({ channelKey }) => channelKey), closed: new Set(news.filter(membership => !readsNow(reader, membership)).map(({ channelKey }) => channelKey)) }
}

function * mayHaveOpened ({ closed, head }: UserAhead): Read<boolean> {
  if (closed.size === 0) return false
  const [changed] = yield * ask(['listsChangedAfter', head.position, CHANGES_LOOKED_AT])
  return changed.length === CHANGES_LOOKED_AT || changed.some(channelKey => closed.has(channelKey))
}

const byNext = (one: Upcoming, other: Upcoming): number => one.next - other.next

/**
 * All channels of a user. As many of them as a page has entries are looked at, those whose turn comes first: what
 * comes before the turn of the next is all there is. Where that is nothing, because rights begin later, all are.
 */
function * ownChannels (reader: Reader, ahead: UserAhead, after: Position, bounds: PageBounds, ends: LogEnds): Read<Part> {
  const { head, channels } = ahead
  let rest = channels.slice(bounds.rows)
  let part = yield * readChannels(reader, ahead, channels.slice(0, bounds.rows), after, rest[0] === undefined ? head.position : rest[0].next - 1, bounds)
  if (part.rows.length === 0 && rest.length > 0) {
    rest = []
    part = yield * readChannels(reader, ahead, channels, after, head.position, bounds)
  }
  const { rows, ended, upTo, upcoming } = part
  const { told, places: others } = yield * toldOf(rows, reader)
  const found = { told, places: [...part.places, ...others], ...(ahead.ended.length === 0 ? {} : { named: ahead.ended }) }
  const through = !ended || (rest.length > 0 && rows.length > 0) ? placeOf(ends.epoch, rows.at(-1)!.record) : upTo < head.position ? yield * placeAt(upTo, ends) : undefined
  if (through !== undefined) {
    const next = upcoming.map(one => ({ ...one, next: Math.max(one.next, through.position + 1) }))
    return { ...found, through, ahead: { ...ahead, after: through.position, channels: [...next, ...rest].sort(byNext) } satisfies UserAhead as Ahead }
  }
  // More may have come since the channels were looked for.
  if (head.position < ends.position) return { ...found, through: head }
  return { ...found, ...lastOf(told, yield * rightsOfUser(reader.userKey), ends) }
}

type ChannelsPart = Found & { upTo: Position, upcoming: Upcoming[], places: Membership[] }

/** The entries of some channels, and when their turn comes again. */
function * readChannels (reader: Reader, { userKey, head }: UserAhead, upcoming: Upcoming[], after: Position, asked: Position, bounds: PageBounds): Read<ChannelsPart> {
  const most = changesOf(bounds)
  const channels = upcoming.filter(({ what }) => what === 'all')
  const memberships = yield * ask(...channels.map(({ channelKey }) => ['membership', userKey, channelKey] as ['membership', number, number]))
  const intervals = yield * ask(...channels.map(({ channelKey }) =>
    ['intervals', userKey, channelKey, after, head.position, most] as ['intervals', number, number, number, number, number]))
  const listed = memberships.flatMap(membership => membership?.listsPosition === undefined ? [] : [membership.channelKey])
  const found = yield * ask(...listed.map(channelKey => ['listsOf', channelKey, after, head.position, most] as ['listsOf', number, number, number, number]))
  const lists = new Map(listed.map((channelKey, index) => [channelKey, found[index]!]))

  const sources: EntrySource[] = [{ aboutKey: userKey }, { closedKey: userKey }, { namedKey: userKey }]
  const owners: Array<Upcoming | undefined> = sources.map(() => undefined)
  for (const one of upcoming.filter(({ what }) => what !== 'all')) {
    sources.push(one.what === 'lists' ? { listsOf: one.channelKey } : { endsOf: one.channelKey, naming: userKey })
    owners.push(one)
  }
  for (const [index, channel] of channels.entries()) {
    const { channelKey } = channel
    const membership = memberships[index]
    if (membership?.status === undefined) continue
    for (const source of sourcesOf(reader, membership, intervals[index]!, lists.get(channelKey) ?? [], after, head.position)) {
      sources.push(source)
      owners.push(channel)
    }
  }
  const upTo = Math.min(asked, ...[...lists.values()].map(of => knownUpTo(of, most, asked)))
  const [entries] = yield * ask(['entriesOf', sources, after, upTo, bounds])
  const turns = new Map<Upcoming, Position>()
  for (const [index, channel] of channels.entries()) {
    // There may be more of them, which the next page looks at.
    if (intervals[index]!.length === most) turns.set(channel, intervals[index]!.at(-1)!.fromPosition)
    const ofChannel = lists.get(channel.channelKey)
    if (ofChannel?.length === most) turns.set(channel, Math.min(turns.get(channel) ?? Infinity, ofChannel.at(-1)!.fromPosition))
  }
  for (const [index, next] of entries.next.entries()) {
    const channel = owners[index]
    if (channel === undefined || next === undefined || next > head.position) continue
    turns.set(channel, Math.min(next, turns.get(channel) ?? next))
  }
  return { ...entries, upTo, places: memberships.filter(membership => membership !== undefined), upcoming: [...turns].map(([channel, next]) => ({ ...channel, next })) }
}

/**
 * Intervals, and changes of lists, that a page needs at most: each interval but the first begins with an entry that is about
 * the member; of lists a page goes as far as they are known.
 */
const changesOf = ({ rows }: PageBounds): number => rows + 2

/** How far it is known what lists a channel had. */
const knownUpTo = (lists: ListsFrom[], most: number, head: Position): Position => lists.length < most ? head : Math.min(lists.at(-1)!.fromPosition, head)

function * placeAt (position: Position, ends: LogEnds): Read<Place> {
  const [tag] = yield * ask(['tagAt', position])
  return placeOf(ends.epoch, { position, tag: tag! })
}

function rightsOf (memberships: Membership[]): Rights {
  return {
    channels: memberships.filter(({ deletedPosition }) => deletedPosition === undefined).map(({ channelKey, status, admin, lists }) => ({
      channelKey, ...(status === undefined ? {} : { status }), admin, ...(lists === undefined ? {} : { lists })
    }))
  }
}

/** Where a reader finds what it may have of a channel after `after`, with the rights as of the head (protocol 8, promise 4). */
function sourcesOf (reader: Reader, membership: Membership, intervals: IntervalRecord[], lists: ListsFrom[], after: Position, head: Position): EntrySource[] {
  const { channelKey, listed, listsPosition = 0 } = membership
  return [
    ...endsOf(membership, after),
    ...listsPosition > after ? [{ listsOf: channelKey }] : [],
    ...!readsNow(reader, membership)
      ? []
      : [
          ...spansOf(reader, channelKey, intervals, lists, after, head),
          ...listed ? classesOf(callerOfMembership(reader, membership)).map(name => ({ channelKey, class: name })) : []
        ]
  ]
}

/**
 * A channel's end concerns whoever was in it; the beginning of one that is there concerns whoever is in it since,
 * whether it received the channel then or not.
 */
function endsOf ({ deletedPosition, sincePosition, createdPosition }: Membership, after: Position): EntrySource[] {
  if (deletedPosition !== undefined) return deletedPosition > after ? [{ position: deletedPosition }] : []
  return sincePosition === createdPosition && createdPosition > after ? [{ position: createdPosition }] : []
}
