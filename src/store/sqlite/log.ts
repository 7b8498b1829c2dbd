/** The log's end: where the next entry goes, and the writing of it. */
import { createHash, randomInt } from 'node:crypto'
import { formatCursor } from '../cursor.ts'
import type { Entry, EntryKind, Place } from '../store.ts'
import type { Statements } from './database.ts'
import { entryOfRow, type EntryRow } from './rows.ts'
import type { writerSql } from './statements.ts'

/** Sides that one order of the log may be split into later (design.md); a channel never changes its own. */
const SHARDS = 256

/** Tags are below this; the chance that a restored store's new history wears the same tag is one in two thousand million. */
const TAG_MAX = 2 ** 31

export interface EntryDraft {
  kind: EntryKind
  lane: 0 | 1
  channel?: { channelKey: number, channelId: string }
  sender?: { key: number, id: string }
  about?: { key: number, id: string }
  messageId?: string
  /** Of an edit: the message's own entry. */
  original?: { position: number, at: number }
  editPosition?: number | null
  /** Of timeline entries. */
  eventId?: string
  body?: string
}

/** A new entry, and the row that it was made from. */
export interface Written {
  entry: Entry
  row: EntryRow
}

export class Log {
  readonly epoch: string
  readonly #sql: Statements<typeof writerSql>
  #position = 0
  #at = 0
  #entries: Entry[] = []

  constructor (sql: Statements<typeof writerSql>) {
    this.#sql = sql
    this.epoch = this.#ensureEpoch()
  }

  /** The time of the transaction, in milliseconds since the epoch. It never falls along the log. */
  get at (): number {
    return this.#at
  }

  /** The position that the next entry will have. */
  get next (): number {
    return this.#position + 1
  }

  /** The end of retention: no replay goes back beyond this position. */
  get floor (): number {
    return Number(this.meta('floor_position'))
  }

  /** The log's end. */
  head (): Place {
    const row = this.#sql.head.get() as { position: number, tag: number } | undefined
    const { floor } = this
    if (row !== undefined && row.position >= floor) {
      return { position: row.position, cursor: formatCursor(this.epoch, row.position, row.tag) }
    }
    return { position: floor, cursor: formatCursor(this.epoch, floor, Number(this.meta('floor_tag'))) }
  }

  meta (name: string): string {
    return (this.#sql.meta.get(name) as { value: string }).value
  }

  /** To be called inside a new transaction: stamps its time, and forgets what an abandoned one had made. */
  begin (): void {
    const { position } = this.head()
    const last = this.#sql.atPosition.get(position) as { at: number } | undefined
    this.#position = position
    this.#at = Math.max(Date.now(), last?.at ?? 0)
    this.#entries = []
  }

  /** The entries that were written since `begin`, in log order. */
  entries (): Entry[] {
    return this.#entries
  }

  /** Writes the next entry of the log. */
  write (draft: EntryDraft): Written {
    const position = ++this.#position
    const { kind, lane, channel, sender, about, original } = draft
    const row: EntryRow = {
      position,
      tag: randomInt(TAG_MAX),
      at: this.#at,
      kind,
      lane,
      channel_key: channel?.channelKey ?? null,
      channel_id: channel?.channelId ?? null,
      message_id: draft.messageId ?? null,
      message_position: original?.position ?? null,
      original_at: original?.at ?? null,
      original_lane: original === undefined ? null : 0,
      sender_id: sender?.id ?? null,
      about_id: about?.id ?? null,
      body: draft.body ?? null,
      truncated_position: null,
      deleted_position: null,
      sender_deleted_at: null
    }
    this.#sql.insertEntry.run(position, row.tag, row.at, kind, lane, channel === undefined ? 0 : shardOf(channel.channelId),
      row.channel_key, sender?.key ?? null, about?.key ?? null, row.message_id, row.message_position,
      draft.editPosition ?? null, draft.eventId ?? null, row.body)
    // A message's place is noted with the count of messages, in one statement.
    if (channel !== undefined && lane === 1) this.#sql.touchChannel.run(position, channel.channelKey)
    const written = { entry: entryOfRow(row, this.epoch), row }
    this.#entries.push(written.entry)
    return written
  }

  #ensureEpoch (): string {
    const stored = this.#sql.meta.get('epoch') as { value: string } | undefined
    if (stored !== undefined) return stored.value
    const epoch = Array.from({ length: 12 }, () => randomInt(36).toString(36)).join('')
    this.#sql.putMeta.run('floor_position', '0')
    this.#sql.putMeta.run('floor_tag', String(randomInt(TAG_MAX)))
    this.#sql.putMeta.run('removed_position', '0')
    this.#sql.putMeta.run('epoch', epoch)
    return epoch
  }
}

export function shardOf (channelId: string): number {
  return createHash('sha1').update(channelId).digest()[0]! % SHARDS
}
