/**
 * The store's contract: an append-only log with the state that it makes, kept by store/sqlite (and, for
 * several nodes, by PostgreSQL). test/store/contract.ts runs on every implementation.
 */
import type { Channel, ParticipatedChannel } from '../../schemas/channel.ts'
import type { ChannelParticipation } from '../../schemas/participation.ts'
import type { ChannelTimelineEntry, MessageTimelineEntry } from '../../schemas/timeline.ts'
import type { User } from '../../schemas/user.ts'
import type { RelayStatus, Ruleset } from '../rules/relay.ts'
import type { Actor, Command, MessageText, OutcomeOf } from './commands.ts'

/** A place in the log: 1 for the first entry, no holes, in the order of commits. 0 is before the first. */
export type Position = number

/**
 * A position as a client holds it: printable ASCII, at most 64 characters, opaque. It names one entry of
 * one history: the store's epoch, the position, and a random tag that was written with the entry.
 */
export type Cursor = string

export interface Place {
  position: Position
  cursor: Cursor
}

/** What happened. All but the last two reach streams; those end streams (contract 2, revocation). */
export type EntryKind =
  | 'message' | 'message-updated' | 'message-deleted' | 'messages-truncated' | 'message-timeline'
  | 'channel' | 'channel-deleted' | 'channel-timeline'
  | 'participation' | 'participation-deleted'
  | 'token-revoked' | 'user-deleted'

/** One entry of the log, with all that a node needs to decide whose streams carry it. */
export interface Entry extends Place {
  kind: EntryKind
  /** The channel, by a number of its own that is never given again: a channel re-created under an old id has another. */
  channelKey?: number
  /** The user whom a participation entry, or a `user-deleted`, concerns. It gets the entry whatever its rights. */
  concerns?: string
  /** participation entries: whether `concerns` receives the channel from here on. */
  receives?: boolean
  /** participation entries: whether `concerns` is in the channel, in whatever status, from here on. */
  member?: boolean
  /** `channel` entries, live only: everyone who is in it from its first moment. */
  members?: Array<{ userId: string, receives: boolean }>
  /** `token-revoked`: the token; all that it made are revoked with it. */
  tokenId?: string
  /**
   * JSON text of an object: the event's data beyond `@type` and `globalPipelinePayloadId` (contract 8).
   * Absent where no stream carries the entry: internal ones, and those whose content was deleted.
   */
  payload?: string
}

/** Whose tail of the log a stream is. */
export type Interest =
  | { of: 'application' }
  | { of: 'user', userId: string }
  /** `userId` absent: the application reads, entitled as long as the channel exists. */
  | { of: 'channel', channelId: string, channelKey: number, userId?: string }

/** What a reader's rights are at a place of the log: enough to decide every later entry from the entries alone. */
export interface Rights {
  /** The channels that the user is in; of those that it does not receive, their deletion concerns it. Of a channel stream: that one, if it exists and the reader is in it. */
  channels: Array<{ channelKey: number, receives: boolean }>
}

/** A piece of a replay. */
export interface Page {
  /** In log order; only what the reader was entitled to at the entry's position and is now, or what concerns it. */
  entries: Entry[]
  /** Everything up to here has been looked at, delivered or not. */
  through: Place
  /** Present where `through` was the log's end when the page was read: the rights at that very place. */
  rights?: Rights
}

/** Where a reader wants to go on. */
export type Resume = { from: 'head' } | { from: 'earliest' } | { from: 'cursor', cursor: string }

/** Where it may. */
export interface StreamStart {
  interest: Interest
  place: Place
  /** The asked-for cursor cannot be gone on from; `place` is then the log's head. */
  gap?: 'expired' | 'unknown'
}

/** What a client asked to stream. */
export type StreamRequest =
  | { of: 'application' }
  | { of: 'user', userId: string }
  | { of: 'channel', channelId: string, actor: Actor }

/** Rows as of one moment, with the log's head at that same moment (contract 8, promise 6). */
export interface Snapshot<T> {
  value: T
  cursor: Cursor
}

/** One page of a list (contract 1, rule 8). At most one of `before` and `after`. */
export interface PageRequest {
  /** An entity id, exclusive; newest first. */
  before?: string
  /** An entity id, exclusive; oldest first. */
  after?: string
  /** 1 to 200. */
  limit: number
  /** Rows to pass over, 0 to 10,000. */
  offset: number
}

export interface ListPage<T> {
  items: T[]
  /** All that there are, from a kept counter. */
  total: number
}

export interface ChannelFilter {
  /** Whether SystemChannels are listed too. */
  includeSystemChannels: boolean
  ruleset?: Ruleset
}

export interface EventFilter {
  /** Absent: all. */
  types?: string[]
  /** Events of each channel or message at most. Absent: all. */
  limit?: number
}

export interface TokenState {
  userId: string
  /** The token's own id, its maker's, and so on: the revocation of any of them revokes this one. */
  lineage: string[]
  /** None of the lineage was revoked and the user was not deleted. */
  live: boolean
}

export interface TokenInfo {
  tokenId: string
  createdAt: number
  expiresAt?: number
}

/** Reads decide rights in the snapshot that they read: they throw the same `Refusal`s as commands. */
export interface Reads {
  getUser (userId: string): Promise<User>
  listUsers (page: PageRequest): Promise<ListPage<User>>
  /** Undefined: no such token was ever issued, or its row has gone. */
  getToken (tokenId: string): Promise<TokenState | undefined>
  listTokens (userId: string): Promise<TokenInfo[]>
  /** Participants of any status, the application, and for a `public` channel any user. All of them or none. */
  getChannels (actor: Actor, channelIds: string[]): Promise<Snapshot<Channel[]>>
  /** Channels in the order in which they were made. */
  listChannels (page: PageRequest, filter: ChannelFilter): Promise<Snapshot<ListPage<Channel>>>
  /** The channels that a user is in, in whatever status, in the order in which they were made. */
  listChannelsOf (userId: string, page: PageRequest, filter: ChannelFilter): Promise<Snapshot<ListPage<ParticipatedChannel>>>
  /** Participants that receive each of the channels, and the application. Channel by channel, in order of adding. */
  listChannelEvents (actor: Actor, channelIds: string[], filter: EventFilter): Promise<Snapshot<ChannelTimelineEntry[]>>
  /** Participants that receive, and the application. Message by message, in order of adding. */
  listMessageEvents (actor: Actor, channelId: string, messageIds: string[], filter: EventFilter): Promise<Snapshot<MessageTimelineEntry[]>>
  /** Participants that receive, and the application. In order of joining; the first `limit` of them, all where it is absent. */
  listParticipants (actor: Actor, channelId: string, statuses: RelayStatus[], limit?: number): Promise<Snapshot<ChannelParticipation[]>>
  /** Participants that receive, and the application. */
  listMessages (actor: Actor, channelId: string, page: PageRequest): Promise<Snapshot<ListPage<MessageText>>>
  getMessage (actor: Actor, messageId: string): Promise<Snapshot<MessageText>>
}

export interface Store extends Reads {
  /**
   * Carries out one command: reads the state that it depends on, decides, writes state and entries, all
   * in one transaction, shared with whatever else is waiting (group commit). Commands are carried out in
   * the order of the calls. Resolves after the transaction is on disk AND its entries were handed to the
   * listeners of `onCommitted`. Throws `Refusal`; a refused command has changed nothing and does not
   * touch its neighbours. `unavailable` where the disk is full or away: nothing was changed then either.
   */
  append<C extends Command> (command: C): Promise<OutcomeOf<C>>

  /**
   * Checks that the reader may stream this and finds the place to start at, in one snapshot.
   * Throws `channelNotFound`, `actorNotInGroup`, `pending`, `disabled`.
   */
  openStream (request: StreamRequest, resume: Resume): Promise<StreamStart>

  /**
   * Entries after a position that the reader may have, in log order, without holes or doubles.
   * At most `limit` (1 to 500) and about 256 KiB a page. A page without entries is not the end: `rights` says that.
   */
  read (interest: Interest, after: Position, limit: number): Promise<Page>

  /** The log's head as last committed. */
  head (): Promise<Place>

  /**
   * Calls back with each committed batch of entries, in log order, each entry once, without holes,
   * starting after the head at the moment of the call. Returns a function that ends it.
   */
  onCommitted (listener: (entries: Entry[]) => void): () => void

  /** Resolves when the store can answer; throws `unavailable`. */
  check (): Promise<void>

  /** Carries out all background work that is due now: removal of marked rows, retention. For tests and tools. */
  settle (): Promise<void>

  /** Waits for commands under way, then lets go of everything. Idempotent. */
  close (): Promise<void>
}
