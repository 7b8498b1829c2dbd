/**
 * What a caller may ask the store to do, and what it answers. Plain data, because commands cross to the
 * thread, or the database, where they are decided.
 *
 * Identifiers arrive checked (rules/identifiers.ts); who may do what is decided with the state, inside
 * the transaction (store/decide.ts).
 */
import type { GroupType, ParticipationStatus, RelayStatus, Role, Ruleset } from '../rules/relay.ts'
import type { NewParticipant } from '../rules/rulesets.ts'
import type { MessageDatum } from '../../schemas/message.ts'
import type { TimelineEventInput } from '../../schemas/timeline.ts'
import type { ChannelParticipation } from '../../schemas/participation.ts'
import type { Cursor } from './store.ts'

export { SYSTEM } from '../rules/identifiers.ts'

/** A user's id, or `SYSTEM`. */
export type Actor = string

/** Makes a repeat answer what the first one answered (contract 6). Kept for 24 h, per actor. */
export interface Idempotency {
  /** The caller's `Idempotency-Key`, 8 to 128 characters. */
  key: string
  /** A digest of method, path and body: the same key with another one is `idempotencyMismatch`. */
  fingerprint: string
}

interface Base {
  actor: Actor
  idempotency?: Idempotency
}

export interface CreateUser extends Base {
  type: 'create-user'
  userId: string
  screenName?: string
  userLocators: unknown[]
  systemUser: boolean
}

/** Marks the user deleted, revokes its tokens, then leaves every channel that allows it, each as an entry. */
export interface DeleteUser extends Base {
  type: 'delete-user'
  userId: string
}

export interface IssueToken extends Base {
  type: 'issue-token'
  userId: string
  tokenId: string
  /** The token that asks for this one, and takes it along when revoked. Absent: the application asks. */
  parentId?: string
  /** Milliseconds since the epoch. Absent: never. */
  expiresAt?: number
}

/** Revokes a token and all that it made. One entry `token-revoked`. */
export interface RevokeToken extends Base {
  type: 'revoke-token'
  userId: string
  tokenId: string
}

/** One entry `channel`, which every participant receives. A user who creates becomes its active admin. */
export interface CreateChannel extends Base {
  type: 'create-channel'
  channelId: string
  ruleset: Ruleset
  groupType: GroupType
  /** As listed, without double ids; who is in it in the end the ruleset says (rules/rulesets.ts). */
  participants: NewParticipant[]
  timelineEvents: TimelineEventInput[]
}

export interface DeleteChannel extends Base {
  type: 'delete-channel'
  channelId: string
}

/** Deletes all messages that the channel has now. A mark; the rows go in the background. */
export interface TruncateChannel extends Base {
  type: 'truncate-channel'
  channelId: string
}

/** A user adds itself only (a join: the group type decides the status); the application anyone. */
export interface AddParticipant extends Base {
  type: 'add-participant'
  channelId: string
  userId: string
  /** What the application asks for; ignored where a user joins. */
  status: RelayStatus
}

export interface RemoveParticipant extends Base {
  type: 'remove-participant'
  channelId: string
  userId: string
}

/** What members do to members (relay.md). `reject` removes; the others leave one entry `participation`. */
export interface ModerateParticipant extends Base {
  type: 'moderate-participant'
  operation: 'accept' | 'reject' | 'mute' | 'unmute'
  channelId: string
  userId: string
}

/** A status by the application, roles by an admin of a GroupChat too. Without a change, no entry. */
export interface ChangeParticipant extends Base {
  type: 'change-participant'
  channelId: string
  userId: string
  newStatus?: ParticipationStatus
  roles?: Role[]
}

export interface SendMessage extends Base {
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
  timelineEvents: TimelineEventInput[]
  entityMetadata?: unknown
}

export interface EditMessage extends Base {
  type: 'edit-message'
  channelId: string
  messageId: string
  textPayload?: string
  messageData?: MessageDatum[]
}

/** All or nothing; one entry `message-deleted` for each. */
export interface DeleteMessages extends Base {
  type: 'delete-messages'
  channelId: string
  /** 1 to 45, without doubles. */
  messageIds: string[]
}

/** An event of a channel's timeline. One entry `channel-timeline`. */
export interface AddChannelEvent extends Base {
  type: 'add-channel-event'
  channelId: string
  event: TimelineEventInput
}

/** An event on the timeline of each of several messages of a channel. One entry `message-timeline` for each. */
export interface AddMessageEvent extends Base {
  type: 'add-message-event'
  channelId: string
  /** 1 to 45, without doubles; with more than one, `event` has no id. */
  messageIds: string[]
  event: TimelineEventInput
}

/** Takes a nonce of a signed call, whose signature has proved good. Throws `claimRejected` where it was taken of late. */
export interface TakeNonce extends Base {
  type: 'take-nonce'
  nonce: string
}

export type Command =
  | AddChannelEvent | AddMessageEvent | TakeNonce
  | CreateUser | DeleteUser | IssueToken | RevokeToken
  | CreateChannel | DeleteChannel | TruncateChannel
  | AddParticipant | RemoveParticipant | ModerateParticipant | ChangeParticipant
  | SendMessage | EditMessage | DeleteMessages

/** JSON text of a schemas/message.ts `Message`: rendered once, for answers and frames alike. */
export type MessageText = string

export interface SendOutcome {
  message: MessageText
  /** Members who receive, the sender included, at the moment of sending. */
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

/** What a command answers when it was carried out. A refusal is thrown as `Refusal` (src/errors.ts). */
export type OutcomeOf<C extends Command> =
  C extends SendMessage ? SendOutcome
    : C extends EditMessage ? EditOutcome
      : C extends AddParticipant ? AddOutcome
        : C extends AddChannelEvent | AddMessageEvent ? EventOutcome
          : C extends ChangeParticipant ? ChangeOutcome
            : Record<string, never>

export type Outcome = ChangeOutcome | EventOutcome | SendOutcome | EditOutcome | AddOutcome | Record<string, never>
