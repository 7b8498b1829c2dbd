/** Reads of the log: where a stream starts, and what it may have; each in one transaction of its own. */
import type { DatabaseSync } from 'node:sqlite'
import { refuse } from '../../errors.ts'
import { mustReceive, type RelayStatus } from '../../rules/relay.ts'
import { SYSTEM } from '../commands.ts'
import { formatCursor, parseCursor } from '../cursor.ts'
import type { Entry, Interest, Page, Place, Position, Resume, Rights, Snapshot, StreamRequest, StreamStart } from '../store.ts'
import { isUnavailable, prepareAll, type Statements } from './database.ts'
import { merge, readable } from './replay.ts'
import { entryOfRow, type ChannelRow, type EntryRow, type ParticipationRow } from './rows.ts'
import { readerSql } from './statements.ts'

/** Text of entries that one page holds at most, give or take one entry, in characters. */
const PAGE_CHARACTERS = 256 * 1024

export class LogReader {
  protected readonly db: DatabaseSync
  protected readonly sql: Statements<typeof readerSql>
  protected readonly epoch: string

  constructor (db: DatabaseSync) {
    this.db = db
    this.sql = prepareAll(db, readerSql)
    this.epoch = this.#meta('epoch')
  }

  /** Runs `work` on one snapshot of the database. Async, because a store may be: its errors are rejections. */
  protected async snapshot<T> (work: () => T): Promise<T> {
    try {
      this.db.exec('begin')
      return work()
    } catch (err) {
      throw isUnavailable(err) ? refuse('unavailable') : err
    } finally {
      if (this.db.isTransaction) this.db.exec('commit')
    }
  }

  protected withCursor<T> (work: () => T): Promise<Snapshot<T>> {
    return this.snapshot(() => ({ value: work(), cursor: this.#head().cursor }))
  }

  #meta (name: string): string {
    return (this.sql.meta.get(name) as { value: string }).value
  }

  #place (position: Position, tag: number): Place {
    return { position, cursor: formatCursor(this.epoch, position, tag) }
  }

  #floor (): Place {
    return this.#place(Number(this.#meta('floor_position')), Number(this.#meta('floor_tag')))
  }

  #head (): Place {
    const row = this.sql.head.get() as { position: Position, tag: number } | undefined
    const floor = this.#floor()
    return row === undefined || row.position < floor.position ? floor : this.#place(row.position, row.tag)
  }

  head (): Promise<Place> {
    return this.snapshot(() => this.#head())
  }

  openStream (request: StreamRequest, resume: Resume): Promise<StreamStart> {
    return this.snapshot(() => {
      if (request.of === 'user') this.userKey(request.userId)
      if (request.of !== 'channel') return { interest: request, ...this.#resume(resume, 0) }
      const channel = this.channel(request.channelId)
      const interest: Interest = { of: 'channel', channelId: request.channelId, channelKey: channel.channel_key }
      if (request.actor !== SYSTEM) {
        mustReceive(request.channelId, this.status(channel.channel_key, request.actor))
        interest.userId = request.actor
      }
      return { interest, ...this.#resume(resume, channel.created_position) }
    })
  }

  /** @param least where the history that this stream tells begins: a cursor from before may be of a channel that had the same id */
  #resume (resume: Resume, least: Position): Omit<StreamStart, 'interest'> {
    const head = this.#head()
    if (resume.from === 'head') return { place: head }
    const floor = this.#floor()
    if (resume.from === 'earliest') return { place: floor }
    const cursor = parseCursor(resume.cursor)
    if (cursor === undefined || cursor.epoch !== this.epoch || cursor.position > head.position) return { place: head, gap: 'unknown' }
    if (cursor.position < floor.position) return { place: head, gap: 'expired' }
    const place = this.#placeAt(cursor.position, floor)
    if (place?.cursor !== resume.cursor || cursor.position < least) return { place: head, gap: 'unknown' }
    return { place }
  }

  #placeAt (position: Position, floor: Place): Place | undefined {
    if (position === floor.position) return floor
    const row = this.sql.tagAt.get(position) as { tag: number } | undefined
    return row === undefined ? undefined : this.#place(position, row.tag)
  }

  read (interest: Interest, after: Position, limit: number): Promise<Page> {
    return this.snapshot(() => {
      const head = this.#head()
      if (interest.of === 'application') {
        const rows = this.sql.entriesAfter.all(after, limit) as unknown as EntryRow[]
        return this.#page(rows, rows.length < limit, head, { channels: [] })
      }
      const { sources, rights } = readable(this.sql, interest, after, head.position)
      const positions = merge(sources, after)
      const rows: EntryRow[] = []
      let characters = 0
      for (const position of positions) {
        const row = this.sql.entryAt.get(position) as unknown as EntryRow
        rows.push(row)
        characters += row.body?.length ?? 0
        if (rows.length === limit || characters >= PAGE_CHARACTERS) return this.#page(rows, false, head, rights)
      }
      return this.#page(rows, true, head, rights)
    })
  }

  /** @param ended nothing lies between the last row and the log's head */
  #page (rows: EntryRow[], ended: boolean, head: Place, rights: Rights): Page {
    const entries: Entry[] = []
    let characters = 0
    for (const row of rows) {
      const entry = entryOfRow(row, this.epoch)
      if (entry.payload !== undefined) entries.push(entry)
      characters += entry.payload?.length ?? 0
      if (characters >= PAGE_CHARACTERS && row !== rows.at(-1)) return { entries, through: this.#place(row.position, row.tag) }
    }
    if (ended) return { entries, through: head, rights }
    const last = rows.at(-1)!
    return { entries, through: this.#place(last.position, last.tag) }
  }

  protected userKey (userId: string): number {
    const row = this.sql.userKey.get(userId) as { user_key: number } | undefined
    if (row === undefined) throw refuse('userNotFound', userId)
    return row.user_key
  }

  protected channel (channelId: string): ChannelRow {
    const row = this.sql.channelById.get(channelId) as ChannelRow | undefined
    if (row === undefined) throw refuse('channelNotFound', channelId)
    return row
  }

  protected status (channelKey: number, userId: string): RelayStatus | undefined {
    const row = this.sql.memberOf.get(channelKey, userId) as ParticipationRow | undefined
    return row?.status ?? undefined
  }
}
