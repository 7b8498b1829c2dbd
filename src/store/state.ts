/** The state that decisions are taken on, and the changes that they come to: shared by every store. */
import type { GroupType, Held, RelayStatus, Ruleset } from '../rules/relay.ts'
import type { NewParticipant } from '../rules/rulesets.ts'
import type { TimelineEventInput } from '../../schemas/timeline.ts'
import type { CreateChannel, EditMessage, SendMessage } from './commands.ts'
import type { Position } from './store.ts'

export interface ChannelState {
  channelKey: number
  channelId: string
  ruleset: Ruleset
  groupType: GroupType
  adminVacant: boolean
  receivingCount: number
  activeAdminCount: number
}

/** A member, or one who has left and was held from something (`status` absent). */
export interface MemberState {
  userId: string
  status?: RelayStatus
  held: Held
  admin: boolean
}

export interface MessageState {
  position: Position
  messageId: string
  channelKey: number
  senderId: string
}

/** The state as the transaction sees it, what it wrote itself included. */
export interface State {
  userExists (userId: string): boolean
  /** Whether the id belongs, or ever belonged, to a user. */
  userIdTaken (userId: string): boolean
  tokenExists (userId: string, tokenId: string): boolean
  channel (channelId: string): ChannelState | undefined
  member (channelKey: number, userId: string): MemberState | undefined
  /** The member who has been active longest, `except` apart. */
  longestActive (channelKey: number, except: string): MemberState | undefined
  /** A message that is there: not deleted, not truncated, its channel neither. */
  message (messageId: string): MessageState | undefined
  messageIdTaken (messageId: string): boolean
  eventIdTaken (eventId: string): boolean
  /** Whether the nonce was taken within the time in which it may not recur. */
  nonceTaken (nonce: string): boolean
}

/** One thing to write; those marked † write one entry. */
export type Change =
  | { change: 'create-user', userId: string, profile: object }
  | { change: 'delete-user', userId: string } // †
  | { change: 'issue-token', userId: string, tokenId: string, parentId?: string, expiresAt?: number }
  | { change: 'revoke-token', tokenId: string } // †
  | { change: 'create-channel', command: CreateChannel, members: NewParticipant[] } // †
  | { change: 'delete-channel', channel: ChannelState } // †
  | { change: 'truncate-channel', channel: ChannelState } // †
  /** `after` absent: left, `held` remembered. */
  | { change: 'member', channel: ChannelState, userId: string, before?: MemberState, after?: MemberState & { status: RelayStatus }, held: Held } // †
  | { change: 'vacate-admin', channel: ChannelState }
  | { change: 'send-message', channel: ChannelState, command: SendMessage } // †
  | { change: 'edit-message', channel: ChannelState, message: MessageState, command: EditMessage } // †
  | { change: 'delete-message', channel: ChannelState, message: MessageState } // †
  | { change: 'add-event', channel: ChannelState, message?: MessageState, event: TimelineEventInput } // †
  | { change: 'take-nonce', nonce: string }
