/** The log as reads see it: its ends, its entries, and what decides which of them a reader may have. */
import type { AccessLists } from '../../rules/access.ts'
import type { Position } from '../contract/log.ts'
import type { AsyncQueries, EntrySource, LogQueries, PageBounds, Rows } from '../core/read/queries.ts'
import { lanes, type EntryView, type Lane } from '../core/records.ts'
import { classNumbers } from '../sql/audience-classes.ts'
import { yields, type Sql } from '../sql/dialect.ts'
import { entryColumns, entryJoins, metaOfRows, viewOfRow, type EntryRow } from '../sql/log-columns.ts'
import { intervalOfRow, logTexts, membershipOfRow, nextOfRow } from '../sql/log-texts.ts'
import { given, ifFound, parsed, positionsOf } from '../sql/rows.ts'
import { bounded, bytesOf, pageOf, type Paged } from './bounded.ts'
import { numbered, postgresDialect } from './dialect.ts'
import { merge, type PositionSource } from './merge.ts'
import { arrayOf, type Parameter } from './parameters.ts'
import type { Run } from './read.ts'
import { askTogether, forMany } from './together.ts'

const texts = logTexts(postgresDialect)
const entries = bytesOf('body', 'change', 'acls_then', 'acls_now')

export const logSql = numbered({
  ...texts,
  membership: forMany(texts.membership, ['user_key', 'channel_key'], ['user_key', 'channel_key']),
  intervals: forMany(texts.intervals, ['user_key', 'channel_key', 'after', 'up_to', 'most'], ['user_key', 'channel_key', 'up_to', 'user_key', 'channel_key', 'after', 'most']),
  listsOf: forMany(texts.listsOf, ['channel_key', 'after', 'up_to', 'most'], ['channel_key', 'up_to', 'channel_key', 'after', 'most']),
  positionsInLane: forMany(texts.positionsInLane, ['channel_key', 'lane', 'after', 'up_to', 'most'], ['channel_key', 'lane', 'after', 'up_to', 'most']),
  positionsFor: forMany(texts.positionsFor, ['channel_key', 'class', 'user_key', 'after', 'most'], ['channel_key', 'class', 'user_key', 'after', 'most']),
  tail: bounded(texts.tail, `${entries} + ${bytesOf('members')}`),
  entriesAfter: bounded(texts.entriesAfter, entries),
  entriesAt: bounded(yields<EntryRow>(`select ${entryColumns(postgresDialect)} from entries e ${entryJoins} where e.position = any(cast(? as bigint[])) order by e.position`), entries)
})

export function logQueries (run: Run): Pick<AsyncQueries, keyof LogQueries> {
  const first = async <Row>(sql: Sql<Row>, ...parameters: Parameter[]): Promise<Row | undefined> => (await run(sql, ...parameters))[0]
  const together = <Row extends { nth: number }>(sql: Sql<Row>) => askTogether(parameters => run(sql, ...parameters))
  const memberships = together(logSql.membership)
  const intervals = together(logSql.intervals)
  const lists = together(logSql.listsOf)
  const inLanes = together(logSql.positionsInLane)
  const addressed = together(logSql.positionsFor)

  const page = async (sql: Sql<EntryRow & Paged>, parameters: Parameter[], bounds: PageBounds): Promise<Rows<EntryView>> =>
    pageOf(await run(sql, ...parameters, bounds.bytes), bounds, viewOfRow)

  const positionsFor = (channelKey: number, name: keyof typeof classNumbers, userKey: number): PositionSource => ({
    read: async (after, limit) => positionsOf(await addressed(channelKey, classNumbers[name], userKey, after, limit))
  })

  /** A channel's messages and its other events lie in two lanes: what has nothing to deliver is not looked at. */
  function positionsIn (source: EntrySource): PositionSource[] {
    if ('position' in source) return [{ read: async after => source.position > after ? [source.position] : [] }]
    if ('closedKey' in source) return [{ read: async (after, limit) => positionsOf(await run(logSql.closings, source.closedKey, after, limit)) }]
    if ('aboutKey' in source) {
      const { aboutKey, channelKey } = source
      return [{
        read: async (after, limit) => positionsOf(channelKey === undefined
          ? await run(logSql.positionsAbout, aboutKey, after, limit)
          : await run(logSql.positionsAboutIn, aboutKey, channelKey, after, limit))
      }]
    }
    if ('namedKey' in source) {
      const { namedKey, channelKey } = source
      if (channelKey !== undefined) return [positionsFor(channelKey, 'named', namedKey), positionsFor(channelKey, 'about', namedKey)]
      return [{ read: async (after, limit) => positionsOf(await run(logSql.positionsNaming, namedKey, after, limit)) }]
    }
    if ('endsOf' in source) {
      const { endsOf: channelKey, naming: userKey } = source
      return [
        { read: async (after, limit) => positionsOf(await run(logSql.truncationsNaming, channelKey, after, userKey, limit)) },
        { read: async after => positionsOf(await run(logSql.deletionNaming, channelKey, after, userKey)) }
      ]
    }
    if ('listsOf' in source) return [{ read: async (after, limit) => positionsOf(await run(logSql.positionsOfLists, source.listsOf, after, limit)) }]
    if ('class' in source) return [positionsFor(source.channelKey, source.class, 0)]
    const { channelKey, from, upTo } = source
    const inLane = (lane: Lane): PositionSource => ({
      read: async (after, limit) => positionsOf(await inLanes(channelKey, lane, Math.max(after, from - 1), upTo, limit))
    })
    return [inLane(lanes.message), inLane(lanes.event), ...(source.listed === true ? [inLane(lanes.listed)] : [])]
  }

  return {
    async ends () {
      const [rows, head] = await Promise.all([run(logSql.meta), first(logSql.head)])
      const { epoch, floor, removedPosition } = metaOfRows(rows)
      return { epoch, ...(head !== undefined && head.position >= floor.position ? head : floor), floor, removedPosition }
    },
    tagAt: async position => (await first(logSql.tagAt, position))?.tag,

    memberships: async userKey => (await run(logSql.memberships, userKey)).map(row => ({ ...membershipOfRow(row), status: row.status! })),
    membership: async (userKey, channelKey) => ifFound((await memberships(userKey, channelKey))[0], membershipOfRow),
    async listedChannelsLeft (userKey, after) {
      const found = await Promise.all([logSql.listedChannelsLeft, logSql.listedChannelsClosed].map(sql => run(sql, after, userKey, after, after)))
      return [...new Map(found.flat().filter(({ next }) => next !== null).map(nextOfRow)).values()]
    },
    endedChannelsNaming: async (userKey, after) => (await run(logSql.endedChannelsNaming, after, userKey, after, after)).map(row => nextOfRow(row)[1]),
    listsChangedAfter: async (position, limit) => (await run(logSql.listsChangedAfter, position, limit)).map(row => row.channel_key),
    listsOf: async (channelKey, after, upTo, limit) => (await lists(channelKey, after, upTo, limit)).map(row => ({
      fromPosition: row.from_position, ...parsed<'lists', AccessLists>('lists', row.acls)
    })),
    channelsNaming: async userKey => (await run(logSql.channelsNaming, userKey)).map(row => row.channel_key),
    news: async (userKey, after) => (await run(logSql.news, after, after, after, userKey, after)).flatMap(row => {
      const next = Math.min(row.next_message ?? Infinity, row.next_event ?? Infinity, row.next_listed ?? Infinity)
      return next === Infinity ? [] : [{ ...membershipOfRow(row), next }]
    }),
    newestAbout: async userKey => (await first(logSql.newestAbout, userKey))?.position ?? 0,
    intervals: async (userKey, channelKey, after, upTo, limit) => (await intervals(userKey, channelKey, after, upTo, limit)).map(intervalOfRow),
    channelByKey: async channelKey => ifFound(await first(logSql.channelByKey, channelKey), row => ({
      createdPosition: row.created_position, ...given('deletedPosition', row.deleted_position)
    })),

    tail: async (after, bounds) => await page(logSql.tail, [after, bounds.rows + 1], bounds),
    entriesAfter: async (after, bounds) => await page(logSql.entriesAfter, [after, bounds.rows + 1], bounds),
    async entriesOf (sources, after, upTo, bounds) {
      const perSource = sources.map(positionsIn)
      const { positions, next } = await merge(perSource.flat(), after, upTo, bounds.rows + 1)
      const found = positions.length === 0 ? { rows: [], ended: true } : await page(logSql.entriesAt, [arrayOf(positions)], bounds)
      const rest = next(found.ended ? positions.at(-1) ?? after : found.rows.at(-1)!.record.position)
      return { ...found, next: perSource.map(({ length }) => leastOf(rest.splice(0, length))) }
    }
  }
}

function leastOf (positions: Array<Position | undefined>): Position | undefined {
  const there = positions.filter(position => position !== undefined)
  return there.length === 0 ? undefined : Math.min(...there)
}
