/** What a batch needs, loaded at once: one statement for each kind of row, all on their way together. */
import { Loaded } from '../core/loaded.ts'
import type { Needs } from '../core/needs.ts'
import type { ApplicationRecord, LogState, MemberRecord, NonceRecord, Remains } from '../core/records.ts'
import { STEP, type TableName, type Tables, type Unloaded } from '../core/source.ts'
import {
  channelColumns, channelOfRow, memberColumns, memberOfRow, tokenColumns, tokenOfRow, userColumns, userOfRow, type ChannelRow, type MemberRow, type TokenRow,
  type UserRow
} from '../sql/columns.ts'
import { yields, type Sql } from '../sql/dialect.ts'
import { remainsSql, type SizedRow } from '../sql/due-texts.ts'
import { loadTexts, type ReplyRow } from '../sql/load-texts.ts'
import { messageOfRow, metaNames, metaOfRows, viewOfRow, type MessageRow, type MetaRow } from '../sql/log-columns.ts'
import { lookupOf } from '../sql/lookup.ts'
import { remainsOf } from '../sql/remains.ts'
import { numbersOf, partsOf, type Flag, type PositionRow } from '../sql/rows.ts'
import { filled, memberNamed, numbered, postgresDialect } from './dialect.ts'
import { arrayOf, type Parameter } from './parameters.ts'
import type { Session } from './session.ts'

/** Successors that are loaded with a channel. */
const SUCCESSORS = 2

const { application, message, view, longestActive } = loadTexts(postgresDialect)

/** Messages `m` by their ids: each is looked for by itself, whatever the planner thinks of a table that was empty a moment ago. */
const messagesAsked = `unnest(cast(? as text[])) asked (message_id) cross join lateral (
    select * from entries q where q.message_id = asked.message_id and q.kind = 'message' limit 1) m`

/** The channel `c` that has an id. */
const livingAsked = 'cross join lateral (select * from channels q where q.channel_id = asked.channel_id and q.deleted_position is null limit 1) c'

/** Members `p` of the channels that some ids name, who have been active longest. */
const longestActiveOf = `unnest(cast(? as text[])) asked (channel_id) ${livingAsked}
  cross join lateral (select * from participations q where q.channel_key = c.channel_key and q.active_position is not null
    order by q.active_position, q.user_key limit ${SUCCESSORS + 1}) p`

/** Of a message: what hangs on it, a row more than a step may take. */
const MOST_REMAINS = String(STEP.rows + 1)
const floor = '(select cast(value as bigint) from meta where name = \'floor_position\')'

export const loadSql = numbered({
  /** The log, its newest entry, and the server's clock. */
  log: yields<MetaRow>(`select name, value from meta where name in (${metaNames})
    union all (select 'head', position || ' ' || tag || ' ' || at from entries where position > 0 order by position desc limit 1)
    union all select 'now', cast(cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as text)`),
  users: yields<UserRow>(`select ${userColumns} from users where user_id = any(cast(? as text[]))`),
  tokens: yields<TokenRow>(`select ${tokenColumns} from tokens t where t.token_id = any(cast(? as text[]))`),
  living: yields<ChannelRow>(`select ${channelColumns} from channels c where c.channel_id = any(cast(? as text[])) and c.deleted_position is null`),
  channels: yields<ChannelRow>(`select ${channelColumns} from channels c where c.channel_key = any(cast(? as bigint[]))`),
  members: yields<MemberRow>(`select ${memberColumns} from unnest(cast(? as text[]), cast(? as text[])) asked (channel_id, user_id) ${memberNamed('asked.user_id', 'asked.channel_id')}`),
  membersByKey: yields<MemberRow>(`select ${memberColumns} from unnest(cast(? as bigint[]), cast(? as bigint[])) asked (channel_key, user_key)
    join participations p on p.channel_key = asked.channel_key and p.user_key = asked.user_key join users u on u.user_key = p.user_key`),
  messages: yields<MessageRow>(`select found.* from unnest(cast(? as text[])) asked (message_id) cross join lateral (${filled(message, ['asked.message_id'])} limit 1) found`),
  senders: yields<UserRow>(`select sender.* from ${messagesAsked} cross join lateral (select ${userColumns} from users where user_key = m.sender_key limit 1) sender`),
  contents: yields<{ position: number, body: string | null }>(`select m.position, content.body from ${messagesAsked}
    cross join lateral (select body from entries where position = coalesce(m.edit_position, m.position) limit 1) content`),
  messagePositions: yields<PositionRow>(`select m.position from ${messagesAsked}`),
  edits: yields<SizedRow & { message: number }>(`select m.position as message, found.* from ${messagesAsked}
    cross join lateral (${filled(remainsSql.editsOf, ['m.position', MOST_REMAINS])}) found`),
  eventsOfMessages: yields<SizedRow & { message: number }>(`select m.position as message, found.* from ${messagesAsked}
    cross join lateral (${filled(remainsSql.eventsOfMessage, ['m.position', floor, MOST_REMAINS])}) found`),
  events: yields<{ event_id: string, entry: Flag }>(`select event_id, 1 as entry from entries where event_id = any(cast(? as text[]))
    union all select event_id, 0 from created_events where event_id = any(cast(? as text[]))`),
  nonces: yields<NonceRecord>('select nonce, at from nonces where nonce = any(cast(? as text[]))'),
  replies: yields<ReplyRow>('select actor, key, fingerprint, at, outcome from replies where lookup = any(cast(? as bigint[]))'),
  application,
  successors: yields<MemberRow>(`select ${memberColumns} from ${longestActiveOf} join users u on u.user_key = p.user_key order by p.active_position, p.user_key`),
  successorUsers: yields<UserRow>(`select successor.* from ${longestActiveOf} cross join lateral (select ${userColumns} from users where user_key = p.user_key limit 1) successor`),
  view,
  longestActive
})

/** What a transaction finds. */
export interface Found {
  loaded: Loaded
  log: LogState
  /** The server's time, in milliseconds since the epoch. */
  now: number
}

/** Loads all that a batch needs, in one round trip, behind what was sent before. */
export async function load (session: Session, needs: Needs): Promise<Found> {
  const loading = new Loading(session)
  const log = session.run(loadSql.log)
  loading.all(needs)
  const [meta] = await Promise.all([log, loading.arrived()])
  loading.fillMembers(needs)
  return { loaded: loading.loaded, ...logOfRows(meta) }
}

/** Loads what a command needs, and could not say before. */
export async function loadOne (session: Session, loaded: Loaded, need: Unloaded['need']): Promise<void> {
  const loading = new Loading(session, loaded)
  loading.one(need)
  await loading.arrived()
}

/** As the transaction finds the log. */
function logOfRows (rows: MetaRow[]): Omit<Found, 'loaded'> {
  const meta = metaOfRows(rows)
  const valueOf = (name: string) => rows.find(row => row.name === name)?.value
  const [position, tag, at] = (valueOf('head') ?? '').split(' ').map(Number) as [number, number, number]
  const head = valueOf('head') === undefined ? undefined : { position, tag, at }
  const newest = head !== undefined && position >= meta.floor.position ? head : { ...meta.floor, at: head?.at ?? 0 }
  return { log: { ...meta, ...newest }, now: Number(valueOf('now')) }
}

class Loading {
  readonly loaded: Loaded
  readonly #session: Session
  readonly #sent: Array<Promise<void>> = []

  constructor (session: Session, loaded = new Loaded()) {
    this.#session = session
    this.loaded = loaded
  }

  async arrived (): Promise<void> {
    await Promise.all(this.#sent)
  }

  #ask<Row> (sql: Sql<Row>, parameters: Parameter[], take: (rows: Row[]) => void): void {
    this.#sent.push(this.#session.run(sql, parameters).then(take))
  }

  /** Rows of a table by their keys; those that are not found are known not to be there. */
  #rows<T extends TableName, Row> (table: T, keys: readonly string[], sql: Sql<Row>, keyOf: (row: Row) => string, recordOf: (row: Row) => Tables[T], parametersOf = (keys: string[]): Parameter[] => [arrayOf(keys)]): void {
    const distinct = [...new Set(keys)]
    if (distinct.length === 0) return
    this.#ask(sql, parametersOf(distinct), rows => {
      const found = new Map(rows.map(row => [keyOf(row), recordOf(row)]))
      for (const key of distinct) this.loaded.put(table, key, found.get(key))
    })
  }

  all (needs: Needs): void {
    this.#users(needs.users)
    this.#tokens(needs.tokens)
    this.#living([...needs.channels, ...needs.successions, ...needs.members.map(({ channelId }) => channelId)])
    this.#channels(needs.channelKeys)
    this.#membersByKey(needs.memberKeys)
    this.#members(needs.members)
    this.#messages([...needs.newMessages, ...needs.messages, ...needs.contents, ...needs.remains])
    this.#senders([...needs.messages, ...needs.contents, ...needs.remains])
    this.#contents(needs.contents)
    this.#remains(needs.remains)
    this.#events(needs.events)
    this.#nonces(needs.nonces)
    this.#replies(needs.replies)
    if (needs.application) this.#application()
    this.#successions(needs.successions)
  }

  one ({ table, key }: Unloaded['need']): void {
    switch (table) {
      case 'user': return this.#users([key])
      case 'token': return this.#tokens([key])
      case 'living': return this.#living([key])
      case 'channel': return this.#channels([key])
      case 'member': return this.#membersByKey([key])
      case 'message': return this.#messages([key])
      case 'event': return this.#events([key])
      case 'nonce': return this.#nonces([key])
      case 'reply': return this.#replies([key])
      case 'application': return this.#application()
      case 'creation': return this.loaded.put('creation', key, undefined) // it is put, and never looked at
      case 'view': return this.#ask(loadSql.view, [Number(key)], ([row]) => this.loaded.putView(Number(key), row && viewOfRow(row)))
      case 'longest-active': return this.#longestActive(...numbersOf(key))
      case 'content':
      case 'remains': throw new Error(`a message's ${table} that was not asked for with it`)
    }
  }

  #users (userIds: string[]): void {
    this.#rows('user', userIds, loadSql.users, row => row.user_id, userOfRow)
  }

  #tokens (tokenIds: string[]): void {
    this.#rows('token', tokenIds, loadSql.tokens, row => row.token_id, tokenOfRow)
  }

  #living (channelIds: string[]): void {
    this.#rows('living', channelIds, loadSql.living, row => row.channel_id, row => {
      this.loaded.put('channel', String(row.channel_key), channelOfRow(row))
      return { channelId: row.channel_id, channelKey: row.channel_key }
    })
  }

  #channels (channelKeys: string[]): void {
    this.#rows('channel', channelKeys, loadSql.channels, row => String(row.channel_key), channelOfRow)
  }

  #membersByKey (keys: string[]): void {
    this.#rows('member', keys, loadSql.membersByKey, memberKeyOf, memberOfRow, keys => {
      const numbers = keys.map(numbersOf)
      return [arrayOf(numbers.map(([channelKey]) => channelKey)), arrayOf(numbers.map(([, userKey]) => userKey))]
    })
  }

  #members (pairs: Needs['members']): void {
    const distinct = [...new Map(pairs.map(pair => [`${pair.channelId} ${pair.userId}`, pair])).values()]
    if (distinct.length === 0) return
    this.#ask(loadSql.members, [arrayOf(distinct.map(({ channelId }) => channelId)), arrayOf(distinct.map(({ userId }) => userId))], rows => {
      for (const row of rows) this.loaded.put('member', memberKeyOf(row), memberOfRow(row))
    })
  }

  /** Whoever was looked for by name and not found is known not to be in a channel, now that the keys of both are known. */
  fillMembers ({ members }: Needs): void {
    for (const { channelId, userId } of members) {
      const [living, user] = [this.loaded.get('living', channelId), this.loaded.get('user', userId)]
      if (living !== undefined && user !== undefined) this.loaded.fill('member', `${living.channelKey} ${user.userKey}`)
    }
  }

  #messages (messageIds: string[]): void {
    this.#rows('message', messageIds, loadSql.messages, row => row.message_id, messageOfRow)
  }

  #senders (messageIds: string[]): void {
    this.#asked(messageIds, loadSql.senders, rows => { for (const row of rows) this.loaded.put('user', row.user_id, userOfRow(row)) })
  }

  #asked<Row> (ids: string[], sql: Sql<Row>, take: (rows: Row[]) => void): void {
    if (ids.length > 0) this.#ask(sql, [arrayOf([...new Set(ids)])], take)
  }

  #contents (messageIds: string[]): void {
    this.#asked(messageIds, loadSql.contents, rows => { for (const { position, body } of rows) this.loaded.putContent({ position }, body ?? undefined) })
  }

  #remains (messageIds: string[]): void {
    const edits: Array<SizedRow & { message: number }> = []
    this.#asked(messageIds, loadSql.edits, rows => { edits.push(...rows) })
    this.#asked(messageIds, loadSql.messagePositions, rows => { for (const { position } of rows) this.loaded.putRemains(position, noRemains) })
    this.#asked(messageIds, loadSql.eventsOfMessages, rows => {
      const of = (all: Array<SizedRow & { message: number }>) => Map.groupBy(all, ({ message }) => message)
      const [editsOf, eventsOf] = [of(edits), of(rows)]
      for (const message of new Set([...editsOf.keys(), ...eventsOf.keys()])) {
        this.loaded.putRemains(message, remainsOf((editsOf.get(message) ?? []).values(), () => (eventsOf.get(message) ?? []).values(), STEP))
      }
    })
  }

  #events (eventIds: string[]): void {
    this.#rows('event', eventIds, loadSql.events, row => row.event_id, row => ({ eventId: row.event_id, entry: row.entry === 1 }), ids => [arrayOf(ids), arrayOf(ids)])
  }

  #nonces (nonces: string[]): void {
    this.#rows('nonce', nonces, loadSql.nonces, row => row.nonce, ({ nonce, at }): NonceRecord => ({ nonce, at }))
  }

  #replies (keys: string[]): void {
    this.#rows('reply', keys, loadSql.replies, row => `${row.actor} ${row.key}`, ({ outcome, ...row }) => ({ ...row, remembered: outcome }),
      keys => [arrayOf(keys.map(key => lookupOf(...partsOf(key))))])
  }

  #application (): void {
    this.#ask(loadSql.application, [], ([row]) => this.loaded.put('application', '', row && JSON.parse(row.value) as ApplicationRecord))
  }

  #successions (channelIds: string[]): void {
    this.#asked(channelIds, loadSql.successorUsers, rows => { for (const row of rows) this.loaded.put('user', row.user_id, userOfRow(row)) })
    this.#asked(channelIds, loadSql.successors, rows => {
      const byChannel = Map.groupBy(rows.map(memberOfRow), ({ channelKey }) => channelKey)
      for (const channelId of channelIds) {
        const living = this.loaded.get('living', channelId)
        if (living !== undefined) this.#putLongestActive(living.channelKey, byChannel.get(living.channelKey) ?? [], SUCCESSORS)
      }
    })
  }

  #longestActive (channelKey: number, limit: number): void {
    this.#ask(loadSql.longestActive, [channelKey, limit + 1], rows => this.#putLongestActive(channelKey, rows.map(memberOfRow), limit))
  }

  /** @param members one more than were asked for, where there are so many */
  #putLongestActive (channelKey: number, members: MemberRecord[], limit: number): void {
    this.loaded.putLongestActive(channelKey, members.slice(0, limit), members.length <= limit)
  }
}

const memberKeyOf = (row: MemberRow): string => `${row.channel_key} ${row.user_key}`

const noRemains: Remains = { edits: [], events: [], bytes: 0, more: false }
