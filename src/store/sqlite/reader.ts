/** Reads of the embedded store: each in one transaction, so that rows, rights and cursor are of one moment. */
import type { DatabaseSync } from 'node:sqlite'
import type { Channel } from '../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../schemas/participation.ts'
import type { User } from '../../../schemas/user.ts'
import { refuse } from '../../errors.ts'
import { mustReceive, type RelayStatus } from '../../rules/relay.ts'
import { SYSTEM, type Actor, type MessageText } from '../commands.ts'
import { formatCursor, parseCursor } from '../cursor.ts'
import type {
  Entry, Interest, ListPage, Page, PageRequest, Place, Position, Reads, Resume, Rights, Snapshot, StreamRequest, StreamStart, TokenInfo, TokenState
} from '../store.ts'
import { isUnavailable, prepareAll, type Statements } from './database.ts'
import { merge, readable } from './replay.ts'
import {
  channelOfRow, entryOfRow, messageOfRow, participationOfRow, userOfRow,
  type ChannelRow, type EntryRow, type MessageRow, type ParticipationRow, type UserRow
} from './rows.ts'
import { readerSql } from './statements.ts'

/** Text of entries that one page holds at most, give or take one entry, in characters. */
const PAGE_CHARACTERS = 256 * 1024

/** Makers of makers of a token that are followed, far more than anybody has a use for; a longer line is not live. */
const LINEAGE_MAX = 64

export class Reader implements Reads {
  readonly #db: DatabaseSync
  readonly #sql: Statements<typeof readerSql>
  readonly #epoch: string

  constructor (db: DatabaseSync) {
    this.#db = db
    this.#sql = prepareAll(db, readerSql)
    this.#epoch = this.#meta('epoch')
  }

  /** Runs `work` on one snapshot of the database. Async, because a store may be: its errors are rejections. */
  async #snapshot<T> (work: () => T): Promise<T> {
    try {
      this.#db.exec('begin')
      return work()
    } catch (err) {
      throw isUnavailable(err) ? refuse('unavailable') : err
    } finally {
      if (this.#db.isTransaction) this.#db.exec('commit')
    }
  }

  #withCursor<T> (work: () => T): Promise<Snapshot<T>> {
    return this.#snapshot(() => ({ value: work(), cursor: this.#head().cursor }))
  }

  #meta (name: string): string {
    return (this.#sql.meta.get(name) as { value: string }).value
  }

  #place (position: Position, tag: number): Place {
    return { position, cursor: formatCursor(this.#epoch, position, tag) }
  }

  #floor (): Place {
    return this.#place(Number(this.#meta('floor_position')), Number(this.#meta('floor_tag')))
  }

  #head (): Place {
    const row = this.#sql.head.get() as { position: Position, tag: number } | undefined
    const floor = this.#floor()
    return row === undefined || row.position < floor.position ? floor : this.#place(row.position, row.tag)
  }

  head (): Promise<Place> {
    return this.#snapshot(() => this.#head())
  }

  openStream (request: StreamRequest, resume: Resume): Promise<StreamStart> {
    return this.#snapshot(() => {
      if (request.of === 'user') this.#userKey(request.userId)
      if (request.of !== 'channel') return { interest: request, ...this.#resume(resume, 0) }
      const channel = this.#channel(request.channelId)
      const interest: Interest = { of: 'channel', channelId: request.channelId, channelKey: channel.channel_key }
      if (request.actor !== SYSTEM) {
        mustReceive(request.channelId, this.#status(channel.channel_key, request.actor))
        interest.userId = request.actor
      }
      return { interest, ...this.#resume(resume, channel.created_position - 1) }
    })
  }

  /** @param least where the history that this stream tells begins; a cursor from before is of another channel's */
  #resume (resume: Resume, least: Position): Omit<StreamStart, 'interest'> {
    const head = this.#head()
    if (resume.from === 'head') return { place: head }
    const floor = this.#floor()
    if (resume.from === 'earliest') return { place: floor }
    const cursor = parseCursor(resume.cursor)
    if (cursor === undefined || cursor.epoch !== this.#epoch || cursor.position > head.position) return { place: head, gap: 'unknown' }
    if (cursor.position < floor.position) return { place: head, gap: 'expired' }
    const place = this.#placeAt(cursor.position, floor)
    if (place?.cursor !== resume.cursor || cursor.position < least) return { place: head, gap: 'unknown' }
    return { place }
  }

  #placeAt (position: Position, floor: Place): Place | undefined {
    if (position === floor.position) return floor
    const row = this.#sql.tagAt.get(position) as { tag: number } | undefined
    return row === undefined ? undefined : this.#place(position, row.tag)
  }

  read (interest: Interest, after: Position, limit: number): Promise<Page> {
    return this.#snapshot(() => {
      const head = this.#head()
      if (interest.of === 'application') {
        const rows = this.#sql.entriesAfter.all(after, limit) as unknown as EntryRow[]
        return this.#page(rows, rows.length < limit, head, { channels: [] })
      }
      const { sources, rights } = readable(this.#sql, interest, after, head.position)
      const positions = merge(sources, after)
      const rows: EntryRow[] = []
      let characters = 0
      for (const position of positions) {
        const row = this.#sql.entryAt.get(position) as unknown as EntryRow
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
      const entry = entryOfRow(row, this.#epoch)
      if (entry.payload !== undefined) entries.push(entry)
      characters += entry.payload?.length ?? 0
      if (characters >= PAGE_CHARACTERS && row !== rows.at(-1)) return { entries, through: this.#place(row.position, row.tag) }
    }
    if (ended) return { entries, through: head, rights }
    const last = rows.at(-1)!
    return { entries, through: this.#place(last.position, last.tag) }
  }

  getUser (userId: string): Promise<User> {
    return this.#snapshot(() => {
      const row = this.#sql.userById.get(userId) as (UserRow & { deleted_at: number | null }) | undefined
      if (row === undefined || row.deleted_at !== null || row.user_key === 0) throw refuse('userNotFound', userId)
      return userOfRow(row)
    })
  }

  listUsers (page: PageRequest): Promise<ListPage<User>> {
    return this.#snapshot(() => {
      const key = (userId: string) => this.#userKey(userId)
      const rows = page.after === undefined
        ? this.#sql.usersBefore.all(page.before === undefined ? Number.MAX_SAFE_INTEGER : key(page.before), page.limit, page.offset)
        : this.#sql.usersAfter.all(key(page.after), page.limit, page.offset)
      const { value: total } = this.#sql.counter.get('users') as { value: number }
      return { items: (rows as unknown as UserRow[]).map(userOfRow), total }
    })
  }

  getToken (tokenId: string): Promise<TokenState | undefined> {
    return this.#snapshot(() => {
      const lineage: string[] = []
      let [live, userId, id] = [true, undefined as string | undefined, tokenId as string | null]
      while (id !== null) {
        if (lineage.length === LINEAGE_MAX) return { userId: userId!, lineage, live: false }
        const row = this.#sql.token.get(id) as { parent_id: string | null, revoked_at: number | null, user_id: string, deleted_at: number | null } | undefined
        if (row === undefined) return lineage.length === 0 ? undefined : { userId: userId!, lineage, live: false }
        lineage.push(id)
        userId ??= row.user_id
        live &&= row.revoked_at === null && row.deleted_at === null
        id = row.parent_id
      }
      return { userId: userId!, lineage, live }
    })
  }

  async listTokens (userId: string): Promise<TokenInfo[]> {
    await this.getUser(userId)
    const rows = await this.#snapshot(() => this.#sql.tokensOfUser.all(userId)) as Array<{
      token_id: string, created_at: number, expires_at: number | null
    }>
    return rows.map(row => ({
      tokenId: row.token_id, createdAt: row.created_at, ...(row.expires_at === null ? {} : { expiresAt: row.expires_at })
    }))
  }

  getChannel (actor: Actor, channelId: string): Promise<Snapshot<Channel>> {
    return this.#withCursor(() => {
      const channel = this.#channel(channelId)
      if (actor !== SYSTEM && channel.group_type !== 'public' && this.#status(channel.channel_key, actor) === undefined) {
        throw refuse('actorNotInGroup', channelId)
      }
      return channelOfRow(channel)
    })
  }

  listParticipants (actor: Actor, channelId: string, statuses: RelayStatus[], limit = Number.MAX_SAFE_INTEGER): Promise<Snapshot<ChannelParticipation[]>> {
    return this.#withCursor(() => {
      const channel = this.#receivedChannel(actor, channelId)
      const rows = statuses.flatMap(status =>
        this.#sql.participations.all(channel.channel_key, status, limit) as unknown as Array<ParticipationRow & { status: RelayStatus }>)
      return rows.map(row => participationOfRow(row, channelId)).sort((a, b) => a.joinedAt - b.joinedAt).slice(0, limit)
    })
  }

  listMessages (actor: Actor, channelId: string, page: PageRequest): Promise<Snapshot<ListPage<MessageText>>> {
    return this.#withCursor(() => {
      const channel = this.#receivedChannel(actor, channelId)
      const position = (messageId: string) => this.#messagePosition(messageId, channel.channel_key)
      const rows = page.after === undefined
        ? this.#sql.messagesBefore.all(channel.channel_key, page.before === undefined ? Number.MAX_SAFE_INTEGER : position(page.before),
          channel.truncated_position, page.limit, page.offset)
        : this.#sql.messagesAfter.all(channel.channel_key, position(page.after), page.limit, page.offset)
      return { items: (rows as unknown as MessageRow[]).map(messageOfRow), total: channel.message_count }
    })
  }

  getMessage (actor: Actor, messageId: string): Promise<Snapshot<MessageText>> {
    return this.#withCursor(() => {
      const position = this.#messagePosition(messageId)
      const row = this.#sql.messageAt.get(position) as unknown as MessageRow
      this.#receivedChannel(actor, row.channel_id)
      return messageOfRow(row)
    })
  }

  #userKey (userId: string): number {
    const row = this.#sql.userKey.get(userId) as { user_key: number } | undefined
    if (row === undefined) throw refuse('userNotFound', userId)
    return row.user_key
  }

  #messagePosition (messageId: string, channelKey?: number): Position {
    const row = this.#sql.messageByIdLive.get(messageId) as { position: Position, channel_key: number } | undefined
    if (row === undefined || (channelKey !== undefined && row.channel_key !== channelKey)) throw refuse('messageNotFound', messageId)
    return row.position
  }

  #channel (channelId: string): ChannelRow {
    const row = this.#sql.channelById.get(channelId) as ChannelRow | undefined
    if (row === undefined) throw refuse('channelNotFound', channelId)
    return row
  }

  /** A channel of which the actor may read what was said. */
  #receivedChannel (actor: Actor, channelId: string): ChannelRow {
    const channel = this.#channel(channelId)
    if (actor !== SYSTEM) mustReceive(channelId, this.#status(channel.channel_key, actor))
    return channel
  }

  #status (channelKey: number, userId: string): RelayStatus | undefined {
    const row = this.#sql.memberOf.get(channelKey, userId) as ParticipationRow | undefined
    return row?.status ?? undefined
  }
}
