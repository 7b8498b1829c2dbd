/**
 * What need not happen at once, in small steps between batches: removal of rows that are marked deleted,
 * a deleted user's leaving of its channels, retention. Each step is one short transaction.
 */
import { IDEMPOTENCY_MS, type Writer } from './writer.ts'
import { NONCE_MS } from './writer-state.ts'

/** Rows that one step touches: it keeps a step within a few milliseconds, so that commands wait no longer. */
const STEP_ROWS = 200

/** How long a token's row stays after its end: a late call still learns that it expired. */
const EXPIRED_TOKEN_MS = 24 * 3_600_000

export class Background {
  readonly #writer: Writer
  readonly #retentionMs: number

  /** @param retentionMs for how long an entry can be resumed from */
  constructor (writer: Writer, retentionMs: number) {
    this.#writer = writer
    this.#retentionMs = retentionMs
  }

  /** Does the next piece of work, inside a transaction that the caller has begun. False: there is none. */
  step (now: number): boolean {
    return this.#writer.leaveChannels() || this.#closeMembers() || this.#eraseMessages() || this.#forget(now) || this.#raiseFloor(now) ||
      this.#removeExpired() || this.#removeChannel()
  }

  /** Takes a deleted channel out of its members' lists and counts. Until then lists leave it out by the channel's mark. */
  #closeMembers (): boolean {
    const { sql } = this.#writer
    const channel = sql.channelClosing.get() as { channel_key: number, ruleset: string, deleted_position: number } | undefined
    if (channel === undefined) return false
    const members = sql.membersToClose.all(channel.channel_key, STEP_ROWS) as Array<{ user_key: number }>
    for (const { user_key: userKey } of members) {
      sql.closeMember.run(channel.deleted_position, channel.channel_key, userKey)
      sql.countMembership.run(userKey, channel.ruleset, -1)
    }
    if (members.length < STEP_ROWS) sql.markClosed.run(channel.channel_key)
    return true
  }

  /** Content of messages that were deleted with their channel, or truncated. */
  #eraseMessages (): boolean {
    const { sql } = this.#writer
    const channel = sql.channelErasing.get() as { channel_key: number, truncated_position: number, deleted_position: number | null } | undefined
    if (channel === undefined) return false
    const upTo = channel.deleted_position ?? channel.truncated_position
    const messages = sql.messagesToErase.all(channel.channel_key, upTo, STEP_ROWS) as Array<{ position: number }>
    for (const { position } of messages) this.#writer.erase(position)
    if (messages.length === 0) sql.markErased.run(channel.channel_key)
    return true
  }

  #forget (now: number): boolean {
    const { sql } = this.#writer
    const forgotten = Number(sql.forget.run(now - IDEMPOTENCY_MS, STEP_ROWS).changes) +
      Number(sql.forgetNonces.run(now - NONCE_MS, STEP_ROWS).changes) +
      Number(sql.deleteExpiredTokens.run(now - EXPIRED_TOKEN_MS, STEP_ROWS).changes)
    return forgotten > 0
  }

  /** Moves the end of retention up to the newest entry that is older than it. `at` never falls along the log. */
  #raiseFloor (now: number): boolean {
    const { sql } = this.#writer
    const floor = this.#writer.log.floor
    const oldEnough = (position: number) => (sql.atPosition.get(position) as { at: number }).at <= now - this.#retentionMs
    let [low, high] = [floor, this.#writer.log.head().position]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (oldEnough(middle)) low = middle
      else high = middle - 1
    }
    if (low === floor) return false
    const { tag } = sql.tagAt.get(low) as { tag: number }
    sql.putMeta.run('floor_tag', String(tag))
    sql.putMeta.run('floor_position', String(low))
    return true
  }

  /** Rows below the floor go, but for what a GET still answers from (`outlives`). */
  #removeExpired (): boolean {
    const { sql } = this.#writer
    const floor = this.#writer.log.floor
    const removed = Number(this.#writer.log.meta('removed_position'))
    if (removed < floor) {
      const rows = sql.entriesToRemove.all(removed, floor, STEP_ROWS) as unknown as ExpiredRow[]
      for (const row of rows) if (!outlives(row)) sql.deleteEntry.run(row.position)
      sql.putMeta.run('removed_position', String(rows.length < STEP_ROWS ? floor : rows.at(-1)!.position))
      return true
    }
    return Number(sql.deleteEndedEntitlements.run(floor, STEP_ROWS).changes) > 0
  }

  /** A deleted channel's members and itself, once no replay can speak of it any more. */
  #removeChannel (): boolean {
    const { sql } = this.#writer
    const floor = this.#writer.log.floor
    const channel = sql.channelToRemove.get(floor) as { channel_key: number } | undefined
    if (channel === undefined) return false
    const members = sql.membersToRemove.all(channel.channel_key, STEP_ROWS) as Array<{ user_key: number }>
    for (const { user_key: userKey } of members) {
      sql.deleteEntitlementsOf.run(userKey, channel.channel_key)
      sql.deleteParticipation.run(channel.channel_key, userKey)
    }
    const events = sql.eventsToRemove.all(channel.channel_key, floor, STEP_ROWS) as Array<{ position: number }>
    for (const { position } of events) sql.deleteEntry.run(position)
    if (members.length + events.length === 0) sql.deleteChannel.run(channel.channel_key)
    return true
  }
}

interface ExpiredRow {
  position: number
  kind: string
  /** Of edits and of events of messages: the message's. */
  original_lane: number | null
  newest_edit: number | null
}

/** Messages stay, their history being what lists answer with; so do the newest edit of each, and timelines. */
function outlives ({ position, kind, original_lane: originalLane, newest_edit: newestEdit }: ExpiredRow): boolean {
  switch (kind) {
    case 'message': return true
    case 'message-updated': return originalLane === 0 && newestEdit === position
    case 'message-timeline': return originalLane === 0
    case 'channel-timeline': return true
    default: return false
  }
}
