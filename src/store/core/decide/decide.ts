/**
 * From a command and the state that it meets to what it changes and what it answers, or a refusal: the same
 * for every store, called inside the transaction that stores the outcome.
 */
import type { Command } from '../../contract/commands.ts'
import { carryOutChore, type Chore } from '../chores.ts'
import type { Draft } from '../draft.ts'
import { createChannel, deleteChannel, truncateChannel } from './channels.ts'
import { factsOf, plain, type Remembered } from './idempotency.ts'
import { changeAcls } from './lists.ts'
import { addParticipant, changeParticipant, moderateParticipant, removeParticipant } from './members.ts'
import { deleteMessages, editMessage, sendMessage } from './messages.ts'
import { addChannelEvent, addMessageEvent } from './timelines.ts'
import { createUser, deleteUser, issueToken, revokeTokens } from './users.ts'

/** Changes the draft, and says what is to be remembered of it: what it answers follows from that. Throws `Refusal`. */
export function decide (draft: Draft, command: Command | Chore): Remembered {
  switch (command.type) {
    case 'send-message': {
      const { view, recipientsCount } = sendMessage(draft, command)
      const { messageId, channelId } = command
      return { type: 'message', position: view.record.position, messageId, channelId, recipientsCount }
    }
    case 'edit-message': {
      const { messageId, channelId } = command
      return { type: 'message', position: editMessage(draft, command).record.position, messageId, channelId }
    }
    case 'add-participant': {
      const { channelId, userId } = command
      return { type: 'participation', participation: factsOf(addParticipant(draft, command)), channelId, userId }
    }
    case 'change-participant': {
      const { before, after } = changeParticipant(draft, command)
      const { channelId, userId } = command
      return { type: 'change', before: factsOf(before), after: factsOf(after), channelId, userId }
    }
    case 'add-channel-event': return plain({ eventId: addChannelEvent(draft, command) })
    case 'add-message-event': return plain({ eventId: addMessageEvent(draft, command) })
    case 'create-user':
      createUser(draft, command)
      return plain({ identifier: command.userId })
    case 'create-channel':
      createChannel(draft, command)
      return plain({ identifier: command.channelId })
    case 'issue-token': {
      issueToken(draft, command)
      const { tokenId, expiresAt } = command
      return plain({ tokenId, ...(expiresAt === undefined ? {} : { expiresAt }) })
    }
    case 'issue-event-token': {
      const { expiresAt, parentExpiresAt } = command
      return plain({ expiresAt, ...(parentExpiresAt === undefined ? {} : { parentExpiresAt }) })
    }
    default:
      change(draft, command)
      return plain({})
  }
}

type Answering = 'send-message' | 'edit-message' | 'add-participant' | 'change-participant' | 'add-channel-event' | 'add-message-event' |
  'create-user' | 'create-channel' | 'issue-token' | 'issue-event-token'
type Silent = Exclude<Command | Chore, { type: Answering }>

/** Commands that answer nothing. */
function change (draft: Draft, command: Silent): void {
  switch (command.type) {
    case 'delete-user': return deleteUser(draft, command)
    case 'revoke-tokens': return revokeTokens(draft, command)
    case 'delete-channel': return deleteChannel(draft, command)
    case 'truncate-channel': return truncateChannel(draft, command)
    case 'remove-participant': return removeParticipant(draft, command)
    case 'moderate-participant': return moderateParticipant(draft, command)
    case 'delete-messages': return deleteMessages(draft, command)
    case 'change-acls': return changeAcls(draft, command)
    case 'take-nonce': return // as any command takes its own (batch.ts)
    default: return carryOutChore(draft, command)
  }
}
