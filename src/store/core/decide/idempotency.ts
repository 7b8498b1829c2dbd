/**
 * What is kept of a success under an `Idempotency-Key`, and how a repeat is answered from it (protocol 6).
 * Nothing of messages, people or tokens is kept but their ids: the answer is made again from what there is.
 */
import type { Outcome, SendOutcome } from '../../contract/commands.ts'
import type { Position } from '../../contract/log.ts'
import { formatCursor } from '../cursor.ts'
import { namedIn } from '../../../rules/audience.ts'
import type { Draft } from '../draft.ts'
import type { EntryView } from '../records.ts'
import { participantOf, participationOf, type MemberFacts } from '../render/entities.ts'
import { isDeleted, messageOfEntry } from '../render/entry.ts'
import { ERASED_CONTENT, subjectsOf } from '../render/message.ts'
import type { Member } from './standing.ts'
import { isGone } from './users.ts'

/** How long a repeat of a request answers what the first answered, in milliseconds. */
export const IDEMPOTENCY_MS = 24 * 3_600_000

interface Who { channelId: string, userId: string }

export type Remembered =
  | { type: 'message', position: Position, messageId: string, channelId: string, recipientsCount?: number }
  | { type: 'participation', participation: MemberFacts } & Who
  | { type: 'change', before: MemberFacts, after: MemberFacts } & Who
  /** Ids, times and nothing else. */
  | { type: 'plain', outcome: Outcome }

export const plain = (outcome: Outcome): Remembered => ({ type: 'plain', outcome })

export function factsOf ({ participationId, status, admin, joinedAt, createdAt, updatedAt }: Member): MemberFacts {
  return { participationId, status, admin, joinedAt, createdAt, updatedAt }
}

/** The answer that a first request and its repeats get, made from what is remembered. */
export function answerOf (draft: Draft, remembered: Remembered): Outcome {
  switch (remembered.type) {
    case 'plain': return remembered.outcome
    case 'message': return messageAnswer(draft, remembered)
    case 'participation': return { participation: rendered(draft, remembered, remembered.participation) }
    case 'change': return { before: rendered(draft, remembered, remembered.before), after: rendered(draft, remembered, remembered.after) }
  }
}

function rendered (draft: Draft, { channelId, userId }: Who, facts: MemberFacts) {
  return participationOf(facts, participantOf(draft.user(userId)!), channelId)
}

/**
 * The message as its entry had it. Where an edit's entry has fallen out of retention: as its newest one has it. Of a
 * message that was deleted since: its ids and an empty text.
 */
function messageAnswer (draft: Draft, { position: made, messageId, channelId, recipientsCount }: Remembered & { type: 'message' }): Outcome {
  const stored = draft.view(made) ?? newestView(draft, messageId)
  const view = { ...stored, channel: draft.get('channel', String(stored.record.channelKey)) ?? removedChannel(channelId) }
  const { position, tag, body } = view.record
  const content = body === undefined || isDeleted(view) ? ERASED_CONTENT : body
  const sender = { ...view.sender!, deleted: isGone(draft, view.sender!.userId) }
  const named = [...subjectsOf(content), ...namedIn(view.record.change === undefined ? view.lists?.then : view.record.change.after)]
  const message = messageOfEntry({ ...view, sender, gone: named.filter(userId => isGone(draft, userId)) }, content)
  if (recipientsCount === undefined) return { message }
  return { message, recipientsCount, cursor: formatCursor(draft.log.epoch, position, tag) } satisfies SendOutcome
}

/** A message's own entry stays, and its newest edit's for as long as the message does. */
function newestView (draft: Draft, messageId: string): EntryView {
  const { position, editPosition, present } = draft.get('message', messageId)!
  return draft.view(present && editPosition !== undefined ? editPosition : position)!
}

/** One of which there is not even a row any more. */
function removedChannel (channelId: string): NonNullable<EntryView['channel']> {
  return { channelId, truncatedPosition: 0, deletedPosition: 0 }
}
