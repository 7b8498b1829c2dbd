/**
 * Which positions of the log a reader may have (contract 8, promise 4), found by index seeks alone: the
 * cost of a replay is what it delivers, plus one seek for each channel of the reader, however much
 * others have written in between.
 */
import type { Interest, Position, Rights } from '../store.ts'
import { statusTable, type RelayStatus } from '../../rules/relay.ts'
import type { Statements } from './database.ts'
import type { readerSql } from './statements.ts'

/** Sources first read this many positions, then twice as many each time: a quiet channel costs one seek. */
const FIRST_CHUNK = 2
const LARGEST_CHUNK = 256

interface MembershipRow {
  channel_key: number
  status: RelayStatus
  since_position: Position
  created_position: Position
  deleted_position: Position | null
  last_position: Position
}

/** A rising sequence of positions, read in chunks. */
interface Source {
  read (after: Position, limit: number): Position[]
}

/** Positions of one lane of a channel, from `after` (exclusive) to `upTo` (inclusive). */
const laneSource = (sql: Statements<typeof readerSql>, channelKey: number, lane: 0 | 1, from: Position, upTo: Position): Source => ({
  read: (after, limit) => positions(sql.positionsInLane.all(channelKey, lane, Math.max(after, from - 1), upTo, limit))
})

const pointSource = (position: Position): Source => ({ read: after => position > after ? [position] : [] })

/** What concerns the user itself, of one channel or of all. */
const aboutSource = (sql: Statements<typeof readerSql>, userKey: number, channelKey?: number): Source => ({
  read (after, limit) {
    const found: Position[] = []
    for (let from = after; ;) {
      const rows = sql.positionsAbout.all(userKey, from, limit) as Array<{ position: Position, channel_key: number | null }>
      for (const row of rows) if (channelKey === undefined || row.channel_key === channelKey) found.push(row.position)
      if (found.length > 0 || rows.length < limit) return found
      from = rows.at(-1)!.position
    }
  }
})

export interface Readable {
  sources: Source[]
  rights: Rights
}

/** What `interest` may read after `after`, and its rights, both as of this moment. `head` bounds what is there. */
export function readable (sql: Statements<typeof readerSql>, interest: Exclude<Interest, { of: 'application' }>, after: Position, head: Position): Readable {
  if (interest.of === 'channel' && interest.userId === undefined) return wholeChannel(sql, interest.channelKey, head)
  const user = sql.userKey.get(interest.userId!) as { user_key: number } | undefined
  if (user === undefined) return { sources: [], rights: { channels: [] } }
  const memberships = (interest.of === 'user'
    ? sql.memberships.all(user.user_key)
    : sql.membership.all(interest.channelKey, user.user_key)) as unknown as MembershipRow[]
  // Channels whose deletion has been told apart already: their end still concerns who was in them.
  const closed = interest.of === 'user' ? positions(sql.closedMemberships.all(user.user_key, after)) : []
  const only = interest.of === 'channel' ? interest.channelKey : undefined
  const sources = [aboutSource(sql, user.user_key, only), ...closed.map(pointSource)]
  const rights: Rights = { channels: [] }
  for (const membership of memberships) {
    const { channel_key: channelKey, deleted_position: deleted, created_position: created } = membership
    if (deleted !== null) {
      if (deleted > after) sources.push(pointSource(deleted))
      continue
    }
    const { receives } = statusTable[membership.status]
    rights.channels.push({ channelKey, receives })
    if (membership.last_position <= after) continue
    if (receives) {
      const intervals = sql.intervals.all(user.user_key, channelKey, head) as Array<{ from_position: Position, until_position: Position | null }>
      for (const { from_position: from, until_position: until } of intervals) {
        const upTo = until === null ? head : until - 1
        if (upTo > after) sources.push(laneSource(sql, channelKey, 0, from, upTo), laneSource(sql, channelKey, 1, from, upTo))
      }
    } else if (membership.since_position === created && created > after) {
      sources.push(pointSource(created))
    }
  }
  return { sources, rights }
}

/** The application's view of one channel: everything since it was made. */
function wholeChannel (sql: Statements<typeof readerSql>, channelKey: number, head: Position): Readable {
  const channel = sql.channelByKey.get(channelKey) as { created_position: Position, deleted_position: Position | null } | undefined
  if (channel === undefined) return { sources: [], rights: { channels: [] } }
  const { created_position: from, deleted_position: deleted } = channel
  return {
    sources: [laneSource(sql, channelKey, 0, from, head), laneSource(sql, channelKey, 1, from, head)],
    rights: { channels: deleted === null ? [{ channelKey, receives: true }] : [] }
  }
}

/** A source with what was read of it, not empty. */
interface Head {
  source: Source
  /** Rising; from `next` on not yet given out. */
  buffer: Position[]
  next: number
  chunk: number
}

/** The positions of all sources in one rising sequence, each once. */
export function * merge (sources: Source[], after: Position): Generator<Position> {
  /** By their next position, the least at the end. */
  const heads: Head[] = []
  const refill = (source: Source, from: Position, chunk: number): Head | undefined => {
    const buffer = source.read(from, chunk)
    return buffer.length === 0 ? undefined : { source, buffer, next: 0, chunk: Math.min(chunk * 2, LARGEST_CHUNK) }
  }
  for (const source of sources) {
    const head = refill(source, after, FIRST_CHUNK)
    if (head !== undefined) heads.push(head)
  }
  heads.sort((one, other) => nextOf(other) - nextOf(one))
  let last = after
  for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
    const position = nextOf(head)
    if (position > last) yield position
    last = position
    head.next++
    const rest = head.next < head.buffer.length ? head : refill(head.source, position, head.chunk)
    if (rest !== undefined) heads.splice(placeOf(rest, heads), 0, rest)
  }
}

function nextOf (head: Head): Position {
  return head.buffer[head.next]!
}

/** Where a head belongs in the falling order, found by halving. */
function placeOf (head: Head, heads: Head[]): number {
  let [low, high] = [0, heads.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (nextOf(heads[middle]!) > nextOf(head)) low = middle + 1
    else high = middle
  }
  return low
}

function positions (rows: unknown[]): Position[] {
  return (rows as Array<{ position: Position }>).map(({ position }) => position)
}
