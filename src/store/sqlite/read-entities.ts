/** What there is now, and lists of it: users, tokens, channels, members, messages, timeline events. */
import type { AccessLists } from '../../rules/access.ts'
import type { Position } from '../contract/log.ts'
import { sizeOfEvent, type EntityQueries, type ListedMessage, type PageBounds, type Rows, type StoredEvent } from '../core/read/queries.ts'
import { lanes, type ApplicationRecord, type Lane } from '../core/records.ts'
import { classNumbers } from '../sql/audience-classes.ts'
import { channelDetailsOfRow, channelOfRow, memberOfRow, tokenOfRow, userOfRow, type ChannelDetailsRow, type UserRow } from '../sql/columns.ts'
import { entityTexts } from '../sql/entity-texts.ts'
import { eventOfRow, isThere, messageDetailsOfRow, type EventRow, type MessageDetailsRow } from '../sql/log-columns.ts'
import { collect, given, ifFound, parsed, positionsOf, type PositionRow } from '../sql/rows.ts'
import { sqliteDialect } from './dialect.ts'
import { Merge } from './merge.ts'
import type { Reading, Statements } from './statements.ts'

export const entitySql = entityTexts(sqliteDialect)

export function entityQueries (sql: Statements<typeof entitySql>): EntityQueries {
  /** Of a timeline, by its key: all of them, or those of several types, merged. */
  const events = (
    [all, ofType]: [Reading<EventRow>, Reading<PositionRow>], key: number, after: Position, types: string[] | undefined, bounds: PageBounds
  ): Rows<StoredEvent> => {
    if (types === undefined) return collect(all.iterate(key, after, bounds.rows + 1), bounds, eventOfRow, sizeOfEvent)
    const merge = new Merge(types.map(type => ({ read: (from, limit) => positionsOf(ofType.all(key, type, from, limit)) })), after)
    return collect(merge.upTo(Infinity).map(position => sql.eventAt.get(position)!), bounds, eventOfRow, sizeOfEvent)
  }

  return {
    user: userId => ifFound(sql.user.get(userId), userOfRow),
    users (slice, bounds, offset) {
      const rows = 'after' in slice
        ? sql.usersAfter.iterate(slice.after, bounds.rows + 1, offset)
        : sql.usersBefore.iterate(slice.before, bounds.rows + 1, offset)
      return collect(rows, bounds, userOfRow, sizeOfUser)
    },
    total: name => sql.total.get(name)!.value,

    lineage (tokenId, limit) {
      const found: ReturnType<EntityQueries['lineage']> = []
      for (let id: string | undefined = tokenId; id !== undefined && found.length < limit; id = found.at(-1)!.parentId) {
        const row = sql.token.get(id)
        if (row === undefined) break
        found.push({ ...tokenOfRow(row), userId: row.user_id, userDeleted: row.user_deleted === 1 })
      }
      return found
    },
    token: tokenId => ifFound(sql.token.get(tokenId), tokenOfRow),
    tokens: (userKey, { createdAt, tokenId }, limit) => sql.tokens.all(userKey, createdAt, tokenId, limit).map(tokenOfRow),

    channel: channelId => ifFound(sql.channel.get(channelId), channelOfRow),
    channelDetails: channelId => ifFound(sql.channelDetails.get(channelId), channelDetailsOfRow),
    channels (slice, includeSystemChannels, bounds, offset) {
      const [before, after] = includeSystemChannels ? [sql.channelsBefore, sql.channelsAfter] : [sql.listedChannelsBefore, sql.listedChannelsAfter]
      const rows = 'after' in slice ? after.iterate(slice.after, bounds.rows + 1, offset) : before.iterate(slice.before, bounds.rows + 1, offset)
      return collect(rows, bounds, channelDetailsOfRow, sizeOfChannel)
    },
    channelsOf (userKey, slice, { includeSystemChannels, ruleset = '' }, bounds, offset) {
      const rest = [Number(includeSystemChannels), ruleset, ruleset, bounds.rows + 1, offset]
      const rows = 'after' in slice
        ? sql.channelsOfAfter.iterate(userKey, slice.after, ...rest)
        : sql.channelsOfBefore.iterate(userKey, slice.before, ...rest)
      return collect(rows, bounds, row => ({ ...channelDetailsOfRow(row), participationId: row.participation_id, status: row.status, admin: row.admin === 1 }), sizeOfChannel)
    },

    membershipCounts: userKey => sql.membershipCounts.all(userKey),
    /** By the user's own rows, between the first and the last channel that is closing: mostly there is none. */
    closingMemberships: (userKey, { includeSystemChannels, ruleset = '' }) =>
      sql.closingMemberships.get(userKey, Number(includeSystemChannels), ruleset, ruleset)!.count,
    member: (channelId, userId) => ifFound(sql.member.get(userId, channelId), memberOfRow),
    participants (channelKey, status, { sincePosition, userKey }, limit) {
      return sql.participants.all(channelKey, status, sincePosition, userKey, limit).map(row => ({
        member: memberOfRow(row),
        user: { userId: row.user_id, ...parsed<'screenName', string>('screenName', row.screen_name), ...given('deletedAt', row.deleted_at) }
      }))
    },

    message: messageId => ifFound(sql.message.get(messageId), messageDetailsOfRow),
    messageEntry: messageId => ifFound(sql.messageEntry.get(messageId), row => ({
      position: row.position, channelKey: row.channel_key, ...parsed<'acls', AccessLists>('acls', row.acls)
    })),
    messages (channelKey, slice, truncatedPosition, bounds, offset) {
      const rows = 'after' in slice
        ? sql.messagesAfter.iterate(channelKey, slice.after, truncatedPosition, bounds.rows + 1, offset)
        : sql.messagesBefore.iterate(channelKey, slice.before, truncatedPosition, bounds.rows + 1, offset)
      return collect(rows, bounds, messageDetailsOfRow, sizeOfMessage)
    },

    listedMessages (channelKey, seeker, slice, above, bounds) {
      const forward = 'after' in slice
      const from = forward ? slice.after : slice.before
      const limit = bounds.rows + 1
      const inLane = (lane: Lane) => (forward ? sql.messagesInLaneAfter : sql.messagesInLaneBefore).all(channelKey, lane, from, above, limit)
      const addressed = (name: keyof typeof classNumbers, userKey: number) =>
        (forward ? sql.messagesForAfter : sql.messagesForBefore).all(channelKey, classNumbers[name], userKey, from, above, limit)
      const found = seeker === 'application'
        ? [...inLane(lanes.message), ...inLane(lanes.listed)]
        : [...inLane(lanes.message), ...addressed('named', seeker.userKey), ...seeker.classes.flatMap(name => addressed(name, 0))]
      const rows = [...new Map(found.map(row => [row.position, row])).values()]
        .sort((one, other) => forward ? one.position - other.position : other.position - one.position)
      return collect(rows.values(), bounds, ({ position, lane, listed }): ListedMessage => {
        const acls = listed === 1 && seeker !== 'application' ? sql.listsAt.get(position)!.acls : null
        return { position, present: isThere(lane), ...parsed<'acls', AccessLists>('acls', acls), bytes: acls?.length ?? 0 }
      }, (_row, { bytes }) => bytes)
    },
    messagesAt: (positions, bounds) =>
      collect(positions.map(position => sql.messageAt.get(position)).filter(row => row !== undefined).values(), bounds, messageDetailsOfRow, sizeOfMessage),

    application: () => ifFound(sql.application.get(), ({ value }) => JSON.parse(value) as ApplicationRecord),
    goneAmong: userIds => sql.goneAmong.all(JSON.stringify(userIds)).map(row => row.user_id),

    channelEvents: (channelKey, after, types, bounds) => events([sql.channelEvents, sql.channelEventsOfType], channelKey, after, types, bounds),
    messageEvents: (position, after, types, bounds) => events([sql.messageEvents, sql.messageEventsOfType], position, after, types, bounds),
    eventEntry: eventId => ifFound(sql.eventEntry.get(eventId), row => ({
      position: row.position, ...given('channelKey', row.channel_key), ...given('messagePosition', row.message_position)
    }))
  }
}

/** What goes around a text in an answer, in bytes, about: ids, references, times. */
const AROUND_BYTES = 1024

const sizeOfChannel = (row: ChannelDetailsRow): number => AROUND_BYTES + (row.creation_events === null ? 0 : Buffer.byteLength(row.creation_events))

const sizeOfUser = (row: UserRow): number => AROUND_BYTES + Buffer.byteLength(row.profile)

const sizeOfMessage = (row: MessageDetailsRow): number => AROUND_BYTES + Buffer.byteLength(row.content) + (row.acls?.length ?? 0)
