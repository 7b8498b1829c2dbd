/**
 * What a stream's reader was entitled to at an entry's position and is now, from the standings and the access control lists
 * of then and of now: what the hub decides live, decided again.
 */
import type { AccessLists, Caller } from '../../../rules/access.ts'
import { Audience, carriesChannel, readersNamedIn, readsChannel, standingOf, type StreamOf } from '../../../rules/audience.ts'
import type { Position } from '../../contract/log.ts'
import type { EntryView, IntervalRecord } from '../records.ts'
import { ask, type ListsFrom, type Membership, type Read } from './queries.ts'

/** Whose stream it is. */
export interface Reader {
  of: StreamOf
  userId: string
  userKey: number
}

/** An entry, and whether it is told of as what it is, or as what those are told who may not read any more. */
export interface Told {
  view: EntryView
  otherwise: boolean
}

export const toldAsIs = (views: EntryView[]): Told[] => views.map(view => ({ view, otherwise: false }))

/** Of whoever is in a channel, or is not, as of the snapshot. */
export function callerOfMembership ({ userId }: Pick<Reader, 'userId'>, { status, admin }: Pick<Membership, 'status' | 'admin'>): Caller {
  return { userId, standing: standingOf({ status, admin }) }
}

/** Whether a reader may read a channel now. */
export function readsNow (reader: Reader, membership: Membership): boolean {
  return membership.deletedPosition === undefined && carriesChannel(reader.of, membership.lists, callerOfMembership(reader, membership))
}

/** The times in which a reader might read a channel, after a position and up to another; those that meet are one. */
export function spansOf (reader: Reader, channelKey: number, intervals: IntervalRecord[], lists: ListsFrom[], after: Position, head: Position): Array<{ channelKey: number, from: Position, upTo: Position }> {
  const cuts = [...new Set([
    ...intervals.flatMap(({ fromPosition, untilPosition }) => untilPosition === undefined ? [fromPosition] : [fromPosition, untilPosition]),
    ...lists.map(({ fromPosition }) => fromPosition)
  ])].sort((one, other) => one - other)
  const spans: Array<{ channelKey: number, from: Position, upTo: Position }> = []
  let [nthInterval, nthLists] = [-1, -1]
  for (const [index, from] of cuts.entries()) {
    while (intervals[nthInterval + 1] !== undefined && intervals[nthInterval + 1]!.fromPosition <= from) nthInterval++
    while (lists[nthLists + 1] !== undefined && lists[nthLists + 1]!.fromPosition <= from) nthLists++
    const caller = { userId: reader.userId, standing: standingAt(intervals[nthInterval], from) }
    if (!carriesChannel(reader.of, lists[nthLists]?.lists, caller)) continue
    const upTo = (cuts[index + 1] ?? head + 1) - 1
    const last = spans.at(-1)
    if (last !== undefined && last.upTo === from - 1) last.upTo = upTo
    else spans.push({ channelKey, from, upTo })
  }
  return spans.filter(({ upTo }) => upTo > after)
}

function standingAt (interval: IntervalRecord | undefined, position: Position): Caller['standing'] {
  return interval === undefined || (interval.untilPosition ?? Infinity) <= position ? undefined : interval
}

/**
 * What a reader is told of entries that were found for it: of those that lists decide, what it may have. The others
 * were found only where it may. And its places in the channels of what was decided.
 */
export function * toldOf (views: EntryView[], reader: Reader): Read<{ told: Told[], places: Membership[] }> {
  const decided = views.filter(isDecidedByLists)
  if (decided.length === 0) return { told: toldAsIs(views), places: [] }
  const channelKeys = [...new Set(decided.map(({ record }) => record.channelKey!))]
  const memberships = yield * ask(...channelKeys.map(channelKey => ['membership', reader.userKey, channelKey] as ['membership', number, number]))
  const now = new Map(channelKeys.map((channelKey, index) => [channelKey, memberships[index]]))
  const intervals = yield * ask(...decided.map(({ record: { channelKey, position } }) =>
    ['intervals', reader.userKey, channelKey!, position, position, 1] as ['intervals', number, number, number, number, number]))
  const decisions = new Map(decided.map((view, index) => {
    const then: Caller = { userId: reader.userId, standing: standingAt(intervals[index]![0], view.record.position) }
    return [view, decisionOf(view, reader, then, now.get(view.record.channelKey!))]
  }))
  const told = views.flatMap(view => {
    const decision = decisions.has(view) ? decisions.get(view) : 'entry'
    return decision === undefined ? [] : [{ view, otherwise: decision === 'otherwise' }]
  })
  return { told, places: memberships.filter(membership => membership !== undefined) }
}

const isDecidedByLists = ({ lists, record, channelLists }: EntryView): boolean =>
  lists !== undefined || record.change !== undefined || (record.kind === 'channel' && channelLists !== undefined)

function decisionOf (view: EntryView, reader: Reader, then: Caller, now: Membership | undefined): 'entry' | 'otherwise' | undefined {
  const { record: { kind, change }, lists, channelLists } = view
  // What it began with is for whoever may read it.
  if (kind === 'channel') return readsChannel(channelLists, then) && now !== undefined && readsNow(reader, now) ? 'entry' : 'otherwise'
  if (kind === 'channel-acls-changed') {
    // Like what concerns the reader itself: whatever it may by now.
    if (carriesChannel(reader.of, change!.after, then)) return 'entry'
    return carriesChannel(reader.of, change!.before, then) ? 'otherwise' : undefined
  }
  const might = (lists: AccessLists | undefined) => new Audience(lists, channelLists).reaches(reader.of, then)
  if (now === undefined || now.deletedPosition !== undefined) return undefined
  if (kind !== 'message-acls-changed') return might(lists!.then) && mayNow(reader, lists!.now, now) ? 'entry' : undefined
  if (might(change!.after)) return mayNow(reader, lists!.now, now) ? 'entry' : undefined
  return might(change!.before) && (readsNow(reader, now) || readersNamedIn(change!.before).includes(reader.userId)) ? 'otherwise' : undefined
}

function mayNow (reader: Reader, lists: AccessLists | undefined, now: Membership): boolean {
  return new Audience(lists, now.lists).reaches(reader.of, callerOfMembership(reader, now))
}
