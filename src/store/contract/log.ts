/**
 * The log: one append-only sequence of everything that a subscriber may need to see, and how it is read. Every
 * change is one entry of it, written in the same transaction as the change itself.
 */
import type { AccessLists } from '../../rules/access.ts'
import type { RelayStatus } from '../../rules/relay.ts'
import type { Actor } from './commands.ts'

/** A place in the log: 1 for the first entry, no holes, in the order of commits. 0 is before the first. */
export type Position = number

/**
 * A position as a client holds it: printable ASCII, at most 64 characters, opaque. It names one entry of
 * one history: the store's epoch, the position, and a random tag that was written with the entry. Only a
 * store compares cursors.
 */
export type Cursor = string

export interface Place {
  position: Position
  cursor: Cursor
}

/** What happened. All but the last two reach streams; those end streams (protocol 2, revocation). */
export type EntryKind =
  | 'message' | 'message-updated' | 'message-deleted' | 'messages-truncated' | 'message-timeline'
  | 'channel' | 'channel-deleted' | 'channel-timeline'
  | 'participation' | 'participation-deleted' | 'channel-acls-changed'
  | 'token-revoked' | 'user-deleted'

/** A user's standing in a channel from an entry on. Without status: it is not in the channel any more. */
export interface Standing {
  userId: string
  status?: RelayStatus
  admin: boolean
}

/**
 * One entry of the log, with all that a node needs to decide whose streams carry it: a node that only reads
 * the log fans out, revokes and narrows rights exactly as the one that wrote it.
 */
export interface Entry extends Place {
  kind: EntryKind
  /** The channel, by a number of its own that is never given again: a channel re-created under an old id has another. */
  channelKey?: number
  /** participation entries: whom the entry concerns, who gets it whatever its rights, and its standing from here on. */
  standing?: Standing
  /** `channel` entries, of the tail and of commits: everyone who is in it from its first moment. */
  members?: Standing[]
  /** Entries of messages: the message. */
  messageId?: string
  /** `token-revoked`: the token; all that it made are revoked with it. */
  tokenId?: string
  /** `user-deleted`: the user. */
  userId?: string
  /** Of a message that has access control lists, or had, and of what is about it. */
  access?: MessageListing
  /** `channel`, participation entries and `channel-acls-changed`: the channel's own lists from here on. */
  channelLists?: AccessLists
  /** Of a change of lists: what those are told who might read before it, and may not from here on. */
  otherwise?: Entry
  /** Of the first entry of a batch, where the node that wrote it is told of that: the cursor of the place before it. */
  follows?: Cursor
  /**
   * JSON text of an object: the event's data beyond `@type` and `globalPipelinePayloadId` (protocol 8).
   * Absent where no stream carries the entry: internal ones, and those whose content was deleted.
   */
  payload?: string
}

/** Who may have what is about a message, as of an entry. */
export interface MessageListing {
  lists?: AccessLists | undefined
  /** Where the entry changes them: those up to it. */
  before?: { lists?: AccessLists | undefined }
}

/**
 * Why nothing can be gone on from a place. `expired`: some of what came after it has fallen out of retention. `unknown`: it
 * is no place of this log; so it is where a database that had missed the newest commits has taken the place of the one that
 * had them.
 */
export type Gap = 'expired' | 'unknown'

/** A piece of the whole log. */
export interface Tail {
  /** Every entry after the place asked for, internal ones included, in order and without holes. Empty: that place is the head. */
  entries: Entry[]
  /** The log's head when it was read. */
  head: Place
  /** There is nothing to be had before the head. */
  gap?: Gap
}

/** Whose tail of the log a stream is. */
export type Interest =
  | { of: 'application' }
  | { of: 'user', userId: string }
  /** `userId` absent: the application reads, entitled as long as the channel exists. */
  | { of: 'channel', channelId: string, channelKey: number, userId?: string }

/** What a client asked to stream. */
export type StreamRequest =
  | { of: 'application' }
  | { of: 'user', userId: string }
  | { of: 'channel', channelId: string, actor: Actor }

/** Where a reader wants to go on. */
export type Resume = { from: 'head' } | { from: 'earliest' } | { from: 'cursor', cursor: string }

/** Where it may. */
export interface StreamStart {
  interest: Interest
  place: Place
  /** The asked-for cursor cannot be gone on from; `place` is then the log's head. */
  gap?: Gap
}

/** What a reader's rights are at a place of the log: enough to decide every later entry from the entries alone. */
export interface Rights {
  /** The channels that the reader is in, in whatever status. Of a channel stream: that one, if it exists; without a status, the reader is not in it. */
  channels: Array<{ channelKey: number, status?: RelayStatus, admin: boolean, lists?: AccessLists }>
  /** Channels of which messages that were not truncated since have named the reader. */
  named?: number[]
}

/**
 * What a store knows at the end of a page of where the next one goes on: a hint. It saves the next read from looking
 * at every channel of the reader again, and never decides what is read: a read without it, or with one that holds no
 * more, gives the same entries.
 */
export interface Ahead {
  /** The page that it was made with ended here. */
  readonly after: Position
}

/** A piece of a replay. */
export interface Page {
  /** In log order; only what the reader was entitled to at the entry's position and was when the page was read, or what concerns it. */
  entries: Entry[]
  /** Of a user, or of a user in a channel: its places in the channels that the entries are of, at `head`; a channel that is not here it is not in. */
  places?: Rights['channels']
  /** Channels of which messages have named the reader, and were truncated: that concerns it wherever it is. */
  named?: number[]
  /** Of messages that the entries are about, those which have lists, or had: what these are at `head`. */
  messageLists?: Array<[messageId: string, lists: AccessLists | undefined]>
  /** Everything up to here has been looked at, delivered or not. */
  through: Place
  /** The log's head when the page was read: a right that ended later, or a text that was deleted, the page does not know of. */
  head: Place
  /** Present where `through` is that head: the rights at that very place. */
  rights?: Rights
  /** For the next read of the same reader. */
  ahead?: Ahead
  /** The place cannot be gone on from. `expired`: `through` is the head. `unknown`: nothing else of the page is of use. */
  gap?: Gap
}

/** What a reader may have now. */
export interface RightsNow {
  /** As of `head`. */
  rights: Rights
  head: Place
  /** Retention has removed what lies up to here. */
  floor: Position
}

/** What a store tells of the log. */
export interface Log {
  /** The head as last committed. */
  head (): Promise<Place>

  /**
   * Every entry after a place, internal ones included, in order, without holes or doubles: at most
   * `limit` (1 to 500) and about 256 KiB. Whether the log has that place, too, is found in the same snapshot.
   */
  tail (after: Place, limit: number): Promise<Tail>

  /**
   * Calls back after commits. With this node's own entries, complete and in order; with none where it only
   * learns that others have written: a hint, which may come late, twice or never. The log is the truth.
   * Returns a function that ends it.
   * @param listener `upTo`, of a hint: how far the log goes at least, where that is known
   */
  onCommitted (listener: (entries: Entry[], upTo?: Position) => void): () => void

  /**
   * Checks that the reader may stream this and finds the place to start at, in one snapshot.
   * Throws `channelNotFound`, `userNotFound`, `actorNotInGroup`, `pending`, `disabled`, `missingPrivilege`.
   */
  openStream (request: StreamRequest, resume: Resume): Promise<StreamStart>

  /**
   * Entries after a place that the reader may have, in log order, without holes or doubles: at most
   * `limit` (1 to 500) and about 256 KiB. A page without entries is not the end: `rights` says that.
   * @param ahead of the page before: with it a replay looks at each channel of its reader once, not in every page
   */
  read (interest: Interest, after: Place, limit: number, ahead?: Ahead): Promise<Page>

  /** The reader's rights as of the head: what `read` says with its last page. */
  rights (interest: Interest): Promise<RightsNow>
}
