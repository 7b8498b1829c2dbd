/** What there is now, and lists of it: users, tokens, channels, members, messages, timeline events. */
import type { AccessLists } from '../../rules/access.ts'
import type { Position } from '../contract/log.ts'
import type { AsyncQueries, EntityQueries, Lineage, ListedMessage, PageBounds, Rows, StoredEvent } from '../core/read/queries.ts'
import { lanes, type ApplicationRecord, type Lane } from '../core/records.ts'
import { classNumbers } from '../sql/audience-classes.ts'
import { channelDetailsOfRow, channelOfRow, memberColumns, memberOfRow, tokenOfRow, userOfRow, type MemberRow, type TokenRow } from '../sql/columns.ts'
import { yields, type Sql } from '../sql/dialect.ts'
import { entityTexts, type ChannelOfUserRow, type FoundRow } from '../sql/entity-texts.ts'
import { eventColumns, eventJoin, eventOfRow, isThere, messageDetailsColumns, messageDetailsJoins, messageDetailsOfRow, type EventRow, type MessageDetailsRow } from '../sql/log-columns.ts'
import { collect, given, ifFound, parsed, positionsOf, type Flag, type PositionRow } from '../sql/rows.ts'
import { bounded, bytesOf, pageOf, type Paged } from './bounded.ts'
import { memberNamed, numbered, postgresDialect } from './dialect.ts'
import { merge } from './merge.ts'
import { arrayOf, escaped, finite, type Parameter } from './parameters.ts'
import type { Run } from './read.ts'

/** What goes around a text in an answer, in bytes, about: ids, references, times. */
const AROUND_BYTES = 1024

const texts = entityTexts(postgresDialect)

const users = `${AROUND_BYTES} + ${bytesOf('profile')}`
const channels = `${AROUND_BYTES} + ${bytesOf('creation_events')}`
const messages = `${AROUND_BYTES} + ${bytesOf('content', 'acls')}`
const events = `256 + ${bytesOf('body')}`

const tokenWithUser = (token: string): string => `select t.token_id, t.user_key, t.parent_id, t.created_at, t.expires_at, t.revoked_at, u.user_id,
  cast(u.deleted_at is not null as integer) as user_deleted, ${token}`

/** Entries are found before anything is looked up for them: what that costs would hide from the planner what the wrong index does. */
const messagesFound = (between: string, order: 'desc' | ''): Sql<MessageDetailsRow> => yields<MessageDetailsRow>(`select ${messageDetailsColumns(postgresDialect)} from (
    select * from entries where channel_key = ? and lane = ${lanes.message} and ${between} order by position ${order} limit ? offset ?
  ) e ${messageDetailsJoins} order by e.position ${order}`)

export const entitySql = numbered({
  ...texts,
  usersBefore: bounded(texts.usersBefore, users),
  usersAfter: bounded(texts.usersAfter, users),
  channelsBefore: bounded(texts.channelsBefore, channels),
  channelsAfter: bounded(texts.channelsAfter, channels),
  listedChannelsBefore: bounded(texts.listedChannelsBefore, channels),
  listedChannelsAfter: bounded(texts.listedChannelsAfter, channels),
  channelsOfBefore: bounded(texts.channelsOfBefore, channels),
  channelsOfAfter: bounded(texts.channelsOfAfter, channels),
  messagesBefore: bounded(messagesFound('position < ? and position > ?', 'desc'), messages),
  messagesAfter: bounded(messagesFound(`position > ${postgresDialect.greatest('?', '?')}`, ''), messages),
  channelEvents: bounded(texts.channelEvents, events),
  messageEvents: bounded(texts.messageEvents, events),
  member: yields<MemberRow>(`select ${memberColumns} from (select 1) asked ${memberNamed('?', '?')}`),
  /** A token, its maker, and so on. */
  lineage: yields<TokenRow & { user_id: string, user_deleted: Flag }>(`with recursive line as (
      ${tokenWithUser('1 as nth')} from tokens t join users u on u.user_key = t.user_key where t.token_id = ?
      union all ${tokenWithUser('line.nth + 1')} from line join tokens t on t.token_id = line.parent_id join users u on u.user_key = t.user_key where line.nth < ?
    ) select * from line order by nth`),
  messagesAt: bounded(yields<MessageDetailsRow>(`select ${messageDetailsColumns(postgresDialect)}
    from unnest(cast(? as bigint[])) with ordinality asked (position, nth) join entries e on e.position = asked.position ${messageDetailsJoins} order by asked.nth`), messages),
  eventsAt: bounded(yields<EventRow>(`select ${eventColumns} from entries e ${eventJoin} where e.position = any(cast(? as bigint[])) order by e.position`), events),
  listsAt: yields<{ position: Position, acls: string | null }>('select position, acls from entries where position = any(cast(? as bigint[]))')
})

export function entityQueries (run: Run): Pick<AsyncQueries, keyof EntityQueries> {
  const first = async <Row>(sql: Sql<Row>, ...parameters: Parameter[]): Promise<Row | undefined> => (await run(sql, ...parameters))[0]
  const page = async <Row extends Paged, T>(sql: Sql<Row>, parameters: Parameter[], bounds: PageBounds, make: (row: Row) => T): Promise<Rows<T>> =>
    pageOf(await run(sql, ...parameters, finite(bounds.bytes)), bounds, make)

  /** Of a timeline, by its key: all of them, or those of several types, merged. */
  async function eventsOf ([all, ofType]: [Sql<EventRow & Paged>, Sql<PositionRow>], key: number, after: Position, types: string[] | undefined, bounds: PageBounds): Promise<Rows<StoredEvent>> {
    if (types === undefined) return await page(all, [key, after, bounds.rows + 1], bounds, eventOfRow)
    const sources = types.map(type => ({ read: async (from: Position, limit: number) => positionsOf(await run(ofType, key, escaped(type), from, limit)) }))
    const { positions } = await merge(sources, after, Infinity, bounds.rows + 1)
    return await page(entitySql.eventsAt, [arrayOf(positions)], bounds, eventOfRow)
  }

  return {
    user: async userId => ifFound(await first(entitySql.user, userId), userOfRow),
    users: async (slice, bounds, offset) => 'after' in slice
      ? await page(entitySql.usersAfter, [slice.after, bounds.rows + 1, offset], bounds, userOfRow)
      : await page(entitySql.usersBefore, [finite(slice.before), bounds.rows + 1, offset], bounds, userOfRow),
    total: async name => (await first(entitySql.total, name))!.value,

    lineage: async (tokenId, limit) => (await run(entitySql.lineage, tokenId, limit)).map((row): Lineage[number] =>
      ({ ...tokenOfRow(row), userId: row.user_id, userDeleted: row.user_deleted === 1 })),
    token: async tokenId => ifFound(await first(entitySql.token, tokenId), tokenOfRow),
    tokens: async (userKey, { createdAt, tokenId }, limit) => (await run(entitySql.tokens, userKey, createdAt, tokenId, limit)).map(tokenOfRow),

    channel: async channelId => ifFound(await first(entitySql.channel, channelId), channelOfRow),
    channelDetails: async channelId => ifFound(await first(entitySql.channelDetails, channelId), channelDetailsOfRow),
    async channels (slice, includeSystemChannels, bounds, offset) {
      const [before, after] = includeSystemChannels ? [entitySql.channelsBefore, entitySql.channelsAfter] : [entitySql.listedChannelsBefore, entitySql.listedChannelsAfter]
      return 'after' in slice
        ? await page(after, [slice.after, bounds.rows + 1, offset], bounds, channelDetailsOfRow)
        : await page(before, [finite(slice.before), bounds.rows + 1, offset], bounds, channelDetailsOfRow)
    },
    async channelsOf (userKey, slice, { includeSystemChannels, ruleset = '' }, bounds, offset) {
      const rest = [Number(includeSystemChannels), ruleset, ruleset, bounds.rows + 1, offset]
      const make = (row: ChannelOfUserRow) => ({ ...channelDetailsOfRow(row), participationId: row.participation_id, status: row.status, admin: row.admin === 1 })
      return 'after' in slice
        ? await page(entitySql.channelsOfAfter, [userKey, slice.after, ...rest], bounds, make)
        : await page(entitySql.channelsOfBefore, [userKey, finite(slice.before), ...rest], bounds, make)
    },

    membershipCounts: async userKey => await run(entitySql.membershipCounts, userKey),
    closingMemberships: async (userKey, { includeSystemChannels, ruleset = '' }) =>
      (await first(entitySql.closingMemberships, userKey, Number(includeSystemChannels), ruleset, ruleset))!.count,
    member: async (channelId, userId) => ifFound(await first(entitySql.member, userId, channelId), memberOfRow),
    participants: async (channelKey, status, { sincePosition, userKey }, limit) =>
      (await run(entitySql.participants, channelKey, status, sincePosition, userKey, limit)).map(row => ({
        member: memberOfRow(row),
        user: { userId: row.user_id, ...parsed<'screenName', string>('screenName', row.screen_name), ...given('deletedAt', row.deleted_at) }
      })),

    message: async messageId => ifFound(await first(entitySql.message, messageId), messageDetailsOfRow),
    messageEntry: async messageId => ifFound(await first(entitySql.messageEntry, messageId), row => ({
      position: row.position, channelKey: row.channel_key, ...parsed<'acls', AccessLists>('acls', row.acls)
    })),
    messages: async (channelKey, slice, truncatedPosition, bounds, offset) => 'after' in slice
      ? await page(entitySql.messagesAfter, [channelKey, slice.after, truncatedPosition, bounds.rows + 1, offset], bounds, messageDetailsOfRow)
      : await page(entitySql.messagesBefore, [channelKey, finite(slice.before), truncatedPosition, bounds.rows + 1, offset], bounds, messageDetailsOfRow),

    async listedMessages (channelKey, seeker, slice, above, bounds) {
      const forward = 'after' in slice
      const from = forward ? slice.after : finite(slice.before)
      const limit = bounds.rows + 1
      const inLane = (lane: Lane) => run(forward ? entitySql.messagesInLaneAfter : entitySql.messagesInLaneBefore, channelKey, lane, from, above, limit)
      const addressed = (name: keyof typeof classNumbers, userKey: number) =>
        run(forward ? entitySql.messagesForAfter : entitySql.messagesForBefore, channelKey, classNumbers[name], userKey, from, above, limit)
      const found = await Promise.all(seeker === 'application'
        ? [inLane(lanes.message), inLane(lanes.listed)]
        : [inLane(lanes.message), addressed('named', seeker.userKey), ...seeker.classes.map(name => addressed(name, 0))])
      const rows = [...new Map(found.flat().map(row => [row.position, row])).values()]
        .sort((one, other) => forward ? one.position - other.position : other.position - one.position).slice(0, limit)
      const lists = seeker === 'application' ? new Map<Position, string | null>() : await listsOf(rows)
      return collect(rows.values(), bounds, ({ position, lane }): ListedMessage => {
        const acls = lists.get(position) ?? null
        return { position, present: isThere(lane), ...parsed<'acls', AccessLists>('acls', acls), bytes: acls?.length ?? 0 }
      }, (_row, { bytes }) => bytes)
    },
    messagesAt: async (positions, bounds) => await page(entitySql.messagesAt, [arrayOf(positions)], bounds, messageDetailsOfRow),

    application: async () => ifFound(await first(entitySql.application), ({ value }) => JSON.parse(value) as ApplicationRecord),
    goneAmong: async userIds => (await run(entitySql.goneAmong, JSON.stringify(userIds))).map(row => row.user_id),

    channelEvents: async (channelKey, after, types, bounds) => await eventsOf([entitySql.channelEvents, entitySql.channelEventsOfType], channelKey, after, types, bounds),
    messageEvents: async (position, after, types, bounds) => await eventsOf([entitySql.messageEvents, entitySql.messageEventsOfType], position, after, types, bounds),
    eventEntry: async eventId => ifFound(await first(entitySql.eventEntry, eventId), row => ({
      position: row.position, ...given('channelKey', row.channel_key), ...given('messagePosition', row.message_position)
    }))
  }

  /** Those of them that have some. */
  async function listsOf (rows: FoundRow[]): Promise<Map<Position, string | null>> {
    const listed = rows.flatMap(({ position, listed }) => listed === 1 ? [position] : [])
    if (listed.length === 0) return new Map()
    return new Map((await run(entitySql.listsAt, arrayOf(listed))).map(({ position, acls }) => [position, acls]))
  }
}
