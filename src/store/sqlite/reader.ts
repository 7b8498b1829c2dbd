/** Reads of the embedded store: each in one transaction, so that rows, rights and cursor are of one moment. */
import type { Channel, ParticipatedChannel } from '../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../schemas/participation.ts'
import type { ChannelTimelineEntry, MessageTimelineEntry, TimelineEvent } from '../../../schemas/timeline.ts'
import type { User } from '../../../schemas/user.ts'
import { refuse } from '../../errors.ts'
import { mustReceive, statusTable, type RelayStatus, type Ruleset } from '../../rules/relay.ts'
import { SYSTEM_CHANNEL } from '../../rules/rulesets.ts'
import { SYSTEM, type Actor, type MessageText } from '../commands.ts'
import type { ChannelFilter, EventFilter, ListPage, PageRequest, Position, Reads, Snapshot, TokenInfo, TokenState } from '../store.ts'
import { LogReader } from './log-reader.ts'
import {
  channelOfRow, eventText, messageOfRow, participationOfRow, userOfRow,
  type ChannelRow, type EntryRow, type MessageRow, type ParticipationRow, type UserRow
} from './rows.ts'

/** Makers of makers of a token that are followed, far more than anybody has a use for; a longer line is not live. */
const LINEAGE_MAX = 64

export class Reader extends LogReader implements Reads {
  getUser (userId: string): Promise<User> {
    return this.snapshot(() => {
      const row = this.sql.userById.get(userId) as (UserRow & { deleted_at: number | null }) | undefined
      if (row === undefined || row.deleted_at !== null || row.user_key === 0) throw refuse('userNotFound', userId)
      return userOfRow(row)
    })
  }

  listUsers (page: PageRequest): Promise<ListPage<User>> {
    return this.snapshot(() => {
      const key = (userId: string) => this.userKey(userId)
      const rows = page.after === undefined
        ? this.sql.usersBefore.all(page.before === undefined ? Number.MAX_SAFE_INTEGER : key(page.before), page.limit, page.offset)
        : this.sql.usersAfter.all(key(page.after), page.limit, page.offset)
      return { items: (rows as unknown as UserRow[]).map(userOfRow), total: this.#counter('users') }
    })
  }

  getToken (tokenId: string): Promise<TokenState | undefined> {
    return this.snapshot(() => {
      const lineage: string[] = []
      let [live, userId, id] = [true, undefined as string | undefined, tokenId as string | null]
      while (id !== null) {
        if (lineage.length === LINEAGE_MAX) return { userId: userId!, lineage, live: false }
        const row = this.sql.token.get(id) as { parent_id: string | null, revoked_at: number | null, user_id: string, deleted_at: number | null } | undefined
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
    const rows = await this.snapshot(() => this.sql.tokensOfUser.all(userId)) as Array<{
      token_id: string, created_at: number, expires_at: number | null
    }>
    return rows.map(row => ({
      tokenId: row.token_id, createdAt: row.created_at, ...(row.expires_at === null ? {} : { expiresAt: row.expires_at })
    }))
  }

  getChannels (actor: Actor, channelIds: string[]): Promise<Snapshot<Channel[]>> {
    return this.withCursor(() => channelIds.map(channelId => {
      const channel = this.channel(channelId)
      if (actor !== SYSTEM && channel.group_type !== 'public' && this.status(channel.channel_key, actor) === undefined) {
        throw refuse('actorNotInGroup', channelId)
      }
      return channelOfRow(channel)
    }))
  }

  listChannels (page: PageRequest, { includeSystemChannels }: ChannelFilter): Promise<Snapshot<ListPage<Channel>>> {
    return this.withCursor(() => {
      const [before, after] = includeSystemChannels
        ? [this.sql.channelsBefore, this.sql.channelsAfter]
        : [this.sql.listedChannelsBefore, this.sql.listedChannelsAfter]
      const rows = page.after === undefined
        ? before.all(this.#keyBefore(page.before), page.limit, page.offset)
        : after.all(this.channel(page.after).channel_key, page.limit, page.offset)
      const total = this.#counter('channels') - (includeSystemChannels ? 0 : this.#counter('system-channels'))
      return { items: (rows as unknown as ChannelRow[]).map(channelOfRow), total }
    })
  }

  listChannelsOf (userId: string, page: PageRequest, filter: ChannelFilter): Promise<Snapshot<ListPage<ParticipatedChannel>>> {
    return this.withCursor(() => {
      const userKey = this.userKey(userId)
      const { includeSystemChannels, ruleset = '' } = filter
      const rest = [includeSystemChannels ? 1 : 0, ruleset, ruleset, page.limit, page.offset]
      const keys = page.after === undefined
        ? this.sql.channelKeysOfBefore.all(userKey, this.#keyBefore(page.before), ...rest)
        : this.sql.channelKeysOfAfter.all(userKey, this.channel(page.after).channel_key, ...rest)
      const items = (keys as Array<{ channel_key: number }>).map(({ channel_key: channelKey }) => {
        const row = this.sql.participationIn.get(channelKey, userKey) as unknown as ChannelRow & ParticipationRow & { status: RelayStatus }
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
    return channelId === undefined ? Number.MAX_SAFE_INTEGER : this.channel(channelId).channel_key
  }

  #counter (name: string): number {
    return (this.sql.counter.get(name) as { value: number }).value
  }

  /** The kept count, less what it still holds of channels whose deletion is being told apart. */
  #membershipCount (userKey: number, { includeSystemChannels, ruleset }: ChannelFilter): number {
    const listed = (row: { ruleset: Ruleset }) =>
      (includeSystemChannels || row.ruleset !== SYSTEM_CHANNEL) && (ruleset === undefined || row.ruleset === ruleset)
    const counts = (this.sql.membershipCounts.all(userKey) as Array<{ ruleset: Ruleset, count: number }>).filter(listed)
    const closing = (this.sql.channelsClosing.all() as Array<{ channel_key: number, ruleset: Ruleset }>).filter(listed)
    const gone = closing.filter(({ channel_key: key }) => this.sql.isClosing.get(key, userKey) !== undefined)
    return counts.reduce((sum, { count }) => sum + count, 0) - gone.length
  }

  listChannelEvents (actor: Actor, channelIds: string[], filter: EventFilter): Promise<Snapshot<ChannelTimelineEntry[]>> {
    return this.withCursor(() => channelIds.flatMap(channelId => {
      const channel = this.#receivedChannel(actor, channelId)
      const added = this.sql.eventsOfChannel.all(channel.channel_key, Number.MAX_SAFE_INTEGER) as unknown as EventRow[]
      const events = [...JSON.parse(channel.timeline_events) as TimelineEvent[], ...added.map(eventOfRow)]
      return filtered(events, filter).map(timelineEvent => ({ channelId: { identifier: channelId }, timelineEvent }))
    }))
  }

  listMessageEvents (actor: Actor, channelId: string, messageIds: string[], filter: EventFilter): Promise<Snapshot<MessageTimelineEntry[]>> {
    return this.withCursor(() => {
      const channel = this.#receivedChannel(actor, channelId)
      return messageIds.flatMap(messageId => {
        const position = this.#messagePosition(messageId, channel.channel_key)
        const message = JSON.parse(messageOfRow(this.sql.messageAt.get(position) as unknown as MessageRow)) as { timelineEvents: TimelineEvent[] }
        const added = this.sql.eventsOfMessage.all(position, Number.MAX_SAFE_INTEGER) as unknown as EventRow[]
        return filtered([...message.timelineEvents, ...added.map(eventOfRow)], filter)
          .map(timelineEvent => ({ messageId: { identifier: messageId }, channelId: { identifier: channelId }, timelineEvent }))
      })
    })
  }

  listParticipants (actor: Actor, channelId: string, statuses: RelayStatus[], limit = Number.MAX_SAFE_INTEGER): Promise<Snapshot<ChannelParticipation[]>> {
    return this.withCursor(() => {
      const channel = this.#receivedChannel(actor, channelId)
      const rows = statuses.flatMap(status =>
        this.sql.participations.all(channel.channel_key, status, limit) as unknown as Array<ParticipationRow & { status: RelayStatus }>)
      return rows.map(row => participationOfRow(row, channelId)).sort((a, b) => a.joinedAt - b.joinedAt).slice(0, limit)
    })
  }

  listMessages (actor: Actor, channelId: string, page: PageRequest): Promise<Snapshot<ListPage<MessageText>>> {
    return this.withCursor(() => {
      const channel = this.#receivedChannel(actor, channelId)
      const position = (messageId: string) => this.#messagePosition(messageId, channel.channel_key)
      const rows = page.after === undefined
        ? this.sql.messagesBefore.all(channel.channel_key, page.before === undefined ? Number.MAX_SAFE_INTEGER : position(page.before),
          channel.truncated_position, page.limit, page.offset)
        : this.sql.messagesAfter.all(channel.channel_key, position(page.after), page.limit, page.offset)
      return { items: (rows as unknown as MessageRow[]).map(messageOfRow), total: channel.message_count }
    })
  }

  getMessage (actor: Actor, messageId: string): Promise<Snapshot<MessageText>> {
    return this.withCursor(() => {
      const position = this.#messagePosition(messageId)
      const row = this.sql.messageAt.get(position) as unknown as MessageRow
      this.#receivedChannel(actor, row.channel_id)
      return messageOfRow(row)
    })
  }

  #messagePosition (messageId: string, channelKey?: number): Position {
    const row = this.sql.messageByIdLive.get(messageId) as { position: Position, channel_key: number } | undefined
    if (row === undefined || (channelKey !== undefined && row.channel_key !== channelKey)) throw refuse('messageNotFound', messageId)
    return row.position
  }

  /** A channel of which the actor may read what was said. */
  #receivedChannel (actor: Actor, channelId: string): ChannelRow {
    const channel = this.channel(channelId)
    if (actor !== SYSTEM) mustReceive(channelId, this.status(channel.channel_key, actor))
    return channel
  }
}

type EventRow = Pick<EntryRow, 'body' | 'sender_id' | 'sender_deleted_at'>

const eventOfRow = (row: EventRow): TimelineEvent => JSON.parse(eventText(row)) as TimelineEvent

function filtered (events: TimelineEvent[], { types, limit }: EventFilter): TimelineEvent[] {
  return events.filter(({ type }) => types === undefined || types.includes(type)).slice(0, limit)
}
