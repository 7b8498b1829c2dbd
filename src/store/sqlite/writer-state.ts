/** The state as `decide` reads it, straight from the writer's own transaction. */
import type { ChannelState, MemberState, MessageState, State } from '../state.ts'
import type { Statements } from './database.ts'
import type { ChannelRow, ParticipationRow, UserRow } from './rows.ts'
import type { writerSql } from './statements.ts'

interface StoredMessageRow {
  position: number
  message_id: string
  channel_key: number
  lane: number
  edit_position: number | null
  sender_id: string
  truncated_position: number
  deleted_position: number | null
}

/** For how long a nonce may not recur (contract 2): longer than twice the skew that a signature may have. */
export const NONCE_MS = 60_000

export class WriterState implements State {
  readonly #sql: Statements<typeof writerSql>

  constructor (sql: Statements<typeof writerSql>) {
    this.#sql = sql
  }

  user (userId: string): (UserRow & { deleted_at: number | null }) | undefined {
    return this.#sql.userById.get(userId) as (UserRow & { deleted_at: number | null }) | undefined
  }

  userExists (userId: string): boolean {
    const user = this.user(userId)
    return user !== undefined && user.deleted_at === null && user.user_key !== 0
  }

  userIdTaken (userId: string): boolean {
    return this.user(userId) !== undefined
  }

  tokenExists (userId: string, tokenId: string): boolean {
    return this.#sql.tokenOfUser.get(userId, tokenId) !== undefined
  }

  channel (channelId: string): ChannelState | undefined {
    const row = this.#sql.channelById.get(channelId) as ChannelRow | undefined
    if (row === undefined) return undefined
    return {
      channelKey: row.channel_key,
      channelId: row.channel_id,
      ruleset: row.ruleset,
      groupType: row.group_type,
      adminVacant: row.admin_vacant === 1,
      receivingCount: row.receiving_count,
      activeAdminCount: row.active_admin_count
    }
  }

  member (channelKey: number, userId: string): MemberState | undefined {
    const row = this.#sql.memberOf.get(channelKey, userId) as ParticipationRow | undefined
    return row === undefined ? undefined : memberOfRow(row)
  }

  longestActive (channelKey: number, except: string): MemberState | undefined {
    const key = this.user(except)?.user_key ?? -1
    const row = this.#sql.longestActive.get(channelKey, key) as ParticipationRow | undefined
    return row === undefined ? undefined : memberOfRow(row)
  }

  message (messageId: string): MessageState | undefined {
    const row = this.#sql.messageById.get(messageId) as StoredMessageRow | undefined
    if (row === undefined || row.lane !== 0 || row.deleted_position !== null || row.position <= row.truncated_position) {
      return undefined
    }
    return { position: row.position, messageId, channelKey: row.channel_key, senderId: row.sender_id }
  }

  eventIdTaken (eventId: string): boolean {
    return this.#sql.eventIdTaken.get(eventId, eventId) !== undefined
  }

  nonceTaken (nonce: string): boolean {
    const row = this.#sql.nonce.get(nonce) as { at: number } | undefined
    return row !== undefined && row.at > Date.now() - NONCE_MS
  }

  messageIdTaken (messageId: string): boolean {
    return this.#sql.messageIdTaken.get(messageId) !== undefined
  }
}

function memberOfRow (row: Pick<ParticipationRow, 'user_id' | 'status' | 'held' | 'admin'>): MemberState {
  return { userId: row.user_id, ...(row.status === null ? {} : { status: row.status }), held: row.held, admin: row.admin === 1 }
}
