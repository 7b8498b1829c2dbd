/**
 * From a command and the state it meets to the changes that carry it out, or a refusal: the same for
 * every store, called inside the transaction that stores the outcome. Reads only through `State`;
 * a refusal is thrown before any change is made.
 */
import { refuse, refuseWith } from '../errors.ts'
import { mustSend, statusTable } from '../rules/relay.ts'
import { membersAtCreation, SYSTEM_CHANNEL } from '../rules/rulesets.ts'
import { mustAddEvent, mustBeOwnEvent } from '../rules/timelines.ts'
import type { TimelineEventInput } from '../../schemas/timeline.ts'
import { SYSTEM, type Actor, type Command, type CreateChannel } from './commands.ts'
import { addParticipant, changeParticipant, isMember, moderateParticipant, removeParticipant } from './decide-members.ts'
import type { Change, ChannelState, MessageState, State } from './state.ts'

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
      return removeParticipant(channel, command.actor, command.userId, state)
    }
    case 'moderate-participant':
      return moderateParticipant(channelOf(state, command.channelId), command, state)
    case 'change-participant':
      return changeParticipant(channelOf(state, command.channelId), command, state)
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

function createChannel (command: CreateChannel, state: State): Change[] {
  if (state.channel(command.channelId) !== undefined) throw refuse('channelExists', command.channelId)
  const members = membersAtCreation(command.ruleset, command.actor, command.participants)
  mustBeNewEvents(command.timelineEvents, command.actor, state)
  for (const { userId } of members) if (command.ruleset !== SYSTEM_CHANNEL || userId !== SYSTEM) mustExist(state, userId)
  return [{ change: 'create-channel', command, members }]
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
