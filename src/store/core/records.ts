/** What a store keeps, as plain records: one kind for each table, whatever database holds them. */
import type { AccessLists } from '../../rules/access.ts'
import type { ReaderClass } from '../../rules/audience.ts'
import type { GroupType, Held, RelayStatus, Ruleset } from '../../rules/relay.ts'
import type { EntryKind, Position, Standing } from '../contract/log.ts'

/** Keys are numbers of the store's own, allotted here and never given again; `.system` has 0. */
export interface UserRecord {
  userKey: number
  userId: string
  /** JSON text: screenName, userLocators, systemUser; `{}` once the user is deleted. */
  profile: string
  createdAt: number
  updatedAt: number
  deletedAt?: number
  /** A deleted user that still has channels to leave. */
  leaving: boolean
}

export interface TokenRecord {
  tokenId: string
  userKey: number
  /** The token that asked for this one. */
  parentId?: string
  createdAt: number
  expiresAt?: number
  revokedAt?: number
}

export interface ChannelRecord {
  channelKey: number
  channelId: string
  ruleset: Ruleset
  groupType: GroupType
  createdAt: number
  updatedAt: number
  createdPosition: Position
  deletedPosition?: Position
  /** Messages up to here are deleted. */
  truncatedPosition: Position
  /** Its newest entry: a replay passes over channels without news. */
  lastPosition: Position
  /** Deleted messages still have rows with content. */
  erasing: boolean
  /** It is deleted, and its members are still to be told so by their rows. */
  closing: boolean
  /** The first to become active becomes admin. */
  adminVacant: boolean
  /** Members who are active or muted, and those of the other statuses. */
  receivingCount: number
  mutedCount: number
  pendingCount: number
  disabledCount: number
  activeAdminCount: number
  /** Messages that are there, but for those that name their readers. */
  messageCount: number
  /** Its own access control lists. */
  acls?: AccessLists
  /** The entry that gave it these; absent: it never had any. */
  aclsPosition?: Position
  /** Messages that are there and name their readers; absent: no message of it ever had lists. */
  listedCounts?: ListedCounts
}

/** By class of readers, each message in as many as it names; `all`: each once. */
export type ListedCounts = { [Class in ReaderClass | 'all']?: number }

/** The id of a channel that exists now. */
export interface LivingChannel {
  channelId: string
  channelKey: number
}

/** A member, or one who has left and was held from something (`status` absent). */
export interface MemberRecord {
  channelKey: number
  userKey: number
  userId: string
  participationId: string
  status?: RelayStatus
  held: Held
  admin: boolean
  joinedAt: number
  /** The entry that made it a member. */
  sincePosition: Position
  /** The entry since which it is active. */
  activePosition?: Position
  /** The entry that deleted the channel. */
  closedPosition?: Position
  createdAt: number
  updatedAt: number
}

/** From which entry to which (exclusive; absent: still) a member had a status and a role. */
export interface IntervalRecord {
  userKey: number
  channelKey: number
  fromPosition: Position
  untilPosition?: Position
  status: RelayStatus
  admin: boolean
}

/** A user as entries name it. */
export interface UserReference {
  userKey: number
  userId: string
  deleted: boolean
}

/** A message without its content. */
export interface MessageRecord {
  position: Position
  messageId: string
  channelKey: number
  sender: UserReference
  at: number
  /** Its content has not been erased; whether its channel was truncated or deleted, the channel's record says. */
  present: boolean
  /** Its newest edit. */
  editPosition?: Position
  /** Its own access control lists. */
  acls?: AccessLists
  /** The entry that gave it these, if not its own. */
  aclsPosition?: Position
}

/** The lists that an entity had up to an entry, and has from then on. */
export interface ListsChange {
  before?: AccessLists | undefined
  after?: AccessLists | undefined
  /** Of a message: the edit that its content is of, and when that was. */
  edit?: Position
  editedAt?: number
}

/** Where a message is found by those who may read it, and what is about it by those whom it names. */
export interface AudienceRecord {
  channelKey: number
  /** `named`: by a user; `about`: by a user, and not the message but what is about it. */
  class: ReaderClass | 'named' | 'about'
  /** Of a class: 0. */
  userKey: number
  position: Position
}

/** The application's own access control lists. */
export interface ApplicationRecord {
  acls?: AccessLists | undefined
}

/** Whether a message is there: of this channel, not deleted, not truncated. */
export function isPresent (message: MessageRecord | undefined, channel: ChannelRecord): message is MessageRecord {
  return message !== undefined && message.channelKey === channel.channelKey && message.present && message.position > channel.truncatedPosition
}

/** What hangs on a message and goes with it, as far as one step of erasing goes: its edits, and its events up to the log's floor. */
export interface Remains {
  edits: Position[]
  events: Position[]
  /** Of text, in all of them. */
  bytes: number
  more: boolean
}

/** A timeline event's id that is taken; `entry`: the event is an entry of its own, which keeps the id. */
export interface EventIdRecord {
  eventId: string
  entry: boolean
}

export interface NonceRecord {
  nonce: string
  at: number
}

/** What a request under an `Idempotency-Key` came to. */
export interface ReplyRecord {
  actor: string
  key: string
  fingerprint: string
  at: number
  /** JSON text of a `Remembered` (decide/idempotency.ts): nothing of messages, people or tokens but their ids. */
  remembered: string
}

/** Timeline events that came with a new channel: JSON text of an array of schemas/timeline.ts `TimelineEvent`. */
export interface CreationEvents {
  channelKey: number
  events: string
  /** Users whom the events are about. */
  subjects: number[]
}

/**
 * Where an entry is looked for, so that lists and replays step over nothing that they do not want:
 * messages that are there; every other event; what has nothing left to deliver; of that the messages whose edits are
 * still to go; and messages that are there and name their readers.
 */
export const lanes = { message: 0, event: 1, nothing: 2, erased: 3, listed: 4 } as const
export type Lane = (typeof lanes)[keyof typeof lanes]

/** A change of a message's lists is told of as an edit, or as a deletion. It has no body of its own: its content is that of the message, or of an edit. */
export type RecordKind = EntryKind | 'message-acls-changed'

/** An entry of the log, which is the message too where it is one: a message's text is stored once. */
export interface EntryRecord {
  position: Position
  /** Random: tells this history from a restored one's. */
  tag: number
  at: number
  kind: RecordKind
  lane: Lane
  channelKey?: number
  /** Of messages and edits the sender, of timeline events the subject. */
  senderKey?: number
  /** Whom a participation entry or a `user-deleted` is about. */
  aboutKey?: number
  messageId?: string
  /** Of edits, timeline events and the deletion of a message: the message's own entry. */
  messagePosition?: Position
  /** Of timeline events. */
  eventId?: string
  eventType?: string
  /** Users whom events within the body are about, the sender apart, and, of a new channel, those whom its lists name. */
  subjects?: number[]
  /** Of a `channel` entry: everyone who is in it. */
  members?: Standing[]
  /** Of a message: its own access control lists, as they are now. */
  acls?: AccessLists
  /** Of a change of lists. */
  change?: ListsChange
  /** JSON text; absent where there is none, or where the content is gone. */
  body?: string
}

/** An entry with what it takes to tell of it now. */
export interface EntryView {
  record: EntryRecord
  channel?: Pick<ChannelRecord, 'channelId' | 'truncatedPosition' | 'deletedPosition' | 'acls'>
  sender?: UserReference
  about?: UserReference
  /** Of what is about a message. */
  message?: Pick<MessageRecord, 'at' | 'present'>
  /** Of a message that has access control lists, or had, and of what is about it: those as of the entry, and now. */
  lists?: { then?: AccessLists | undefined, now?: AccessLists | undefined }
  /** Of its channel, as of the entry. */
  channelLists?: AccessLists
  /** Users named within the body, or by its lists, who were deleted since. */
  gone: string[]
}

/** What a store knows of its log before a batch, and has to keep after it. */
export interface LogState {
  epoch: string
  /** The newest entry. Tag and time of the floor's where there is none above it. */
  position: Position
  tag: number
  at: number
  /** The end of retention: no replay goes back beyond this position. */
  floor: { position: Position, tag: number }
  /** Up to here rows that have fallen out of retention are removed. */
  removedPosition: Position
  lastUserKey: number
  lastChannelKey: number
}

/** Kept counts of all that there is. */
export type Total = 'users' | 'channels' | 'system-channels'
