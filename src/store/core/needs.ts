/**
 * What a command needs, as far as the command itself says it: enough for a store that loads for a whole batch at
 * once. What follows only from what was loaded (a successor beyond those loaded, the message that a repeat is
 * answered from) it asks for by `Unloaded`, in a second round.
 */
import { namedIn } from '../../rules/audience.ts'
import { SYSTEM } from '../../rules/identifiers.ts'
import type { Command } from '../contract/commands.ts'
import type { Chore } from './chores.ts'

/** Names and keys; each list may hold doubles. */
export interface Needs {
  users: string[]
  tokens: string[]
  /** Channels by id: which channel has it, and that one's row. */
  channels: string[]
  /** Channels by key, and members by channel key and user key, as `Tables` (source.ts) has them. */
  channelKeys: string[]
  memberKeys: string[]
  members: Array<{ channelId: string, userId: string }>
  /** Ids that new messages are to have: whether they are taken. */
  newMessages: string[]
  /** Messages by id, with their senders; and those whose content is needed too. */
  messages: string[]
  contents: string[]
  /** Messages by id that may go, with what hangs on them. */
  remains: string[]
  events: string[]
  nonces: string[]
  replies: string[]
  /** The application's own lists. */
  application: boolean
  /** Channels by id, of which the member who has been active longest may be needed. */
  successions: string[]
}

export function noNeeds (): Needs {
  return {
    users: [], tokens: [], channels: [], channelKeys: [], memberKeys: [], members: [], newMessages: [], messages: [], contents: [], remains: [], events: [], nonces: [], replies: [], application: false, successions: []
  }
}

/** What all commands of a batch need. */
export function needsOf (commands: Array<Command | Chore>): Needs {
  const needs = noNeeds()
  for (const command of commands) {
    addNeeds(needs, command)
    if (!('actor' in command)) continue
    needs.users.push(command.actor)
    if (command.lineage !== undefined) needs.tokens.push(...command.lineage)
    if ('channelId' in command) needs.members.push({ channelId: command.channelId, userId: command.actor })
    if (command.nonce !== undefined) needs.nonces.push(command.nonce)
    if (command.idempotency !== undefined) needs.replies.push(`${command.actor} ${command.idempotency.key}`)
  }
  return needs
}

function addNeeds (needs: Needs, command: Command | Chore): void {
  if ('channelId' in command) needs.channels.push(command.channelId)
  switch (command.type) {
    case 'create-channel':
      needs.users.push(SYSTEM, ...command.participants.map(({ userId }) => userId), ...namedIn(command.acls))
      needs.application ||= command.actor !== SYSTEM
      return addEvents(needs, command.timelineEvents)
    case 'add-participant':
    case 'remove-participant':
    case 'moderate-participant':
    case 'change-participant':
      needs.users.push(command.userId)
      needs.members.push({ channelId: command.channelId, userId: command.userId })
      needs.successions.push(command.channelId)
      return
    case 'send-message':
      needs.users.push(command.senderId, ...namedIn(command.acls))
      needs.members.push(...namedIn(command.acls).map(userId => ({ channelId: command.channelId, userId })))
      needs.newMessages.push(command.messageId)
      return addEvents(needs, command.timelineEvents)
    case 'edit-message':
      needs.contents.push(command.messageId)
      return
    case 'delete-messages':
      needs.remains.push(...command.messageIds)
      return
    case 'add-message-event':
      needs.messages.push(...command.messageIds)
      return addEvents(needs, [command.event])
    case 'add-channel-event':
      return addEvents(needs, [command.event])
    case 'create-user':
      needs.users.push(command.userId)
      needs.application ||= command.actor !== SYSTEM
      return
    case 'change-acls':
      if (command.of.kind === 'application') needs.application = true
      else if (command.of.kind === 'channel') needs.channels.push(command.of.channelId)
      else needs.contents.push(command.of.messageId)
      return
    case 'delete-user':
    case 'issue-token':
    case 'finish-leaving':
      needs.users.push(command.userId)
      return
    case 'revoke-tokens':
      needs.users.push(command.userId)
      needs.tokens.push(...command.tokenIds)
      return
    case 'close-members':
      needs.channelKeys.push(String(command.channelKey))
      needs.memberKeys.push(...command.userKeys.map(userKey => `${command.channelKey} ${userKey}`))
      return
    case 'erase-messages':
    case 'remove-channel':
      needs.channelKeys.push(String(command.channelKey))
      return
    case 'forget':
      needs.replies.push(...command.replies)
      needs.nonces.push(...command.nonces)
      needs.tokens.push(...command.tokens)
  }
}

function addEvents (needs: Needs, events: Array<{ eventId?: string, subject: string }>): void {
  for (const { eventId, subject } of events) {
    needs.users.push(subject)
    if (eventId !== undefined) needs.events.push(eventId)
  }
}
