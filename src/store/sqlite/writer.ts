/** One command after the other, inside a transaction: decide, apply, remember for repeats. */
import type { DatabaseSync } from 'node:sqlite'
import { refuse } from '../../errors.ts'
import type { ChannelParticipation } from '../../../schemas/participation.ts'
import type { RelayStatus } from '../../rules/relay.ts'
import type { Command, Outcome } from '../commands.ts'
import { formatCursor } from '../cursor.ts'
import { decide } from '../decide.ts'
import { isMember, removeMember } from '../decide-members.ts'
import type { Change } from '../state.ts'
import { Changes } from './changes.ts'
import { prepareAll, type Statements } from './database.ts'
import { Log, type Written } from './log.ts'
import { messageOfEntry, participationOfRow, type EntryRow, type ParticipationRow } from './rows.ts'
import { writerSql } from './statements.ts'
import { WriterState } from './writer-state.ts'

/** How long a repeat of a request answers what the first answered (contract 6). */
export const IDEMPOTENCY_MS = 24 * 3_600_000

/** Channels that a deleted user leaves in the deletion's own transaction; it leaves more of them in the background. */
const CHANNELS_LEFT_AT_ONCE = 200

/** What is remembered of a success, to answer its repeats with: no content of messages. */
type Remembered =
  | { type: 'message', position: number, recipientsCount?: number }
  | { type: 'plain', outcome: Outcome }

/** What a command answers, and what a repeat of it is answered from. */
interface Done {
  outcome: Outcome
  remembered: Remembered
}

const plain = (outcome: Outcome): Done => ({ outcome, remembered: { type: 'plain', outcome } })

export class Writer {
  readonly sql: Statements<typeof writerSql>
  readonly log: Log
  readonly #state: WriterState
  readonly #changes: Changes

  constructor (db: DatabaseSync) {
    this.sql = prepareAll(db, writerSql)
    this.log = new Log(this.sql)
    this.#state = new WriterState(this.sql)
    this.#changes = new Changes(this.sql, this.#state, this.log)
  }

  /** Carries out one command inside the transaction. Throws `Refusal` before anything is written. */
  execute (command: Command): Outcome {
    const { actor, idempotency } = command
    if (idempotency === undefined) return this.#carryOut(command).outcome
    const row = this.sql.idempotent.get(actor, idempotency.key, this.log.at - IDEMPOTENCY_MS)
    if (row !== undefined) {
      const { fingerprint, outcome } = row as { fingerprint: string, outcome: string }
      if (fingerprint !== idempotency.fingerprint) throw refuse('idempotencyMismatch')
      return this.#recall(JSON.parse(outcome) as Remembered)
    }
    const { outcome, remembered } = this.#carryOut(command)
    this.sql.remember.run(actor, idempotency.key, idempotency.fingerprint, JSON.stringify(remembered), this.log.at)
    return outcome
  }

  #apply (changes: Change[]): Array<Written | undefined> {
    return changes.map(change => this.#changes.apply(change))
  }

  #carryOut (command: Command): Done {
    const changes = decide(command, this.#state)
    const before = command.type === 'change-participant' ? this.#participation(command) : undefined
    const recipientsCount = changes[0]?.change === 'send-message' ? changes[0].channel.receivingCount : undefined
    const [written] = this.#apply(changes)
    switch (command.type) {
      case 'send-message':
      case 'edit-message': {
        const { row } = written!
        const remembered: Remembered = { type: 'message', position: row.position, ...(recipientsCount === undefined ? {} : { recipientsCount }) }
        return { outcome: this.#messageOutcome(row, recipientsCount), remembered }
      }
      case 'add-channel-event':
      case 'add-message-event':
        return plain({ eventId: (JSON.parse(written!.row.body!) as { eventId: string }).eventId })
      case 'add-participant':
        return plain({ participation: this.#participation(command) })
      case 'change-participant':
        return plain({ before: before!, after: this.#participation(command) })
      case 'delete-user':
        this.leaveChannels()
        return plain({})
      default:
        return plain({})
    }
  }

  #participation ({ channelId, userId }: { channelId: string, userId: string }): ChannelParticipation {
    const { channelKey } = this.#state.channel(channelId)!
    const row = this.sql.memberOf.get(channelKey, userId) as unknown as ParticipationRow & { status: RelayStatus }
    return participationOfRow(row, channelId)
  }

  /** What a success answers when it is asked again. */
  #recall (remembered: Remembered): Outcome {
    if (remembered.type === 'plain') return remembered.outcome
    const row = this.sql.entryAt.get(remembered.position) as EntryRow | undefined
    if (row === undefined) throw refuse('notFound', 'What this request made has been deleted since')
    return this.#messageOutcome(row, remembered.recipientsCount)
  }

  #messageOutcome (row: EntryRow, recipientsCount: number | undefined): Outcome {
    const message = messageOfEntry(row)
    if (recipientsCount === undefined) return { message }
    return { message, recipientsCount, cursor: formatCursor(this.log.epoch, row.position, row.tag) }
  }

  /** Takes the content of a message out of its own row and of every edit's. */
  erase (messagePosition: number): void {
    this.#changes.erase(messagePosition)
  }

  /**
   * Has a deleted user leave channels, each leaving with its entry and its succession.
   * False: there is nobody who has any to leave.
   */
  leaveChannels (): boolean {
    const user = this.sql.usersLeaving.get() as { user_key: number, user_id: string } | undefined
    if (user === undefined) return false
    const channels = this.sql.channelsToLeave.all(user.user_key, CHANNELS_LEFT_AT_ONCE) as Array<{ channel_id: string }>
    for (const { channel_id: channelId } of channels) {
      const channel = this.#state.channel(channelId)!
      const member = this.#state.member(channel.channelKey, user.user_id)
      if (isMember(member)) this.#apply(removeMember(channel, member, this.#state))
    }
    if (channels.length < CHANNELS_LEFT_AT_ONCE) this.sql.markUserGone.run(user.user_key)
    return true
  }
}
