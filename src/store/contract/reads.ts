/** What can be read, as it goes over the wire. Reads decide rights in the snapshot that they read. */
import type { Access, EntityAcls } from '../../../schemas/access.ts'
import type { Channel, ParticipatedChannel } from '../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../schemas/participation.ts'
import type { ChannelTimelineEntry, MessageTimelineEntry } from '../../../schemas/timeline.ts'
import type { User } from '../../../schemas/user.ts'
import type { RelayStatus, Ruleset } from '../../rules/relay.ts'
import type { Actor, MessageText } from './commands.ts'
import type { Cursor } from './log.ts'

/** Rows as of one moment, with the log's head at that same moment (protocol 8, promise 6). */
export interface Snapshot<T> {
  value: T
  cursor: Cursor
}

/** One page of a list of channels, users or messages (protocol 1, rule 8). At most one of `before` and `after`. */
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

/** One page of a list that only goes forward: participants, timelines. */
export interface ForwardRequest {
  /** An entity id, or what a page's `next` said; exclusive. */
  after?: string
  /** 1 to 1,000. */
  limit: number
}

export interface ListPage<T> {
  items: T[]
  /** Where there are more: what to go on from, in the direction of the page. An id, or a place that does not go with what stood there. */
  next?: string
  /** Of an offset that was not reached: what is left of it. */
  nextOffset?: number
}

export interface CountedPage<T> extends ListPage<T> {
  /** All that there are, from a kept counter. */
  total: number
}

export interface ChannelFilter {
  /** Whether SystemChannels are listed too. */
  includeSystemChannels: boolean
  ruleset?: Ruleset
}

export interface EventRequest extends ForwardRequest {
  /** Absent: all. */
  types?: string[]
}

export interface TokensRequest extends ForwardRequest {
  /** When they are to be good, in milliseconds since the epoch, by the clock that tokens end by. */
  at: number
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

/** Whose access control lists. */
export type AclsOf = { kind: 'application' } | { kind: 'channel', channelId: string } | { kind: 'message', messageId: string }

export interface AccessRequest {
  privilege: string
  /** Absent: whoever asks. */
  userId?: string
  /** The message of the channel that it is about. */
  messageId?: string
}

/** All of them throw the same `Refusal`s as commands, and `unavailable` where the store cannot answer. */
export interface Reads {
  /** Itself, and the application. */
  getUser (actor: Actor, userId: string): Promise<User>
  /** The application. */
  listUsers (actor: Actor, page: PageRequest): Promise<CountedPage<User>>
  /** Undefined: no such token was ever issued, or its row has gone. */
  getToken (tokenId: string): Promise<TokenState | undefined>
  /** Whether there is such a user, not deleted. */
  userExists (userId: string): Promise<boolean>
  /**
   * The user itself, and the application. Those that are good, in the order in which they were made. A page ends early
   * where many that are not good, or the makers of many others, were looked at: it may be empty, and still go on.
   */
  listTokens (actor: Actor, userId: string, request: TokensRequest): Promise<ListPage<TokenInfo>>
  /** Participants of any status, the application, and for a `public` channel any user. All of them or none. */
  getChannels (actor: Actor, channelIds: string[]): Promise<Snapshot<Channel[]>>
  /** The application. Channels in the order in which they were made. */
  listChannels (actor: Actor, page: PageRequest, filter: ChannelFilter): Promise<Snapshot<CountedPage<Channel>>>
  /** The user itself, and the application. Channels that it is in, in whatever status, in the order in which they were made. */
  listChannelsOf (actor: Actor, userId: string, page: PageRequest, filter: ChannelFilter): Promise<Snapshot<CountedPage<ParticipatedChannel>>>
  /** Participants that receive each of the channels, and the application. Channel by channel, in order of adding; `limit` of each. `limitExceeded`: several hold too much. */
  listChannelEvents (actor: Actor, channelIds: string[], request: EventRequest): Promise<Snapshot<ListPage<ChannelTimelineEntry>>>
  /** Participants that receive, and the application. Message by message, in order of adding; `limit` of each. `limitExceeded`: several hold too much. */
  listMessageEvents (actor: Actor, channelId: string, messageIds: string[], request: EventRequest): Promise<Snapshot<ListPage<MessageTimelineEntry>>>
  /** Participants that receive, and the application. In order of joining. */
  listParticipants (actor: Actor, channelId: string, statuses: RelayStatus[], request: ForwardRequest): Promise<Snapshot<ListPage<ChannelParticipation>>>
  /** Participants that receive, and the application. */
  listMessages (actor: Actor, channelId: string, page: PageRequest): Promise<Snapshot<CountedPage<MessageText>>>
  /** Participants that receive, its sender, and the application. One that may not be read is not there: `messageNotFound`. */
  getMessage (actor: Actor, messageId: string): Promise<Snapshot<MessageText>>
  /** Whoever may read the entity; of the application itself the application. */
  getAcls (actor: Actor, of: AclsOf): Promise<Snapshot<EntityAcls>>
  /** Of itself anybody, of others an active admin and the application. */
  explainAccess (actor: Actor, channelId: string, request: AccessRequest): Promise<Access>
}
