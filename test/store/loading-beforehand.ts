/**
 * A backend that loads what a batch needs before it decides, as one behind a connection does, on the embedded
 * store's own statements: what a command needs and has not said costs a second round, which is counted.
 */
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import type { Position } from '../../src/store/contract/log.ts'
import { Batch, type Result } from '../../src/store/core/batch.ts'
import { Loaded } from '../../src/store/core/loaded.ts'
import { needsOf } from '../../src/store/core/needs.ts'
import { runRead, type Queries, type Read } from '../../src/store/core/read/queries.ts'
import type { MessageRecord } from '../../src/store/core/records.ts'
import { STEP, Unloaded, type Source, type TableName } from '../../src/store/core/source.ts'
import type { Backend } from '../../src/store/create-store.ts'
import type { Committed } from '../../src/store/group-commit.ts'
import { openReader, openWriter } from '../../src/store/sqlite/database.ts'
import { Loader } from '../../src/store/sqlite/load.ts'
import { sqliteQueries } from '../../src/store/sqlite/read.ts'
import { BatchWriter } from '../../src/store/sqlite/write.ts'

/** Successors that are loaded with a channel. */
const SUCCESSORS = 2

type Commands = Parameters<Backend['commit']>[0]

export class LoadingBeforehand implements Backend {
  readonly onlyWriter = false
  readonly #db: DatabaseSync
  readonly #reader: DatabaseSync
  readonly #queries: Queries
  readonly #loader: Loader
  readonly #writer: BatchWriter
  /** Second rounds, by what they were for. */
  readonly secondRounds = new Map<string, number>()
  /** Most second rounds that one command took. */
  mostRounds = 0

  constructor (dataDir: string) {
    this.#db = openWriter(dataDir)
    this.#reader = openReader(dataDir)
    this.#queries = sqliteQueries(this.#reader)
    this.#loader = new Loader(this.#db)
    this.#writer = new BatchWriter(this.#db, this.#loader)
  }

  check (): void {}

  async commit (commands: Commands): Promise<Committed> {
    await setImmediate() // nothing that crosses a connection is there in the same turn
    try {
      this.#db.exec('begin immediate')
      this.#loader.begin()
      const before = this.#loader.log()
      const loaded = this.#load(commands, before.floor.position)
      const batch = new Batch(loaded, before, Date.now())
      const results = commands.map(command => this.#execute(batch, loaded, command))
      this.#writer.write(batch.changes(), before, batch.log)
      this.#db.exec('commit')
      return { results, entries: batch.entries }
    } catch (err) {
      if (this.#db.isTransaction) this.#db.exec('rollback')
      throw err
    }
  }

  #execute (batch: Batch, loaded: Loaded, command: Commands[number]): Result {
    for (let rounds = 0; ; rounds++) {
      this.mostRounds = Math.max(this.mostRounds, rounds)
      try {
        return batch.execute(command)
      } catch (err) {
        if (!(err instanceof Unloaded)) throw err
        const what = `${command.type}: ${err.need.table}`
        this.secondRounds.set(what, (this.secondRounds.get(what) ?? 0) + 1)
        this.#loadOne(loaded, err.need)
      }
    }
  }

  #load (commands: Commands, floor: Position): Loaded {
    const needs = needsOf(commands)
    const loaded = new Loaded()
    const rows = (table: TableName, keys: string[]) => { for (const key of keys) loaded.put(table, key, this.#loader.get(table, key)) }
    rows('user', needs.users)
    rows('token', needs.tokens)
    rows('channel', needs.channelKeys)
    rows('member', needs.memberKeys)
    rows('message', needs.newMessages)
    rows('event', needs.events)
    rows('nonce', needs.nonces)
    rows('reply', needs.replies)
    if (needs.application) rows('application', [''])
    for (const channelId of [...needs.channels, ...needs.successions]) this.#loadChannel(loaded, channelId)
    for (const { channelId, userId } of needs.members) this.#loadMember(loaded, channelId, userId)
    for (const messageId of needs.messages) this.#loadMessage(loaded, messageId)
    for (const messageId of needs.remains) {
      const message = this.#loadMessage(loaded, messageId)
      if (message !== undefined) loaded.putRemains(message.position, this.#loader.remains(message.position, floor, STEP))
    }
    for (const messageId of needs.contents) {
      const message = this.#loadMessage(loaded, messageId)
      if (message !== undefined) loaded.putContent(message, this.#loader.content(message))
    }
    for (const channelId of needs.successions) {
      const living = this.#loader.get('living', channelId)
      if (living !== undefined) this.#loadActive(loaded, living.channelKey, SUCCESSORS)
    }
    return loaded
  }

  #loadChannel (loaded: Loaded, channelId: string): void {
    const living = this.#loader.get('living', channelId)
    loaded.put('living', channelId, living)
    if (living !== undefined) loaded.put('channel', String(living.channelKey), this.#loader.get('channel', String(living.channelKey)))
  }

  #loadMember (loaded: Loaded, channelId: string, userId: string): void {
    const [living, user] = [this.#loader.get('living', channelId), this.#loader.get('user', userId)]
    if (living === undefined || user === undefined) return
    const key = `${living.channelKey} ${user.userKey}`
    loaded.put('member', key, this.#loader.get('member', key))
  }

  #loadMessage (loaded: Loaded, messageId: string): MessageRecord | undefined {
    const message = this.#loader.get('message', messageId)
    loaded.put('message', messageId, message)
    if (message !== undefined) loaded.put('user', message.sender.userId, this.#loader.get('user', message.sender.userId))
    return message
  }

  #loadActive (loaded: Loaded, channelKey: number, limit: number): void {
    const members = this.#loader.longestActive(channelKey, limit + 1)
    loaded.putLongestActive(channelKey, members.slice(0, limit), members.length <= limit)
    for (const { userId } of members) loaded.put('user', userId, this.#loader.get('user', userId))
  }

  #loadOne (loaded: Loaded, { table, key }: Unloaded['need']): void {
    const source: Source = this.#loader
    if (table === 'remains') throw new Error('remains that were not asked for with their message')
    if (table === 'view') loaded.putView(Number(key), source.view(Number(key)))
    else if (table === 'content') throw new Error('a content that was not asked for with its message')
    else if (table === 'longest-active') this.#loadActive(loaded, ...key.split(' ').map(Number) as [number, number])
    else loaded.put(table, key, source.get(table, key))
  }

  async read<T> (read: Read<T>): Promise<T> {
    this.#reader.exec('begin')
    try {
      return runRead(read, this.#queries)
    } finally {
      this.#reader.exec('commit')
    }
  }

  erased (): void {}
  onFailure (): void {}

  async close (): Promise<void> {
    this.#reader.close()
    this.#db.close()
  }
}
