/**
 * What a caller may ask the store to do, and what it answers. Plain data, because commands cross to the
 * thread, or the database, where they are decided.
 *
 * Identifiers arrive checked (rules/identifiers.ts); who may do what is decided with the state, inside
 * the transaction (store/core).
 */
import type { AccessLists } from '../../rules/access.ts'
import type { AclPatch } from '../../rules/access-entries.ts'
import type { GroupType, ParticipationStatus, RelayStatus, Role, Ruleset } from '../../rules/relay.ts'
import type { NewParticipant } from '../../rules/rulesets.ts'
import type { MessageDatum } from '../../../schemas/message.ts'
import type { CheckedTimelineEvent } from '../../../schemas/timeline.ts'
import type { ChannelParticipation } from '../../../schemas/participation.ts'
import type { Cursor } from './log.ts'
import type { AclsOf } from './reads.ts'

export { SYSTEM } from '../../rules/identifiers.ts'

/** A user's id, or `SYSTEM`. */
export type Actor = string

/** Makes a repeat answer what the first one answered (protocol 6). Kept for 24 h, per actor. */
export interface Idempotency {
  /** The caller's `Idempotency-Key`, 8 to 128 characters. */
  key: string
  /** A digest of method, path and body: the same key with another one is `idempotencyMismatch`. */
  fingerprint: string
}

/** Who gives a command. */
export interface GivenBy {
  actor: Actor
  /** The tokens that were shown for the actor, each followed by its maker: revoked ones are `claimRejected`. Absent: the application acts, or acts as a user. */
  lineage?: readonly string[]
  idempotency?: Idempotency
  /**
   * Of the signed call that gives it, whose signature has proved good. Taken before anything else is looked at, and kept
   * though the command is refused. Throws `claimRejected` where it was taken of late.
   */
  nonce?: string
}

export interface CreateUser extends GivenBy {
  type: 'create-user'
  userId: string
  screenName?: string
  userLocators: unknown[]
  systemUser: boolean
}

/** Marks the user deleted and its tokens revoked. It leaves every channel that allows it, each as an entry, before this is answered. */
export interface DeleteUser extends GivenBy {
  type: 'delete-user'
  userId: string
}

export interface IssueToken extends GivenBy {
  type: 'issue-token'
  userId: string
  tokenId: string
  /** The token that asks for this one, and takes it along when revoked. Absent: the application asks. */
  parentId?: string
  /** Milliseconds since the epoch. Absent: never. */
  expiresAt?: number
}

/** A receive-only token, stored nowhere: what is remembered of it is when it ends, for repeats. */
export interface IssueEventToken extends GivenBy {
  type: 'issue-event-token'
  /** When it ends, in milliseconds since the epoch; and its maker, where that ends. */
  expiresAt: number
  parentExpiresAt?: number
}

/** Revokes tokens of a user and all that they made, all or none. One entry `token-revoked` for each. */
export interface RevokeTokens extends GivenBy {
  type: 'revoke-tokens'
  userId: string
  /** 1 to 45, without doubles. */
  tokenIds: string[]
}

/** One entry `channel`, which every participant receives. A user who creates becomes its active admin. */
export interface CreateChannel extends GivenBy {
  type: 'create-channel'
  channelId: string
  ruleset: Ruleset
  groupType: GroupType
  /** As listed, without double ids; who is in it in the end the ruleset says (rules/rulesets.ts). */
  participants: NewParticipant[]
  timelineEvents: CheckedTimelineEvent[]
  acls?: AccessLists
}

export interface DeleteChannel extends GivenBy {
  type: 'delete-channel'
  channelId: string
}

/** Deletes all messages that the channel has now. A mark; the rows go in the background. */
export interface TruncateChannel extends GivenBy {
  type: 'truncate-channel'
  channelId: string
}

/** A user adds itself only (a join: the group type decides the status); the application anyone. */
export interface AddParticipant extends GivenBy {
  type: 'add-participant'
  channelId: string
  userId: string
  /** What the application asks for; ignored where a user joins. */
  status: RelayStatus
}

export interface RemoveParticipant extends GivenBy {
  type: 'remove-participant'
  channelId: string
  userId: string
}

/** What members do to members (relay.md). `reject` removes; the others leave one entry `participation`. */
export interface ModerateParticipant extends GivenBy {
  type: 'moderate-participant'
  operation: 'accept' | 'reject' | 'mute' | 'unmute'
  channelId: string
  userId: string
}

/** A status by the application, roles by an admin of a GroupChat too. Without a change, no entry. */
export interface ChangeParticipant extends GivenBy {
  type: 'change-participant'
  channelId: string
  userId: string
  newStatus?: ParticipationStatus
  roles?: Role[]
}

export interface SendMessage extends GivenBy {
  type: 'send-message'
  channelId: string
  messageId: string
  /** The actor itself, or, from the application, anyone who exists. */
  senderId: string
  messageType: string
  payloadType: string
  textPayload: string
  messageData: MessageDatum[]
  /** Where none has the type `mitter.mtet.SentTime`, the store puts one in front. */
  timelineEvents: CheckedTimelineEvent[]
  acls?: AccessLists
}

export interface EditMessage extends GivenBy {
  type: 'edit-message'
  channelId: string
  messageId: string
  textPayload?: string
  messageData?: MessageDatum[]
}

/** All or nothing; one entry `message-deleted` for each. */
export interface DeleteMessages extends GivenBy {
  type: 'delete-messages'
  channelId: string
  /** 1 to 45, without doubles. */
  messageIds: string[]
}

/** An event of a channel's timeline. One entry `channel-timeline`. */
export interface AddChannelEvent extends GivenBy {
  type: 'add-channel-event'
  channelId: string
  event: CheckedTimelineEvent
}

/** An event on the timeline of each of several messages of a channel. One entry `message-timeline` for each. */
export interface AddMessageEvent extends GivenBy {
  type: 'add-message-event'
  channelId: string
  /** 1 to 45, without doubles; with more than one, `event` has no id. */
  messageIds: string[]
  event: CheckedTimelineEvent
}

/** Changes an entity's own access control lists: one entry, or none where nothing changes. The application's are no part of the log. */
export interface ChangeAcls extends GivenBy {
  type: 'change-acls'
  of: AclsOf
  patch: AclPatch
}

/** Nothing but the taking of its nonce, for a signed call that comes to no other command. */
export interface TakeNonce extends GivenBy {
  type: 'take-nonce'
  nonce: string
}

export type Command =
  | AddChannelEvent | AddMessageEvent | TakeNonce
  | CreateUser | DeleteUser | IssueToken | IssueEventToken | RevokeTokens
  | CreateChannel | DeleteChannel | TruncateChannel
  | AddParticipant | RemoveParticipant | ModerateParticipant | ChangeParticipant
  | SendMessage | EditMessage | DeleteMessages | ChangeAcls

/** JSON text of a schemas/message.ts `Message`: rendered once, for answers and frames alike. */
export type MessageText = string

export interface SendOutcome {
  message: MessageText
  /** Participants who may read it, the sender included, and others whom it names, at the moment of sending. */
  recipientsCount: number
  /** The cursor of the message's entry. */
  cursor: Cursor
}

export interface EditOutcome {
  message: MessageText
}

export interface EventOutcome {
  /** Of several, the first. */
  eventId: string
}

export interface AddOutcome {
  participation: ChannelParticipation
}

export interface ChangeOutcome {
  before: ChannelParticipation
  after: ChannelParticipation
}

/** What was made, by its id. */
export interface CreateOutcome {
  identifier: string
}

/** Enough to sign the token, again too. */
export interface TokenOutcome {
  tokenId: string
  expiresAt?: number
}

export interface EventTokenOutcome {
  expiresAt: number
  parentExpiresAt?: number
}

interface Outcomes {
  'send-message': SendOutcome
  'edit-message': EditOutcome
  'add-participant': AddOutcome
  'add-channel-event': EventOutcome
  'add-message-event': EventOutcome
  'change-participant': ChangeOutcome
  'create-user': CreateOutcome
  'create-channel': CreateOutcome
  'issue-token': TokenOutcome
  'issue-event-token': EventTokenOutcome
}

type Nothing = Record<string, never>

/** What a command answers when it was carried out. A refusal is thrown as `Refusal` (src/errors.ts). */
export type OutcomeOf<C extends Command> = C['type'] extends keyof Outcomes ? Outcomes[C['type']] : Nothing

export type Outcome = Outcomes[keyof Outcomes] | Nothing
