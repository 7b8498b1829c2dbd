/** What commands look up, when they ask for it, in the writer's own transaction. */
import type { DatabaseSync } from 'node:sqlite'
import type { LogState, MemberRecord, MessageRecord, EntryView } from '../core/records.ts'
import type { Source, TableName, Tables } from '../core/source.ts'
import type { Position } from '../contract/log.ts'
import {
  channelColumns, channelOfRow, entryColumns, entryJoins, memberColumns, memberOfRow, messageColumns, messageOfRow, tokenColumns, tokenOfRow,
  userColumns, userOfRow, viewOfRow
} from './columns.ts'
import { metaSql, prepareAll, type Statements } from './database.ts'

type Row = Record<string, any>

export const loadSql = {
  meta: metaSql,
  head: 'select position, tag, at from entries where position > 0 order by position desc limit 1',
  user: `select ${userColumns} from users where user_id = ?`,
  token: `select ${tokenColumns} from tokens t where t.token_id = ?`,
  living: `select ${channelColumns} from channels c where c.channel_id = ? and c.deleted_position is null`,
  channel: `select ${channelColumns} from channels c where c.channel_key = ?`,
  member: `select ${memberColumns}, u.user_id from participations p join users u on u.user_key = p.user_key
    where p.channel_key = ? and p.user_key = ?`,
  message: `select ${messageColumns} from entries e left join users sender on sender.user_key = e.sender_key
    where e.message_id = ? and e.kind = 'message'`,
  event: 'select event_id, 1 as entry from entries where event_id = ? union all select event_id, 0 from created_events where event_id = ?',
  nonce: 'select nonce, at from nonces where nonce = ?',
  reply: 'select actor, key, fingerprint, at, outcome from idempotency where actor = ? and key = ?',
  longestActive: `select ${memberColumns}, u.user_id from participations p join users u on u.user_key = p.user_key
    where p.channel_key = ? and p.active_position is not null order by p.active_position, p.user_key limit ?`,
  content: 'select body from entries where position = ?',
  view: `select ${entryColumns} from entries e ${entryJoins} where e.position = ?`
}

/** Two parts of a key, joined with a space; the first has none. */
export function partsOf (key: string): [string, string] {
  const space = key.indexOf(' ')
  return [key.slice(0, space), key.slice(space + 1)]
}

/** Looks each thing up once in a batch. */
export class Loader implements Source {
  readonly #sql: Statements<typeof loadSql>
  readonly #load: { [T in TableName]: (key: string) => Tables[T] | undefined }
  #found: { [T in TableName]?: Map<string, Tables[T] | undefined> } = {}

  constructor (db: DatabaseSync) {
    const sql = this.#sql = prepareAll(db, loadSql)
    const numbers = (key: string) => partsOf(key).map(Number) as [number, number]
    this.#load = {
      user: key => ifFound(sql.user.get(key), userOfRow),
      token: key => ifFound(sql.token.get(key), tokenOfRow),
      living: key => ifFound(sql.living.get(key), row => {
        this.#note('channel', String(row.channel_key), channelOfRow(row))
        return { channelId: key, channelKey: row.channel_key }
      }),
      channel: key => ifFound(sql.channel.get(Number(key)), channelOfRow),
      member: key => ifFound(sql.member.get(...numbers(key)), memberOfRow),
      message: key => ifFound(sql.message.get(key), messageOfRow),
      event: key => ifFound(sql.event.get(key, key), row => ({ eventId: row.event_id, entry: row.entry === 1 })),
      nonce: key => ifFound(sql.nonce.get(key), row => ({ nonce: row.nonce, at: row.at })),
      reply: key => ifFound(sql.reply.get(...partsOf(key)), ({ outcome, ...row }) => ({ ...row, remembered: outcome }) as Tables['reply']),
      creation: () => undefined
    }
  }

  /** Forgets what was found: the next batch looks anew. */
  begin (): void {
    this.#found = {}
  }

  get<T extends TableName> (table: T, key: string): Tables[T] | undefined {
    const found = this.#found[table]
    if (found?.has(key) === true) return found.get(key)
    const record = this.#load[table](key)
    this.#note(table, key, record)
    return record
  }

  #note<T extends TableName> (table: T, key: string, record: Tables[T] | undefined): void {
    const found = (this.#found[table] ??= new Map() as never) as Map<string, Tables[T] | undefined>
    found.set(key, record)
  }

  longestActive (channelKey: number, limit: number): MemberRecord[] {
    return this.#sql.longestActive.all(channelKey, limit).map(memberOfRow)
  }

  content ({ position, editPosition }: MessageRecord): string | undefined {
    const row = this.#sql.content.get(editPosition ?? position) as { body: string | null } | undefined
    return row?.body ?? undefined
  }

  view (position: Position): EntryView | undefined {
    return ifFound(this.#sql.view.get(position), viewOfRow)
  }

  /** As the transaction finds the log. */
  log (): LogState {
    const meta = Object.fromEntries(this.#sql.meta.all().map(({ name, value }) => [name as string, value as string]))
    const floor = { position: Number(meta.floor_position), tag: Number(meta.floor_tag) }
    const head = this.#sql.head.get() as { position: Position, tag: number, at: number } | undefined
    return {
      epoch: meta.epoch!,
      ...(head !== undefined && head.position >= floor.position ? head : { ...floor, at: head?.at ?? 0 }),
      floor,
      removedPosition: Number(meta.removed_position),
      lastUserKey: Number(meta.last_user_key),
      lastChannelKey: Number(meta.last_channel_key)
    }
  }
}

function ifFound<T> (row: Row | undefined, make: (row: Row) => T): T | undefined {
  return row === undefined ? undefined : make(row)
}
