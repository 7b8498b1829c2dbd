/** What commands look up, when they ask for it, in the writer's own transaction. */
import type { DatabaseSync } from 'node:sqlite'
import type { Position } from '../contract/log.ts'
import type { Changes } from '../core/changes.ts'
import type { ApplicationRecord, EntryView, LogState, MemberRecord, MessageRecord, Remains } from '../core/records.ts'
import type { PageBounds } from '../core/read/queries.ts'
import type { Source, TableName, Tables } from '../core/source.ts'
import { channelOfRow, memberOfRow, tokenOfRow, userOfRow } from '../sql/columns.ts'
import { yields } from '../sql/dialect.ts'
import { loadTexts, type ReplyRow } from '../sql/load-texts.ts'
import { messageOfRow, metaOfRows, viewOfRow } from '../sql/log-columns.ts'
import { lookupOf } from '../sql/lookup.ts'
import { ifFound, numbersOf, partsOf } from '../sql/rows.ts'
import { sqliteDialect } from './dialect.ts'
import { KeptRows } from './kept.ts'
import { remainsOf } from './remains.ts'
import { prepareAll, type Statements } from './statements.ts'

export const loadSql = {
  ...loadTexts(sqliteDialect),
  version: yields<{ data_version: number }>('pragma data_version')
}

/**
 * Looks each thing up once in a batch; what most batches look up, once and for all (kept.ts), as long
 * as it is told what was committed.
 */
export class Loader implements Source {
  readonly #sql: Statements<typeof loadSql>
  readonly #load: { [T in TableName]: (key: string) => Tables[T] | undefined }
  readonly #kept = new KeptRows()
  #found: { [T in TableName]?: Map<string, Tables[T] | undefined> } = {}
  /** As the last transaction left it. */
  #log: LogState | undefined
  /** Changes when somebody else has written. */
  #version: number | undefined
  /** A batch has begun, and was not committed. */
  #underWay = false

  constructor (db: DatabaseSync) {
    const sql = this.#sql = prepareAll(db, loadSql)
    this.#load = {
      user: key => ifFound(sql.user.get(key), userOfRow),
      token: key => ifFound(sql.token.get(key), tokenOfRow),
      living: key => ifFound(sql.living.get(key), row => {
        this.#note('channel', String(row.channel_key), channelOfRow(row))
        return { channelId: key, channelKey: row.channel_key }
      }),
      channel: key => ifFound(sql.channel.get(Number(key)), channelOfRow),
      member: key => ifFound(sql.member.get(...numbersOf(key)), memberOfRow),
      message: key => ifFound(sql.message.get(key), messageOfRow),
      event: key => ifFound(sql.event.get(key, key), row => ({ eventId: row.event_id, entry: row.entry === 1 })),
      nonce: key => ifFound(sql.nonce.get(key), ({ nonce, at }) => ({ nonce, at })),
      reply: key => ifFound(this.#reply(...partsOf(key)), ({ outcome, ...row }) => ({ ...row, remembered: outcome })),
      creation: () => undefined,
      application: () => ifFound(sql.application.get(), ({ value }) => JSON.parse(value) as ApplicationRecord)
    }
  }

  #reply (actor: string, key: string): ReplyRow | undefined {
    return this.#sql.reply.get(lookupOf(actor, key), actor, key)
  }

  /**
   * A batch begins. What the one before has come to is known where it was told to be committed; else everything is looked up
   * anew, as it is where somebody has written beside the service, which nobody should.
   */
  begin (): void {
    this.#found = {}
    const version = this.#sql.version.get()!.data_version
    if (this.#underWay || version !== this.#version) {
      this.#kept.forget()
      this.#log = undefined
    }
    this.#version = version
    this.#underWay = true
  }

  /** What the batch has come to is on disk. */
  committed (changes: Changes, log: LogState): void {
    this.#underWay = false
    this.#found = {}
    this.#kept.committed(changes)
    this.#log = { ...log, at: changes.entries.at(-1)?.at ?? this.#log?.at ?? log.at }
  }

  get<T extends TableName> (table: T, key: string): Tables[T] | undefined {
    const kept = this.#kept.get(table, key)
    if (kept !== undefined) return kept
    const found = this.#found[table]
    if (found?.has(key) === true) return found.get(key)
    const record = this.#load[table](key)
    this.#note(table, key, record)
    return record
  }

  #note<T extends TableName> (table: T, key: string, record: Tables[T] | undefined): void {
    const found: Map<string, Tables[T] | undefined> = (this.#found[table] ??= new Map())
    found.set(key, record)
    if (record !== undefined) this.#kept.keep(table, key, record)
  }

  longestActive (channelKey: number, limit: number): MemberRecord[] {
    return this.#sql.longestActive.all(channelKey, limit).map(memberOfRow)
  }

  content ({ position, editPosition }: MessageRecord): string | undefined {
    return this.#sql.content.get(editPosition ?? position)?.body ?? undefined
  }

  view (position: Position): EntryView | undefined {
    return ifFound(this.#sql.view.get(position), viewOfRow)
  }

  remains (message: Position, floor: Position, left: PageBounds): Remains {
    return remainsOf(this.#sql, message, floor, left)
  }

  /** As the transaction finds the log. */
  log (): LogState {
    return (this.#log ??= this.#loadLog())
  }

  #loadLog (): LogState {
    const meta = metaOfRows(this.#sql.meta.all())
    const head = this.#sql.head.get()
    return { ...meta, ...(head !== undefined && head.position >= meta.floor.position ? head : { ...meta.floor, at: head?.at ?? 0 }) }
  }
}
