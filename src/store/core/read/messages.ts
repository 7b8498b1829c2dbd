/** Reads of messages and of timelines. */
import type { ChannelTimelineEntry, MessageTimelineEntry, TimelineEvent } from '../../../../schemas/timeline.ts'
import { refuse } from '../../../errors.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import { statusTable } from '../../../rules/relay.ts'
import type { Actor, MessageText } from '../../contract/commands.ts'
import type { CountedPage, EventRequest, ListPage, PageRequest, Snapshot } from '../../contract/reads.ts'
import { creationEvents } from '../render/entities.ts'
import { eventText } from '../render/entry.ts'
import { messageText } from '../render/message.ts'
import { snapshotOf } from './channels.ts'
import { boundsOf, firstOf, pageOf, sliceOf } from './paging.ts'
import { ask, type MessageDetails, type Read, type StoredEvent } from './queries.ts'
import { receivedChannel } from './rights.ts'

function rendered ({ at, editedAt, ...message }: MessageDetails): MessageText {
  return messageText({ ...message, createdAt: at, ...(editedAt === undefined ? {} : { editedAt }) })
}

export function * listMessages (actor: Actor, channelId: string, page: PageRequest): Read<Snapshot<CountedPage<MessageText>>> {
  const { channelKey, truncatedPosition, messageCount } = yield * receivedChannel(actor, channelId)
  const slice = yield * sliceOf(page, function * (messageId) { return (yield * messageOf(messageId, channelKey)).position })
  const [ends, messages] = yield * ask(['ends'], ['messages', channelKey, slice, truncatedPosition, boundsOf(page), page.offset])
  return snapshotOf({ ...pageOf(messages, ({ messageId }) => messageId, rendered), total: messageCount }, ends)
}

function * messageOf (messageId: string, channelKey: number): Read<MessageDetails> {
  const [message] = yield * ask(['message', messageId])
  if (message?.channelKey !== channelKey) throw refuse('messageNotFound', messageId)
  return message
}

/** One that may not be read is not there. */
export function * getMessage (actor: Actor, messageId: string): Read<Snapshot<MessageText>> {
  const [ends, message] = yield * ask(['ends'], ['message', messageId])
  if (message === undefined) throw refuse('messageNotFound', messageId)
  if (actor !== SYSTEM && message.sender.userId !== actor) {
    const [member] = yield * ask(['member', message.channelId, actor])
    if (member?.status === undefined || !statusTable[member.status].receives) throw refuse('messageNotFound', messageId)
  }
  return snapshotOf(rendered(message), ends)
}

export function * listChannelEvents (actor: Actor, channelIds: string[], request: EventRequest): Read<Snapshot<ListPage<ChannelTimelineEntry>>> {
  const pages: Array<ListPage<ChannelTimelineEntry>> = []
  for (const channelId of channelIds) {
    const { channelKey } = yield * receivedChannel(actor, channelId)
    const [details] = yield * ask(['channelDetails', channelId])
    const { items, next } = yield * eventPage(creationEvents(details?.creation), request, {
      of: entry => entry.channelKey === channelKey && entry.messagePosition === undefined,
      stored: (after, type, limit) => ask(['channelEvents', channelKey, after, type, limit])
    })
    pages.push({ items: items.map(timelineEvent => ({ channelId: { identifier: channelId }, timelineEvent })), ...(next === undefined ? {} : { next }) })
  }
  return yield * together(pages)
}

export function * listMessageEvents (actor: Actor, channelId: string, messageIds: string[], request: EventRequest): Read<Snapshot<ListPage<MessageTimelineEntry>>> {
  const { channelKey } = yield * receivedChannel(actor, channelId)
  const pages: Array<ListPage<MessageTimelineEntry>> = []
  for (const messageId of messageIds) {
    const message = yield * messageOf(messageId, channelKey)
    const { timelineEvents } = JSON.parse(rendered(message)) as { timelineEvents: TimelineEvent[] }
    const { items, next } = yield * eventPage(timelineEvents, request, {
      of: entry => entry.messagePosition === message.position,
      stored: (after, type, limit) => ask(['messageEvents', message.position, after, type, limit])
    })
    pages.push({
      items: items.map(timelineEvent => ({ messageId: { identifier: messageId }, channelId: { identifier: channelId }, timelineEvent })),
      ...(next === undefined ? {} : { next })
    })
  }
  return yield * together(pages)
}

/** Of several timelines there is no one place to go on from. */
function * together<T> (pages: Array<ListPage<T>>): Read<Snapshot<ListPage<T>>> {
  const [ends] = yield * ask(['ends'])
  const items = pages.flatMap(page => page.items)
  return snapshotOf(pages.length === 1 ? pages[0]! : { items }, ends)
}

interface Timeline {
  /** Whether an event that is an entry is of this timeline. */
  of: (entry: { channelKey?: number, messagePosition?: number }) => boolean
  stored: (after: number, type: string | undefined, limit: number) => Read<[StoredEvent[]]>
}

/** Events that came with the channel or message, then those that were added, in order. */
function * eventPage (first: TimelineEvent[], { types, after, limit }: EventRequest, timeline: Timeline): Read<ListPage<TimelineEvent>> {
  const begun = first.findIndex(({ eventId }) => eventId === after)
  let position = 0
  if (after !== undefined && begun === -1) {
    const [entry] = yield * ask(['eventEntry', after])
    if (entry === undefined || !timeline.of(entry)) throw refuse('eventNotFound', after)
    position = entry.position
  }
  const early = position > 0 ? [] : first.slice(begun + 1).filter(({ type }) => types === undefined || types.includes(type))
  const rows: StoredEvent[] = []
  for (const type of types ?? [undefined]) rows.push(...(yield * timeline.stored(position, type, limit + 1))[0])
  rows.sort((one, other) => one.position - other.position)
  const late = rows.slice(0, limit + 1).map(({ body, gone }) => JSON.parse(eventText({ record: { body }, sender: { deleted: gone } })) as TimelineEvent)
  const events = [...early, ...late]
  return pageOf(firstOf(events, limit), ({ eventId }) => eventId, event => event)
}
