/** What reads ask (core/read/queries.ts), answered by one connection, each on the snapshot that it finds. */
import type { DatabaseSync } from 'node:sqlite'
import type { Ruleset } from '../../rules/relay.ts'
import type { Position } from '../contract/log.ts'
import type { ChannelDetails, EntrySource, LogEnds, MessageDetails, PageBounds, Queries, Rows, Slice, StoredEvent } from '../core/read/queries.ts'
import { lanes, type EntryView, type IntervalRecord, type Lane } from '../core/records.ts'
import { channelOfRow, goneOfRow, memberOfRow, messageOfRow, tokenOfRow, userOfRow, viewOfRow } from './columns.ts'
import { prepareAll, type Statements } from './database.ts'
import { merge, type Source } from './merge.ts'
import { readSql } from './read-sql.ts'

type Row = Record<string, any>

export class SqliteQueries implements Queries {
  readonly #sql: Statements<typeof readSql>
  readonly #epoch: string

  constructor (db: DatabaseSync) {
    this.#sql = prepareAll(db, readSql)
    this.#epoch = this.#meta().epoch!
  }

  #meta (): Record<string, string> {
    return Object.fromEntries(this.#sql.meta.all().map(({ name, value }) => [name as string, value as string]))
  }

  ends (): LogEnds {
    const meta = this.#meta()
    const floor = { position: Number(meta.floor_position), tag: Number(meta.floor_tag) }
    const head = this.#sql.head.get() as { position: Position, tag: number } | undefined
    return {
      epoch: this.#epoch,
      ...(head !== undefined && head.position >= floor.position ? head : floor),
      floor,
      removedPosition: Number(meta.removed_position)
    }
  }

  tagAt (position: Position): number | undefined {
    return this.#sql.tagAt.get(position)?.tag as number | undefined
  }

  user (userId: string) {
    return ifFound(this.#sql.user.get(userId), userOfRow)
  }

  users (slice: Slice, limit: number, offset: number) {
    const { usersBefore, usersAfter } = this.#sql
    return ('after' in slice ? usersAfter.all(slice.after, limit, offset) : usersBefore.all(slice.before, limit, offset)).map(userOfRow)
  }

  total (name: string): number {
    return this.#sql.total.get(name)!.value as number
  }

  lineage (tokenId: string, limit: number) {
    const found: ReturnType<Queries['lineage']> = []
    for (let id: string | undefined = tokenId; id !== undefined && found.length < limit; id = found.at(-1)!.parentId) {
      const row: Row | undefined = this.#sql.token.get(id)
      if (row === undefined) break
      found.push({ ...tokenOfRow(row), userId: row.user_id, userDeleted: row.user_deleted === 1 })
    }
    return found
  }

  token (tokenId: string) {
    return ifFound(this.#sql.token.get(tokenId), tokenOfRow)
  }

  tokens (userKey: number, { createdAt, tokenId }: { createdAt: number, tokenId: string }, limit: number) {
    return this.#sql.tokens.all(userKey, createdAt, tokenId, limit).map(tokenOfRow)
  }

  channel (channelId: string) {
    return ifFound(this.#sql.channel.get(channelId), channelOfRow)
  }

  channelDetails (channelId: string) {
    return ifFound(this.#sql.channelDetails.get(channelId), detailsOfRow)
  }

  channels (slice: Slice, includeSystemChannels: boolean, bounds: PageBounds, offset: number) {
    const { channelsBefore, channelsAfter, listedChannelsBefore, listedChannelsAfter } = this.#sql
    const [before, after] = includeSystemChannels ? [channelsBefore, channelsAfter] : [listedChannelsBefore, listedChannelsAfter]
    const rows = 'after' in slice ? after.iterate(slice.after, bounds.rows + 1, offset) : before.iterate(slice.before, bounds.rows + 1, offset)
    return collect(rows, bounds, detailsOfRow, sizeOfChannel)
  }

  channelsOf (userKey: number, slice: Slice, { includeSystemChannels, ruleset = '' as Ruleset }: { includeSystemChannels: boolean, ruleset?: Ruleset }, bounds: PageBounds, offset: number) {
    const rest = [Number(includeSystemChannels), ruleset, ruleset, bounds.rows + 1, offset]
    const rows = 'after' in slice
      ? this.#sql.channelsOfAfter.iterate(userKey, slice.after, ...rest)
      : this.#sql.channelsOfBefore.iterate(userKey, slice.before, ...rest)
    return collect(rows, bounds, row => ({ ...detailsOfRow(row), participationId: row.participation_id, status: row.status }), sizeOfChannel)
  }

  membershipCounts (userKey: number) {
    return this.#sql.membershipCounts.all(userKey) as unknown as ReturnType<Queries['membershipCounts']>
  }

  closingMemberships (userKey: number): Ruleset[] {
    const closing = this.#sql.channelsClosing.all() as unknown as Array<{ channel_key: number, ruleset: Ruleset }>
    return closing.filter(({ channel_key: key }) => this.#sql.isClosing.get(key, userKey) !== undefined).map(({ ruleset }) => ruleset)
  }

  member (channelId: string, userId: string) {
    return ifFound(this.#sql.member.get(userId, channelId), memberOfRow)
  }

  participants (channelKey: number, status: string, { sincePosition, userKey }: { sincePosition: Position, userKey: number }, limit: number) {
    return this.#sql.participants.all(channelKey, status, sincePosition, userKey, limit).map((row: Row) => ({
      member: memberOfRow(row),
      user: { userId: row.user_id, profile: row.profile, ...(row.deleted_at === null ? {} : { deletedAt: row.deleted_at }) }
    }))
  }

  message (messageId: string) {
    return ifFound(this.#sql.message.get(messageId), shownOfRow)
  }

  messages (channelKey: number, slice: Slice, truncatedPosition: Position, bounds: PageBounds, offset: number) {
    const { messagesBefore, messagesAfter } = this.#sql
    const rows = 'after' in slice
      ? messagesAfter.iterate(channelKey, slice.after, truncatedPosition, bounds.rows + 1, offset)
      : messagesBefore.iterate(channelKey, slice.before, truncatedPosition, bounds.rows + 1, offset)
    return collect(rows, bounds, shownOfRow, sizeOfMessage)
  }

  channelEvents (channelKey: number, after: Position, type: string | undefined, limit: number): StoredEvent[] {
    const { channelEvents, channelEventsOfType } = this.#sql
    return (type === undefined ? channelEvents.all(channelKey, after, limit) : channelEventsOfType.all(channelKey, type, after, limit)).map(eventOfRow)
  }

  messageEvents (messagePosition: Position, after: Position, type: string | undefined, limit: number): StoredEvent[] {
    const { messageEvents, messageEventsOfType } = this.#sql
    return (type === undefined ? messageEvents.all(messagePosition, after, limit) : messageEventsOfType.all(messagePosition, type, after, limit)).map(eventOfRow)
  }

  eventEntry (eventId: string) {
    return ifFound(this.#sql.eventEntry.get(eventId), row => ({
      position: row.position,
      ...(row.channel_key === null ? {} : { channelKey: row.channel_key }),
      ...(row.message_position === null ? {} : { messagePosition: row.message_position })
    }))
  }

  memberships (userKey: number, channelKey?: number) {
    const rows: Row[] = channelKey === undefined ? this.#sql.memberships.all(userKey) : this.#sql.membership.all(channelKey, userKey)
    return rows.map(row => ({
      channelKey: row.channel_key,
      status: row.status,
      admin: row.admin === 1,
      sincePosition: row.since_position,
      createdPosition: row.created_position,
      ...(row.deleted_position === null ? {} : { deletedPosition: row.deleted_position }),
      lastPosition: row.last_position
    }))
  }

  closings (userKey: number, after: Position): Position[] {
    return positions(this.#sql.closings.all(userKey, after))
  }

  intervals (userKey: number, channelKey: number, upTo: Position): IntervalRecord[] {
    return this.#sql.intervals.all(userKey, channelKey, upTo).map((row: Row) => ({
      userKey,
      channelKey,
      fromPosition: row.from_position,
      ...(row.until_position === null ? {} : { untilPosition: row.until_position }),
      status: row.status,
      admin: row.admin === 1
    }))
  }

  channelByKey (channelKey: number) {
    return ifFound(this.#sql.channelByKey.get(channelKey), row => ({
      createdPosition: row.created_position as Position, ...(row.deleted_position === null ? {} : { deletedPosition: row.deleted_position as Position })
    }))
  }

  entriesAfter (after: Position, bounds: PageBounds): Rows<EntryView> {
    return collect(this.#sql.entriesAfter.iterate(after, bounds.rows + 1), bounds, viewOfRow, sizeOfEntry)
  }

  entriesOf (sources: EntrySource[], after: Position, bounds: PageBounds): Rows<EntryView> {
    const { entryAt } = this.#sql
    const found = merge(sources.flatMap(source => this.#sources(source)), after)
    return collect(found.map(position => entryAt.get(position)!), bounds, viewOfRow, sizeOfEntry)
  }

  #sources (source: EntrySource): Source[] {
    if ('position' in source) return [{ read: after => source.position > after ? [source.position] : [] }]
    if ('aboutKey' in source) return [this.#about(source.aboutKey, source.channelKey)]
    const { channelKey, from, upTo } = source
    const inLane = (lane: Lane): Source => ({
      read: (after, limit) => positions(this.#sql.positionsInLane.all(channelKey, lane, Math.max(after, from - 1), upTo, limit))
    })
    return [inLane(lanes.message), inLane(lanes.event)]
  }

  /** What is about a user, in one channel or in all. */
  #about (userKey: number, channelKey: number | undefined): Source {
    const { positionsAbout, positionsAboutIn } = this.#sql
    return {
      read: (after, limit) => positions(channelKey === undefined
        ? positionsAbout.all(userKey, after, limit)
        : positionsAboutIn.all(userKey, channelKey, after, limit))
    }
  }

  leavingUser () {
    return ifFound(this.#sql.leavingUser.get(), userOfRow)
  }

  channelsToLeave (userKey: number, rulesets: Ruleset[], limit: number): string[] {
    return this.#sql.channelsToLeave.all(userKey, JSON.stringify(rulesets), limit).map(row => row.channel_id as string)
  }

  closingChannel () {
    return ifFound(this.#sql.closingChannel.get(), channelOfRow)
  }

  membersToClose (channelKey: number, limit: number): number[] {
    return this.#sql.membersToClose.all(channelKey, limit).map(row => row.user_key as number)
  }

  erasingChannel () {
    return ifFound(this.#sql.erasingChannel.get(), channelOfRow)
  }

  messagesToErase (channelKey: number, upTo: Position, limit: number): Position[] {
    return positions(this.#sql.messagesToErase.all(channelKey, upTo, limit))
  }

  repliesBefore (at: number, limit: number): string[] {
    return this.#sql.repliesBefore.all(at, limit).map(({ actor, key }) => `${actor as string} ${key as string}`)
  }

  noncesBefore (at: number, limit: number): string[] {
    return this.#sql.noncesBefore.all(at, limit).map(row => row.nonce as string)
  }

  tokensEndedBefore (at: number, limit: number): string[] {
    return this.#sql.tokensEndedBefore.all(at, limit).map(row => row.token_id as string)
  }

  /** By halving: `at` never falls along the log, and above the floor there are no holes. */
  newestBefore (at: number) {
    const { floor, position } = this.ends()
    const oldEnough = (where: Position) => (this.#sql.atPosition.get(where) as { at: number }).at <= at
    let [low, high] = [floor.position, position]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (oldEnough(middle)) low = middle
      else high = middle - 1
    }
    return low === floor.position ? undefined : { position: low, tag: this.tagAt(low)! }
  }

  entriesToRemove (after: Position, upTo: Position, limit: number) {
    return this.#sql.entriesToRemove.all(after, upTo, limit).map((row: Row) => ({
      position: row.position,
      kind: row.kind,
      ...(row.original_lane === null ? {} : { messagePresent: row.original_lane === lanes.message }),
      ...(row.newest_edit === null ? {} : { newestEdit: row.newest_edit })
    }))
  }

  hasIntervalsEndedBy (position: Position): boolean {
    return this.#sql.endedInterval.get(position) !== undefined
  }

  channelToRemove (deletedBy: Position): number | undefined {
    return this.#sql.channelToRemove.get(deletedBy)?.channel_key as number | undefined
  }

  membersOf (channelKey: number, limit: number): number[] {
    return this.#sql.membersOf.all(channelKey, limit).map(row => row.user_key as number)
  }

  eventsOf (channelKey: number, upTo: Position, limit: number): Position[] {
    return positions(this.#sql.eventsOf.all(channelKey, upTo, limit))
  }
}

/** As many rows as the bounds allow, and no more than that read. */
function collect<T> (found: Iterable<Row>, bounds: PageBounds, make: (row: Row) => T, sizeOf: (row: Row) => number): Rows<T> {
  const rows: T[] = []
  let bytes = 0
  for (const row of found) {
    if (rows.length === bounds.rows || (rows.length > 0 && bytes >= bounds.bytes)) return { rows, ended: false }
    rows.push(make(row))
    bytes += sizeOf(row)
  }
  return { rows, ended: true }
}

const sizeOfEntry = (row: Row): number => row.body === null ? 0 : Buffer.byteLength(row.body)

/** What goes around a text in an answer, in bytes, about: ids, references, times. */
const AROUND_BYTES = 1024

const sizeOfChannel = (row: Row): number => AROUND_BYTES + (row.creation_events === null ? 0 : Buffer.byteLength(row.creation_events))

const sizeOfMessage = (row: Row): number => AROUND_BYTES + Buffer.byteLength(row.content)

function detailsOfRow (row: Row): ChannelDetails {
  if (row.creation_events === null) return channelOfRow(row)
  return { ...channelOfRow(row), creation: { events: row.creation_events, gone: goneOfRow(row.creation_gone) } }
}

function shownOfRow (row: Row): MessageDetails {
  return {
    ...messageOfRow(row),
    channelId: row.channel_id,
    content: row.content,
    ...(row.edited_at === null ? {} : { editedAt: row.edited_at }),
    gone: goneOfRow(row.gone)
  }
}

function eventOfRow (row: Row): StoredEvent {
  return { position: row.position, body: row.body, gone: row.gone === 1 }
}

function ifFound<T> (row: Row | undefined, make: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : make(row)
}

function positions (rows: Row[]): Position[] {
  return rows.map(({ position }) => position)
}
