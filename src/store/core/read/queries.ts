/**
 * What reads ask of a store, and how: a read is a generator that asks for several things at once (one round
 * trip), gets them, decides and renders. A store runs it on one snapshot, without waiting where it can.
 */
import type { AccessLists } from '../../../rules/access.ts'
import type { ReaderClass } from '../../../rules/audience.ts'
import type { RelayStatus, Ruleset } from '../../../rules/relay.ts'
import type { Position } from '../../contract/log.ts'
import type { ChannelFilter } from '../../contract/reads.ts'
import type { ExpiredEntry } from '../chores.ts'
import type { Participant } from '../render/entities.ts'
import type { ApplicationRecord, ChannelRecord, EntryView, IntervalRecord, LogState, MemberRecord, MessageRecord, TokenRecord, UserRecord } from '../records.ts'

export type LogEnds = Pick<LogState, 'epoch' | 'position' | 'tag' | 'floor' | 'removedPosition'>

/** Which rows of a list, by the key that it is ordered by; `before`: falling, `after`: rising. */
export type Slice = { before: number } | { after: number }

/** A channel with the events that it was created with, as JSON text, and those of their subjects who are gone. */
export type ChannelDetails = ChannelRecord & { creation?: { events: string, gone: string[] } }

/** A message with all that it takes to show it now. */
export interface MessageDetails extends MessageRecord {
  channelId: string
  /** Content as it is now: JSON text. */
  content: string
  editedAt?: number
  gone: string[]
}

/** Who looks for messages: the application finds all of them; others those that name nobody, their classes, or themselves. */
export type Seeker = 'application' | { classes: ReaderClass[], userKey: number }

/** A message, as far as it takes to say who may read it. */
export interface ListedMessage {
  position: Position
  /** It is there. */
  present: boolean
  /** Of the application, which may read it whatever they are: absent. */
  acls?: AccessLists
  /** What these take in the store. */
  bytes: number
}

/** A timeline event that is an entry of its own. */
export interface StoredEvent {
  position: Position
  body: string
  /** Its subject was deleted since. */
  gone: boolean
}

/** What a timeline event takes in an answer, in bytes, about: itself, and references to what it happened to. */
export const sizeOfEvent = ({ body }: Pick<StoredEvent, 'body'>): number => 256 + Buffer.byteLength(body)

/** A user's place in a channel, as far as a replay is about it. */
export interface Membership {
  channelKey: number
  /** Absent: it is not in it. */
  status?: RelayStatus
  admin: boolean
  /** Of one who is not in it: 0. */
  sincePosition: Position
  createdPosition: Position
  deletedPosition?: Position
  lastPosition: Position
  /** Messages of it have, or had, lists. */
  listed: boolean
  /** The channel's own lists, and the entry that gave it these. */
  lists?: AccessLists
  listsPosition?: Position
}

/** Lists of a channel, from an entry on. */
export interface ListsFrom {
  fromPosition: Position
  lists?: AccessLists
}

/** A channel that has entries for a member after some position. */
export interface News extends Membership {
  /** Not after the first of them. */
  next: Position
}

/** Where entries of a replay are found: a rising sequence of positions each. */
export type EntrySource =
  /** Everything of a channel, from one position to another, both inclusive; messages that name their readers where that is said. */
  | { channelKey: number, from: Position, upTo: Position, listed?: boolean }
  /** Messages of a channel that name a class of readers. */
  | { channelKey: number, class: ReaderClass }
  /** Messages that name a user, and what is about them, in one channel or in all. */
  | { namedKey: number, channelKey?: number }
  /** Where all messages of a channel end at once, one of which has named a user. */
  | { endsOf: number, naming: number }
  /** Changes of a channel's lists. */
  | { listsOf: number }
  /** What is about a user, in one channel or in all. */
  | { aboutKey: number, channelKey?: number }
  /** Deletions of channels that a user was in, whose members have been told. */
  | { closedKey: number }
  | { position: Position }

/** A token, its maker, and so on, with their users. */
export type Lineage = Array<TokenRecord & { userId: string, userDeleted: boolean }>

/** Rows in order; `ended`: there are no more. */
export interface Rows<T> {
  rows: T[]
  ended: boolean
}

/** Entries of several sources. */
export interface Found extends Rows<EntryView> {
  /** By source: where it goes on, not after its next entry; undefined where it has no more. */
  next: Array<Position | undefined>
}

/** How much one page holds: rows, and bytes of text, give or take one row. */
export interface PageBounds {
  rows: number
  bytes: number
}

/** Each answers from one snapshot, by an index; lists are bounded by what they are given. */
export interface Queries extends EntityQueries, LogQueries, DueQueries {}

/** What there is now, and lists of it. */
export interface EntityQueries {
  user (userId: string): UserRecord | undefined
  /** Users who have not been deleted, by their keys. */
  users (slice: Slice, bounds: PageBounds, offset: number): Rows<UserRecord>
  total (name: 'users' | 'channels' | 'system-channels'): number
  /** A token, its maker, and so on, at most `limit` of them, with their users. */
  lineage (tokenId: string, limit: number): Lineage
  token (tokenId: string): TokenRecord | undefined
  /** Of a user, not revoked themselves, whatever became of their makers, in the order in which they were made, after the place given. */
  tokens (userKey: number, after: Pick<TokenRecord, 'createdAt' | 'tokenId'>, limit: number): TokenRecord[]
  channel (channelId: string): ChannelRecord | undefined
  channelDetails (channelId: string): ChannelDetails | undefined
  /** Channels that exist, by their keys. */
  channels (slice: Slice, includeSystemChannels: boolean, bounds: PageBounds, offset: number): Rows<ChannelDetails>
  /** Channels that a user is in, by their keys. */
  channelsOf (userKey: number, slice: Slice, filter: ChannelFilter, bounds: PageBounds, offset: number): Rows<ChannelDetails & { participationId: string, status: RelayStatus, admin: boolean }>
  /** How many channels a user is in, by ruleset, those counted that are deleted and still closing. */
  membershipCounts (userKey: number): Array<{ ruleset: Ruleset, count: number }>
  /** How many of those that a filter lists are deleted, while the user's counts still hold them. */
  closingMemberships (userKey: number, filter: ChannelFilter): number
  member (channelId: string, userId: string): MemberRecord | undefined
  /** Members of a status in the order of joining, after the place given. */
  participants (channelKey: number, status: RelayStatus, after: { sincePosition: Position, userKey: number }, limit: number): Array<{ member: MemberRecord, user: Participant }>
  /** A message that is there: not deleted, not truncated, its channel neither. */
  message (messageId: string): MessageDetails | undefined
  /** Where a message is, or was: also one that was deleted. */
  messageEntry (messageId: string): { position: Position, channelKey: number, acls?: AccessLists } | undefined
  messages (channelKey: number, slice: Slice, truncatedPosition: Position, bounds: PageBounds, offset: number): Rows<MessageDetails>
  /** Messages of a channel above a position that somebody may find, in the order of the slice; `bytes`: of lists. */
  listedMessages (channelKey: number, seeker: Seeker, slice: Slice, above: Position, bounds: PageBounds): Rows<ListedMessage>
  /** Messages by their positions. */
  messagesAt (positions: Position[], bounds: PageBounds): Rows<MessageDetails>
  application (): ApplicationRecord | undefined
  /** Which of these users were deleted. */
  goneAmong (userIds: string[]): string[]
  /** Events of a channel (or of a message, by its position), after a position, of some types or of all. */
  channelEvents (channelKey: number, after: Position, types: string[] | undefined, bounds: PageBounds): Rows<StoredEvent>
  messageEvents (messagePosition: Position, after: Position, types: string[] | undefined, bounds: PageBounds): Rows<StoredEvent>
  /** Where an event lies that is an entry of its own. */
  eventEntry (eventId: string): { position: Position, channelKey?: number, messagePosition?: Position } | undefined
}

/** The log, and what a reader may have of it. */
export interface LogQueries {
  ends (): LogEnds
  /** The place of an entry that is still there. */
  tagAt (position: Position): number | undefined
  /** The channels that a user is in, in whatever status. */
  memberships (userKey: number): Array<Membership & { status: RelayStatus }>
  /** A user's place in one channel, also where it is not in it; undefined: there is no such channel any more. */
  membership (userKey: number, channelKey: number): Membership | undefined
  /** Channels that a user has left after a position, or that were deleted with it in them, and whose lists have changed since; and when first. */
  listedChannelsLeft (userKey: number, after: Position): Array<{ channelKey: number, next: Position }>
  /** Channels whose lists have changed after a position, the first `limit` changes looked at; fewer: all. */
  listsChangedAfter (position: Position, limit: number): number[]
  /** Channels that have named a user and were truncated, or deleted, after a position; and when first. */
  endedChannelsNaming (userKey: number, after: Position): Array<{ channelKey: number, next: Position }>
  /** Lists of a channel that are in force after a position and begin at or before another, in order, the first `limit` of them. */
  listsOf (channelKey: number, after: Position, upTo: Position, limit: number): ListsFrom[]
  /** Channels of which messages that were not truncated since have named a user. */
  channelsNaming (userKey: number): number[]
  /** The channels that a user is in and that have entries after a position, from the user's first interval there on: one seek a channel. */
  news (userKey: number, after: Position): News[]
  /** The newest entry that is about a user: each change of its standings is one. 0: there is none. */
  newestAbout (userKey: number): Position
  /** Intervals of a member that are in force after a position and begin at or before another, in order, the first `limit` of them. */
  intervals (userKey: number, channelKey: number, after: Position, upTo: Position, limit: number): IntervalRecord[]
  channelByKey (channelKey: number): Pick<ChannelRecord, 'createdPosition' | 'deletedPosition'> | undefined
  /** Every entry after a position, with who is in a new channel. */
  tail (after: Position, bounds: PageBounds): Rows<EntryView>
  /** The same, without those: what streams carry is not made of them. */
  entriesAfter (after: Position, bounds: PageBounds): Rows<EntryView>
  /** The entries of several sources after a position and up to another, merged, each once. */
  entriesOf (sources: EntrySource[], after: Position, upTo: Position, bounds: PageBounds): Found
}

/** Of erased messages, by position. */
export interface ErasedRemains {
  edits: Position[]
  events: Position[]
  /** Those messages of which nothing else is left. */
  messages: Position[]
}

/** What is due in the background. */
export interface DueQueries {
  leavingUser (): UserRecord | undefined
  channelsToLeave (userKey: number, rulesets: Ruleset[], limit: number): string[]
  closingChannels (limit: number): ChannelRecord[]
  membersToClose (channelKey: number, limit: number): number[]
  erasingChannel (): ChannelRecord | undefined
  messagesToErase (channelKey: number, upTo: Position, bounds: PageBounds): Position[]
  /** What is left of messages in the lane `erased`: their edits, and their events up to a position. */
  erasedRemains (upTo: Position, bounds: PageBounds): ErasedRemains
  /** Keys of rows, as `Tables` (source.ts) has them. */
  repliesBefore (at: number, limit: number): string[]
  noncesBefore (at: number, limit: number): string[]
  tokensEndedBefore (at: number, limit: number): string[]
  /** Entries in their order, and when they were written. */
  agesAfter (position: Position, limit: number): Array<{ position: Position, tag: number, at: number }>
  entriesToRemove (after: Position, upTo: Position, bounds: PageBounds): Rows<ExpiredEntry>
  hasIntervalsEndedBy (position: Position): boolean
  channelToRemove (deletedBy: Position): number | undefined
  membersOf (channelKey: number, limit: number): number[]
  /** Whether anything is kept of a channel's lists beside its row. */
  hasLists (channelKey: number): boolean
  eventsOf (channelKey: number, upTo: Position, bounds: PageBounds): Position[]
}

export type QueryName = keyof Queries
export type Query = { [Name in QueryName]: [name: Name, ...args: Parameters<Queries[Name]>] }[QueryName]
type AnswerOf<Q> = Q extends [infer Name extends QueryName, ...unknown[]] ? ReturnType<Queries[Name]> : never
type AnswersOf<Qs extends Query[]> = { [Index in keyof Qs]: AnswerOf<Qs[Index]> }

/** A read: what it yields is asked for in one round trip. */
export type Read<T> = Generator<Query[], T, unknown[]>

/** Asks for several things at once: `const [user, channel] = yield * ask(['user', userId], ['channel', channelId])`. */
export function * ask<const Qs extends Query[]> (...queries: Qs): Generator<Query[], AnswersOf<Qs>, unknown[]> {
  return (yield queries) as AnswersOf<Qs>
}

/** Runs a read on queries that answer at once. */
export function runRead<T> (read: Read<T>, queries: Queries): T {
  let step = read.next()
  while (step.done !== true) {
    step = read.next(step.value.map(([name, ...args]) => (queries[name] as (...args: unknown[]) => unknown)(...args)))
  }
  return step.value
}

/** The same questions, answered after a while. */
export type AsyncQueries = { [Name in QueryName]: (...args: Parameters<Queries[Name]>) => Promise<ReturnType<Queries[Name]>> }

/** Runs a read on queries whose answers are on their way for a while: what is asked for at once is asked together. */
export async function runReadAsync<T> (read: Read<T>, queries: AsyncQueries): Promise<T> {
  let step = read.next()
  while (step.done !== true) {
    step = read.next(await Promise.all(step.value.map(([name, ...args]) => (queries[name] as (...args: unknown[]) => Promise<unknown>)(...args))))
  }
  return step.value
}
