/**
 * From a command and the state it meets to the changes that carry it out, or a refusal: the same for
 * every store, called inside the transaction that stores the outcome. Reads only through `State`;
 * a refusal is thrown before any change is made.
 */
import { refuse, refuseWith } from '../errors.ts'
import {
  heldAfterLeaving, joinTable, mustSend, statusTable,
  type GroupType, type Held, type RelayStatus, type Ruleset
} from '../rules/relay.ts'
import { accept, change, mute, reject, unmute, type Case, type Standing } from '../rules/moderation.ts'
import { membersAtCreation, mustAllowMembershipChange, SYSTEM_CHANNEL, type NewParticipant } from '../rules/rulesets.ts'
import { mustAddEvent, mustBeOwnEvent } from '../rules/timelines.ts'
import type { TimelineEventInput } from '../../schemas/timeline.ts'
import { SYSTEM, type Actor, type Command, type CreateChannel, type EditMessage, type ModerateParticipant, type SendMessage } from './commands.ts'
import type { Position } from './store.ts'

export interface ChannelState {
  channelKey: number
  channelId: string
  ruleset: Ruleset
  groupType: GroupType
  truncatedPosition: Position
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

export function decide (command: Command, state: State): Change[] {
  switch (command.type) {
    case 'create-user':
      if (state.userIdTaken(command.userId)) throw refuse('userExists', command.userId)
      return [{
        change: 'create-user',
        userId: command.userId,
        profile: { ...(command.screenName === undefined ? {} : { screenName: command.screenName }), userLocators: command.userLocators, systemUser: command.systemUser }
      }]
    case 'delete-user':
      mustExist(state, command.userId)
      return [{ change: 'delete-user', userId: command.userId }]
    case 'issue-token':
      mustExist(state, command.userId)
      return [{
        change: 'issue-token',
        userId: command.userId,
        tokenId: command.tokenId,
        ...(command.parentId === undefined ? {} : { parentId: command.parentId }),
        ...(command.expiresAt === undefined ? {} : { expiresAt: command.expiresAt })
      }]
    case 'revoke-token':
      if (!state.tokenExists(command.userId, command.tokenId)) throw refuse('tokenNotFound', command.tokenId)
      return [{ change: 'revoke-token', tokenId: command.tokenId }]
    case 'create-channel':
      return createChannel(command, state)
    case 'delete-channel':
    case 'truncate-channel': {
      const channel = channelOf(state, command.channelId)
      if (command.actor !== SYSTEM) throw refuse('missingPrivilege', 'Only the application may delete a channel, or all messages of one')
      return [{ change: command.type, channel }]
    }
    case 'add-participant': {
      const channel = channelOf(state, command.channelId)
      return addParticipant(channel, command.actor, command.userId, command.status, state)
    }
    case 'remove-participant': {
      const channel = channelOf(state, command.channelId)
      mustAllowMembershipChange(channel)
      if (command.actor !== SYSTEM && command.actor !== command.userId) {
        throw refuse('missingPrivilege', 'A user may take only itself out of a channel')
      }
      const member = state.member(channel.channelKey, command.userId)
      if (!isMember(member)) throw refuse('targetNotInGroup', command.userId, command.channelId)
      return removeMember(channel, member, state)
    }
    case 'moderate-participant':
      return moderate(command, state)
    case 'change-participant': {
      const channel = channelOf(state, command.channelId)
      const given = caseOf(channel, command.actor, command.userId, state)
      return changeMember(channel, command.userId, given.target, change(given, command, channel.activeAdminCount), state)
    }
    case 'send-message': {
      const channel = channelOf(state, command.channelId)
      if (command.actor === SYSTEM) {
        if (command.senderId !== SYSTEM) mustExist(state, command.senderId)
      } else {
        mustSend(channel.channelId, state.member(channel.channelKey, command.actor)?.status)
        if (command.senderId !== command.actor) {
          throw refuseWith('missingPrivilege', { reason: 'send_as_other_to_channel' }, 'A user may send as itself only: leave senderId out')
        }
      }
      mustBeNewEvents(command.timelineEvents, command.actor, state)
      if (state.messageIdTaken(command.messageId)) throw refuse('messageExists', command.messageId)
      return [{ change: 'send-message', channel, command }]
    }
    case 'edit-message': {
      const channel = channelOf(state, command.channelId)
      const message = messageOf(channel, command.messageId, command.actor, state)
      if (command.actor !== SYSTEM) mustSend(channel.channelId, state.member(channel.channelKey, command.actor)?.status)
      return [{ change: 'edit-message', channel, message, command }]
    }
    case 'delete-messages': {
      const channel = channelOf(state, command.channelId)
      return command.messageIds.map(messageId =>
        ({ change: 'delete-message', channel, message: messageOf(channel, messageId, command.actor, state) }))
    }
    case 'add-channel-event':
    case 'add-message-event': {
      const channel = channelOf(state, command.channelId)
      const { actor, event } = command
      if (actor !== SYSTEM) mustAddEvent(channel.channelId, state.member(channel.channelKey, actor)?.status, actor, event)
      mustBeNewEvents([event], actor, state)
      if (command.type === 'add-channel-event') return [{ change: 'add-event', channel, event }]
      return command.messageIds.map(messageId => {
        const message = state.message(messageId)
        if (message?.channelKey !== channel.channelKey) throw refuse('messageNotFound', messageId)
        return { change: 'add-event', channel, message, event }
      })
    }
    case 'take-nonce':
      if (state.nonceTaken(command.nonce)) throw refuse('claimRejected', 'This Nonce was used a moment ago: sign each call with a new one')
      return [{ change: 'take-nonce', nonce: command.nonce }]
  }
}

function moderate ({ operation, channelId, actor, userId }: ModerateParticipant, state: State): Change[] {
  const channel = channelOf(state, channelId)
  const given = caseOf(channel, actor, userId, state)
  if (operation === 'reject') {
    reject(given)
    return removeMember(channel, { userId, ...given.target! }, state)
  }
  return changeMember(channel, userId, given.target, { accept, mute, unmute }[operation](given), state)
}

function caseOf (channel: ChannelState, actor: Actor, targetId: string, state: State): Case {
  const standing = (userId: string): Standing | undefined => {
    const member = state.member(channel.channelKey, userId)
    return isMember(member) ? member : undefined
  }
  return {
    channel,
    actor: actor === SYSTEM ? 'application' : standing(actor),
    targetId,
    target: standing(targetId),
    oneself: actor === targetId
  }
}

/** A member whose standing changes; where nothing does, nothing is written. */
function changeMember (channel: ChannelState, userId: string, was: Standing | undefined, is: Standing, state: State): Change[] {
  const before = { userId, ...was! }
  const after = { userId, ...is, admin: is.admin || (is.status === 'active' && channel.adminVacant) }
  if (before.status === after.status && before.admin === after.admin && before.held === after.held) return []
  const changed: Change = { change: 'member', channel, userId, before, after, held: after.held }
  return after.status === 'active' && after.admin ? [changed] : [changed, ...succeed(channel, before, state)]
}

/** A member that goes, and whoever takes over what only it could do (relay.md, "leave"). */
export function removeMember (channel: ChannelState, member: MemberState & { status: RelayStatus }, state: State): Change[] {
  const leaves: Change = {
    change: 'member', channel, userId: member.userId, before: member, held: heldAfterLeaving(member.status, member.held)
  }
  return [leaves, ...succeed(channel, member, state)]
}

export function isMember (member: MemberState | undefined): member is MemberState & { status: RelayStatus } {
  return member?.status !== undefined
}

function createChannel (command: CreateChannel, state: State): Change[] {
  if (state.channel(command.channelId) !== undefined) throw refuse('channelExists', command.channelId)
  const members = membersAtCreation(command.ruleset, command.actor, command.participants)
  mustBeNewEvents(command.timelineEvents, command.actor, state)
  for (const { userId } of members) if (command.ruleset !== SYSTEM_CHANNEL || userId !== SYSTEM) mustExist(state, userId)
  return [{ change: 'create-channel', command, members }]
}

function addParticipant (channel: ChannelState, actor: Actor, userId: string, asked: RelayStatus, state: State): Change[] {
  mustAllowMembershipChange(channel)
  if (actor !== SYSTEM && actor !== userId) {
    throw refuse('missingPrivilege', 'A user may add only itself to a channel; the application may add anyone')
  }
  mustExist(state, userId)
  const before = state.member(channel.channelKey, userId)
  if (isMember(before)) throw refuse('alreadyMember', userId, channel.channelId)
  const held = before?.held ?? 'none'
  const status = actor === SYSTEM ? asked : joinTable[channel.groupType][held]
  const takesOffice = status === 'active' && channel.adminVacant
  const after = { userId, status, held: status === 'pending' ? held : 'none' as Held, admin: takesOffice }
  return [{ change: 'member', channel, userId, ...(before === undefined ? {} : { before }), after, held: after.held }]
}

/** Whatever takes away the last active admin makes the member who has been active longest admin. */
function succeed (channel: ChannelState, gone: MemberState, state: State): Change[] {
  if (!(gone.admin && gone.status === 'active' && channel.activeAdminCount === 1)) return []
  const successor = state.longestActive(channel.channelKey, gone.userId)
  if (!isMember(successor)) return [{ change: 'vacate-admin', channel }]
  return [{
    change: 'member', channel, userId: successor.userId, before: successor, after: { ...successor, admin: true }, held: successor.held
  }]
}

function channelOf (state: State, channelId: string): ChannelState {
  const channel = state.channel(channelId)
  if (channel === undefined) throw refuse('channelNotFound', channelId)
  return channel
}

/** A message of this channel that the actor may change. A stranger to the channel does not learn whether it exists. */
function messageOf (channel: ChannelState, messageId: string, actor: Actor, state: State): MessageState {
  const member = actor === SYSTEM ? undefined : state.member(channel.channelKey, actor)
  const message = state.message(messageId)
  const here = message !== undefined && message.channelKey === channel.channelKey
  if (actor !== SYSTEM && !(here && message.senderId === actor)) {
    if (!isMember(member)) throw refuse('actorNotInGroup', channel.channelId)
    if (!statusTable[member.status].receives) throw refuse(member.status as 'pending' | 'disabled', channel.channelId)
  }
  if (!here) throw refuse('messageNotFound', messageId)
  if (actor !== SYSTEM && message.senderId !== actor) {
    throw refuse('missingPrivilege', 'Only the sender of a message, and the application, may change or delete it')
  }
  return message
}

/** Timeline events whose subjects there are, a user's its own only, and whose ids nobody has taken. */
function mustBeNewEvents (events: TimelineEventInput[], actor: Actor, state: State): void {
  for (const event of events) {
    if (actor !== SYSTEM) mustBeOwnEvent(actor, event)
    else if (event.subject !== SYSTEM) mustExist(state, event.subject)
    if (event.eventId !== undefined && state.eventIdTaken(event.eventId)) throw refuse('eventExists', event.eventId)
  }
}

function mustExist (state: State, userId: string): void {
  if (!state.userExists(userId)) throw refuse('userNotFound', userId)
}
