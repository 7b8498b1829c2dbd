/** Reads of the embedded store: each in one transaction, so that rows, rights and cursor are of one moment. */
import type { DatabaseSync } from 'node:sqlite'
import type { Channel, ParticipatedChannel } from '../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../schemas/participation.ts'
import type { ChannelTimelineEntry, MessageTimelineEntry, TimelineEvent } from '../../../schemas/timeline.ts'
import type { User } from '../../../schemas/user.ts'
import { refuse } from '../../errors.ts'
import { mustReceive, statusTable, type RelayStatus, type Ruleset } from '../../rules/relay.ts'
import { SYSTEM_CHANNEL } from '../../rules/rulesets.ts'
import { SYSTEM, type Actor, type MessageText } from '../commands.ts'
import { formatCursor, parseCursor } from '../cursor.ts'
import type {
  ChannelFilter, Entry, EventFilter, Interest, ListPage, Page, PageRequest, Place, Position, Reads, Resume, Rights, Snapshot, StreamRequest, StreamStart, TokenInfo, TokenState
} from '../store.ts'
import { isUnavailable, prepareAll, type Statements } from './database.ts'
import { merge, readable } from './replay.ts'
import {
  channelOfRow, entryOfRow, eventText, messageOfRow, participationOfRow, userOfRow,
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
      return { items: (rows as unknown as UserRow[]).map(userOfRow), total: this.#counter('users') }
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

  getChannels (actor: Actor, channelIds: string[]): Promise<Snapshot<Channel[]>> {
    return this.#withCursor(() => channelIds.map(channelId => {
      const channel = this.#channel(channelId)
      if (actor !== SYSTEM && channel.group_type !== 'public' && this.#status(channel.channel_key, actor) === undefined) {
        throw refuse('actorNotInGroup', channelId)
      }
      return channelOfRow(channel)
    }))
  }

  listChannels (page: PageRequest, { includeSystemChannels }: ChannelFilter): Promise<Snapshot<ListPage<Channel>>> {
    return this.#withCursor(() => {
      const [before, after] = includeSystemChannels
        ? [this.#sql.channelsBefore, this.#sql.channelsAfter]
        : [this.#sql.listedChannelsBefore, this.#sql.listedChannelsAfter]
      const rows = page.after === undefined
        ? before.all(this.#keyBefore(page.before), page.limit, page.offset)
        : after.all(this.#channel(page.after).channel_key, page.limit, page.offset)
      const total = this.#counter('channels') - (includeSystemChannels ? 0 : this.#counter('system-channels'))
      return { items: (rows as unknown as ChannelRow[]).map(channelOfRow), total }
    })
  }

  listChannelsOf (userId: string, page: PageRequest, filter: ChannelFilter): Promise<Snapshot<ListPage<ParticipatedChannel>>> {
    return this.#withCursor(() => {
      const userKey = this.#userKey(userId)
      const { includeSystemChannels, ruleset = '' } = filter
      const rest = [includeSystemChannels ? 1 : 0, ruleset, ruleset, page.limit, page.offset]
      const keys = page.after === undefined
        ? this.#sql.channelKeysOfBefore.all(userKey, this.#keyBefore(page.before), ...rest)
        : this.#sql.channelKeysOfAfter.all(userKey, this.#channel(page.after).channel_key, ...rest)
      const items = (keys as Array<{ channel_key: number }>).map(({ channel_key: channelKey }) => {
        const row = this.#sql.participationIn.get(channelKey, userKey) as unknown as ChannelRow & ParticipationRow & { status: RelayStatus }
        return {
          participationId: row.participation_id,
          identifier: row.channel_id,
          participationStatus: statusTable[row.status].participationStatus,
          channel: channelOfRow(row)
        }
      })
      return { items, total: this.#membershipCount(userKey, filter) }
    })
  }

  #keyBefore (channelId: string | undefined): number {
    return channelId === undefined ? Number.MAX_SAFE_INTEGER : this.#channel(channelId).channel_key
  }

  #counter (name: string): number {
    return (this.#sql.counter.get(name) as { value: number }).value
  }

  /** The kept count, less what it still holds of channels whose deletion is being told apart. */
  #membershipCount (userKey: number, { includeSystemChannels, ruleset }: ChannelFilter): number {
    const listed = (row: { ruleset: Ruleset }) =>
      (includeSystemChannels || row.ruleset !== SYSTEM_CHANNEL) && (ruleset === undefined || row.ruleset === ruleset)
    const counts = (this.#sql.membershipCounts.all(userKey) as Array<{ ruleset: Ruleset, count: number }>).filter(listed)
    const closing = (this.#sql.channelsClosing.all() as Array<{ channel_key: number, ruleset: Ruleset }>).filter(listed)
    const gone = closing.filter(({ channel_key: key }) => this.#sql.isClosing.get(key, userKey) !== undefined)
    return counts.reduce((sum, { count }) => sum + count, 0) - gone.length
  }

  listChannelEvents (actor: Actor, channelIds: string[], filter: EventFilter): Promise<Snapshot<ChannelTimelineEntry[]>> {
    return this.#withCursor(() => channelIds.flatMap(channelId => {
      const channel = this.#receivedChannel(actor, channelId)
      const added = this.#sql.eventsOfChannel.all(channel.channel_key, Number.MAX_SAFE_INTEGER) as unknown as EventRow[]
      const events = [...JSON.parse(channel.timeline_events) as TimelineEvent[], ...added.map(eventOfRow)]
      return filtered(events, filter).map(timelineEvent => ({ channelId: { identifier: channelId }, timelineEvent }))
    }))
  }

  listMessageEvents (actor: Actor, channelId: string, messageIds: string[], filter: EventFilter): Promise<Snapshot<MessageTimelineEntry[]>> {
    return this.#withCursor(() => {
      const channel = this.#receivedChannel(actor, channelId)
      return messageIds.flatMap(messageId => {
        const position = this.#messagePosition(messageId, channel.channel_key)
        const message = JSON.parse(messageOfRow(this.#sql.messageAt.get(position) as unknown as MessageRow)) as { timelineEvents: TimelineEvent[] }
        const added = this.#sql.eventsOfMessage.all(position, Number.MAX_SAFE_INTEGER) as unknown as EventRow[]
        return filtered([...message.timelineEvents, ...added.map(eventOfRow)], filter)
          .map(timelineEvent => ({ messageId: { identifier: messageId }, channelId: { identifier: channelId }, timelineEvent }))
      })
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

type EventRow = Pick<EntryRow, 'body' | 'sender_id' | 'sender_deleted_at'>

const eventOfRow = (row: EventRow): TimelineEvent => JSON.parse(eventText(row)) as TimelineEvent

function filtered (events: TimelineEvent[], { types, limit }: EventFilter): TimelineEvent[] {
  return events.filter(({ type }) => types === undefined || types.includes(type)).slice(0, limit)
}
