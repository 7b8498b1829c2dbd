/** A source that holds what was loaded for a batch, and nothing else. */
import type { Position } from '../contract/log.ts'
import type { EntryView, MemberRecord, MessageRecord, Remains } from './records.ts'
import { Unloaded, type Source, type TableName, type Tables } from './source.ts'

export class Loaded implements Source {
  readonly #rows = new Map<string, unknown>()
  readonly #active = new Map<number, { members: MemberRecord[], complete: boolean }>()

  /** `undefined`: it was looked for, and is not there. */
  put<T extends TableName> (table: T, key: string, record: Tables[T] | undefined): void {
    this.#rows.set(`${table} ${key}`, record)
  }

  /** Where nothing is known of it: it is not there. */
  fill (table: TableName, key: string): void {
    if (!this.#rows.has(`${table} ${key}`)) this.#rows.set(`${table} ${key}`, undefined)
  }

  /** Whether it was loaded, and is there. */
  has (table: TableName, key: string): boolean {
    return this.#rows.get(`${table} ${key}`) !== undefined
  }

  /** @param complete there are no more of them */
  putLongestActive (channelKey: number, members: MemberRecord[], complete: boolean): void {
    this.#active.set(channelKey, { members, complete })
  }

  putContent ({ position }: Pick<MessageRecord, 'position'>, content: string | undefined): void {
    this.#rows.set(`content ${position}`, content)
  }

  putView (position: Position, view: EntryView | undefined): void {
    this.#rows.set(`view ${position}`, view)
  }

  putRemains (message: Position, remains: Remains): void {
    this.#rows.set(`remains ${message}`, remains)
  }

  get<T extends TableName> (table: T, key: string): Tables[T] | undefined {
    return this.#row({ table, key }) as Tables[T] | undefined
  }

  content ({ position }: MessageRecord): string | undefined {
    return this.#row({ table: 'content', key: String(position) }) as string | undefined
  }

  view (position: Position): EntryView | undefined {
    return this.#row({ table: 'view', key: String(position) }) as EntryView | undefined
  }

  remains (message: Position): Remains {
    return this.#row({ table: 'remains', key: String(message) }) as Remains
  }

  #row (need: Unloaded['need']): unknown {
    const key = `${need.table} ${need.key}`
    if (!this.#rows.has(key)) throw new Unloaded(need)
    return this.#rows.get(key)
  }

  longestActive (channelKey: number, limit: number): MemberRecord[] {
    const loaded = this.#active.get(channelKey)
    if (loaded === undefined || (loaded.members.length < limit && !loaded.complete)) {
      throw new Unloaded({ table: 'longest-active', key: `${channelKey} ${limit}` })
    }
    return loaded.members.slice(0, limit)
  }
}
