/** Reads of messages and of timelines. */
import type { ChannelTimelineEntry, MessageTimelineEntry, TimelineEvent } from '../../../../schemas/timeline.ts'
import { refuse } from '../../../errors.ts'
import { decideOfMessage, type AccessLists, type Caller, type MessageAccess } from '../../../rules/access.ts'
import { mustBeAllowed } from '../../../rules/access-refusals.ts'
import { classesOf, type ReaderClass } from '../../../rules/audience.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import type { Actor, MessageText } from '../../contract/commands.ts'
import type { Position } from '../../contract/log.ts'
import type { CountedPage, EventRequest, ListPage, PageRequest, Snapshot } from '../../contract/reads.ts'
import type { ChannelRecord, ListedCounts } from '../records.ts'
import { creationEvents } from '../render/entities.ts'
import { eventText } from '../render/entry.ts'
import { messageEvents, messageText } from '../render/message.ts'
import { snapshotOf } from './channels.ts'
import { boundsOf, firstOf, formatPlace, PAGE_BYTES, pageOf, parsePlace, sliceOf } from './paging.ts'
import { ask, sizeOfEvent, type MessageDetails, type PageBounds, type Read, type Rows, type Seeker, type Slice, type StoredEvent } from './queries.ts'
import { allowedChannel, channelAndCaller, userKeyOf } from './rights.ts'

function rendered ({ at, editedAt, ...message }: MessageDetails): MessageText {
  return messageText({ ...message, createdAt: at, ...(editedAt === undefined ? {} : { editedAt }) })
}

export function * listMessages (actor: Actor, channelId: string, page: PageRequest): Read<Snapshot<CountedPage<MessageText>>> {
  const { channel, caller } = yield * channelAndCaller(actor, channelId)
  mustBeAllowed('read_from_channel', channel, caller)
  const { channelKey, truncatedPosition, messageCount, listedCounts } = channel
  const slice = yield * sliceOf(page, messageId => messagePosition(messageId, channel, caller))
  if (listedCounts !== undefined) return yield * listedMessages(channel, caller, slice, page)
  const [ends, messages] = yield * ask(['ends'], ['messages', channelKey, slice, truncatedPosition, boundsOf(page), page.offset])
  return snapshotOf({ ...pageOf(messages, ({ messageId }) => messageId, rendered), total: messageCount }, ends)
}

/** Where a message stands, or stood: a page goes on from one that was deleted too, and from a place that a page ended at. */
function * messagePosition (messageId: string, { channelKey, acls: channelLists }: ChannelRecord, caller: Caller): Read<Position> {
  const place = parsePlace(messageId)
  if (place !== undefined) return place[0]
  const [message] = yield * ask(['messageEntry', messageId])
  if (message?.channelKey !== channelKey) throw refuse('messageNotFound', messageId)
  if (!findsMessage(message.acls, channelLists, caller)) throw refuse('messageNotFound', messageId)
  return message.position
}

/** Whether whoever reads a channel finds a message in it. */
const findsMessage = (lists: AccessLists | undefined, channelLists: AccessLists | undefined, caller: Caller): boolean =>
  lists === undefined || decideOfMessage('read_message', { senderId: '', lists, channelLists }, caller).allowed

/** Rows that a page looks at which its reader may not see, about. */
const HIDDEN_LOOKED_AT = 2_000
const LOOKED_AT_TOGETHER = { least: 50, most: 1_000 }
/** Text of lists that a page looks at, about. */
const LISTS_BYTES = 512 * 1024

/** Of a channel whose messages have lists: those that the reader may see. It counts what it sees, and ends early where there is much that it does not. */
function * listedMessages (channel: ChannelRecord, caller: Caller, slice: Slice, page: PageRequest): Read<Snapshot<CountedPage<MessageText>>> {
  const { channelKey, truncatedPosition, acls: channelLists, messageCount, listedCounts = {} } = channel
  const seeker: Seeker = caller.userId === SYSTEM ? 'application' : { classes: classesOf(caller), userKey: yield * userKeyOf(caller.userId) }
  const wanted = page.offset + page.limit + 1
  const seen: Position[] = []
  let [place, hidden, ended] = [slice, 0, false]
  let bytes = LISTS_BYTES
  while (seen.length < wanted && hidden < HIDDEN_LOOKED_AT && bytes > 0 && !ended) {
    const together = Math.min(Math.max(wanted - seen.length, LOOKED_AT_TOGETHER.least), LOOKED_AT_TOGETHER.most)
    const [found] = yield * ask(['listedMessages', channelKey, seeker, place, truncatedPosition, { rows: together, bytes }])
    for (const { position, present, acls, bytes: taken } of found.rows) {
      bytes -= taken
      place = 'after' in place ? { after: position } : { before: position }
      if (present && findsMessage(acls, channelLists, caller)) seen.push(position)
      else hidden++
    }
    ended = found.ended
  }
  const shown = seen.slice(page.offset, page.offset + page.limit)
  const [ends, { rows }] = yield * ask(['ends'], ['messagesAt', shown, boundsOf(page)])
  const total = messageCount + countFor(caller, listedCounts)
  return snapshotOf({ items: rows.map(rendered), ...nextOf(rows, seen, page, place, ended), total }, ends)
}

/** Messages with lists that somebody may read by a class, about: a minus entry may take away from them. The application reads all. */
function countFor (caller: Caller, counts: ListedCounts): number {
  const own = classesOf(caller)
  const counted = Object.entries(counts).filter(([classes]) => caller.userId === SYSTEM || classes.split(',').some(name => own.includes(name as ReaderClass)))
  return counted.reduce((sum, [, count]) => sum + count, 0)
}

/** @param place up to where was looked */
function nextOf (rows: MessageDetails[], seen: Position[], { offset, limit }: PageRequest, place: Slice, ended: boolean): Pick<ListPage<MessageText>, 'next' | 'nextOffset'> {
  const last = rows.at(-1)
  if (last !== undefined && seen.indexOf(last.position) < seen.length - 1) return { next: last.messageId }
  if (ended && seen.length <= offset + limit) return {}
  const next = formatPlace('after' in place ? place.after : place.before, 0)
  return seen.length < offset ? { next, nextOffset: offset - seen.length } : { next }
}

/** A message that the caller may read: where it may not read the channel, it is refused that. */
function * messageOf (messageId: string, channel: ChannelRecord, caller: Caller): Read<MessageDetails> {
  const [message] = yield * ask(['message', messageId])
  if (message?.channelKey === channel.channelKey && decideOfMessage('read_message', accessOf(message, channel), caller).allowed) return message
  mustBeAllowed('read_from_channel', channel, caller)
  throw refuse('messageNotFound', messageId)
}

/** One that may not be read is not there. */
export function * getMessage (actor: Actor, messageId: string): Read<Snapshot<MessageText>> {
  const [ends, message] = yield * ask(['ends'], ['message', messageId])
  if (message === undefined) throw refuse('messageNotFound', messageId)
  yield * mustReadMessage(actor, message)
  return snapshotOf(rendered(message), ends)
}

/** Throws where the actor may not read a message by its id. */
export function * mustReadMessage (actor: Actor, message: MessageDetails): Read<{ channel: ChannelRecord, caller: Caller }> {
  const { channel, caller } = yield * channelAndCaller(actor, message.channelId)
  if (!decideOfMessage('read_message', accessOf(message, channel), caller, true).allowed) throw refuse('messageNotFound', message.messageId)
  return { channel, caller }
}

export const accessOf = ({ sender, acls: lists }: MessageDetails, { acls: channelLists }: ChannelRecord): MessageAccess => ({ senderId: sender.userId, lists, channelLists })

export function * listChannelEvents (actor: Actor, channelIds: string[], request: EventRequest): Read<Snapshot<ListPage<ChannelTimelineEntry>>> {
  return yield * together(channelIds, request, function * (channelId, bytes) {
    const { channelKey } = yield * allowedChannel(actor, channelId)
    const [details] = yield * ask(['channelDetails', channelId])
    const { items, ...page } = yield * eventPage(creationEvents(details?.creation), request, bytes, {
      of: entry => entry.channelKey === channelKey && entry.messagePosition === undefined,
      stored: (after, bounds) => ask(['channelEvents', channelKey, after, request.types, bounds])
    })
    return { ...page, items: items.map(timelineEvent => ({ channelId: { identifier: channelId }, timelineEvent })) }
  })
}

export function * listMessageEvents (actor: Actor, channelId: string, messageIds: string[], request: EventRequest): Read<Snapshot<ListPage<MessageTimelineEntry>>> {
  const { channel, caller } = yield * channelAndCaller(actor, channelId)
  return yield * together(messageIds, request, function * (messageId, bytes) {
    const message = yield * messageOf(messageId, channel, caller)
    const { items, ...page } = yield * eventPage(messageEvents(message), request, bytes, {
      of: entry => entry.messagePosition === message.position,
      stored: (after, bounds) => ask(['messageEvents', message.position, after, request.types, bounds])
    })
    return { ...page, items: items.map(timelineEvent => ({ messageId: { identifier: messageId }, channelId: { identifier: channelId }, timelineEvent })) }
  })
}

type EventPage<T> = ListPage<T> & { bytes: number }

/** Timelines one after the other. Of several there is no one place to go on from: they fit into one answer, or are refused. */
function * together<T> (ids: string[], { limit }: EventRequest, pageOf: (id: string, bytes: number) => Read<EventPage<T>>): Read<Snapshot<ListPage<T>>> {
  const items: T[] = []
  let next: string | undefined
  let left = PAGE_BYTES
  for (const id of ids) {
    const page = yield * pageOf(id, left)
    left -= page.bytes
    const cut = left < 0 || (page.next !== undefined && page.items.length < limit)
    if (cut && ids.length > 1) {
      throw refuse('limitExceeded', 'These timelines are more than the 4 MiB that an answer holds: ask for fewer channels or messages, or send a smaller limit')
    }
    items.push(...page.items)
    next = page.next
  }
  const [ends] = yield * ask(['ends'])
  return snapshotOf({ items, ...(next === undefined || ids.length > 1 ? {} : { next }) }, ends)
}

interface Timeline {
  /** Whether an event that is an entry is of this timeline. */
  of: (entry: { channelKey?: number, messagePosition?: number }) => boolean
  stored: (after: Position, bounds: PageBounds) => Read<[Rows<StoredEvent>]>
}

/** Events that came with the channel or message, then those that were added, in order. */
function * eventPage (first: TimelineEvent[], { types, after, limit }: EventRequest, bytes: number, timeline: Timeline): Read<EventPage<TimelineEvent>> {
  const [position, begun] = after === undefined ? [0, -1] : parsePlace(after) ?? (yield * eventPlace(first, after, timeline))
  const early = first.map((event, index) => ({ event, place: formatPlace(0, index), bytes: sizeOfEvent({ body: JSON.stringify(event) }) }))
    .filter(({ event: { type } }, index) => position === 0 && index > begun && (types === undefined || types.includes(type)))
  const room = limit - early.length
  if (room < 0) return sized(firstOf(early, limit))
  const [late] = yield * timeline.stored(position, { rows: room, bytes })
  return sized({
    rows: [...early, ...late.rows.map(({ position, body, gone }) => ({
      event: JSON.parse(eventText({ record: { body }, sender: { deleted: gone } })) as TimelineEvent, place: formatPlace(position, 0), bytes: sizeOfEvent({ body })
    }))],
    ended: late.ended
  })
}

/**
 * Where an event stands: its position in the log, 0 for those that came with the channel or message, and which of those it is.
 * Earlier versions took an id twice, so a page goes on from this and not from an id.
 */
function * eventPlace (first: TimelineEvent[], eventId: string, timeline: Timeline): Read<[Position, number]> {
  const begun = first.findIndex(event => event.eventId === eventId)
  if (begun !== -1) return [0, begun]
  const [entry] = yield * ask(['eventEntry', eventId])
  if (entry === undefined || !timeline.of(entry)) throw refuse('eventNotFound', eventId)
  return [entry.position, 0]
}

function sized (found: Rows<{ event: TimelineEvent, place: string, bytes: number }>): EventPage<TimelineEvent> {
  return { ...pageOf(found, ({ place }) => place, ({ event }) => event), bytes: found.rows.reduce((sum, { bytes }) => sum + bytes, 0) }
}
