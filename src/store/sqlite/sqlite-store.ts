/** The embedded store: one writer thread, reads on the caller's thread, one process for a directory. */
import type { DatabaseSync } from 'node:sqlite'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Refusal, refuse } from '../../errors.ts'
import type { Command, Outcome, OutcomeOf } from '../contract/commands.ts'
import type { Entry, Interest, Position, Resume, StreamRequest } from '../contract/log.ts'
import type { Store } from '../contract/store.ts'
import type { ChannelFilter, EventRequest, ForwardRequest, PageRequest } from '../contract/reads.ts'
import type { RelayStatus } from '../../rules/relay.ts'
import { dueChores, erases, leave, makesChores, type Chore } from '../core/chores.ts'
import { getChannels, listChannels, listChannelsOf, listParticipants } from '../core/read/channels.ts'
import { head, openStream, read, tail } from '../core/read/log.ts'
import { getMessage, listChannelEvents, listMessageEvents, listMessages } from '../core/read/messages.ts'
import { runRead, type Read } from '../core/read/queries.ts'
import { getToken, getUser, listTokens, listUsers, userExists } from '../core/read/users.ts'
import { GroupCommit, type Committed } from '../group-commit.ts'
import { Upkeep } from '../upkeep.ts'
import { isUnavailable, lockDirectory, openReader } from './database.ts'
import { SqliteQueries } from './read.ts'
import type { FromWriter, ToWriter, WriterOptions } from './writer-thread.ts'

/** How long a starting process waits for one that is just ending, in milliseconds. */
const LOCK_WAIT_MS = 3_000

/** Deleted text is out of the write-ahead log, too, after this time at most, in milliseconds. */
const ERASED_WITHIN_MS = 10_000

export interface SqliteStoreOptions {
  dataDir: string
  /** For how long an entry can be resumed from. Default: 168 h. */
  retentionMs?: number
  lockWaitMs?: number
  /** Told of what went wrong without being anybody's fault. */
  onError?: (err: Error) => void
}

/**
 * Opens the store in `dataDir`, made where it is not there.
 * @throws StoreLocked where another process has the directory
 */
export async function openSqliteStore (options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, retentionMs = 168 * 3_600_000, lockWaitMs = LOCK_WAIT_MS, onError = () => {} } = options
  const lock = lockDirectory(dataDir, lockWaitMs)
  try {
    const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: { dataDir } satisfies WriterOptions })
    await once(worker, 'message') // throws what the thread could not start for
    return new SqliteStore({ lock, worker, reader: openReader(dataDir), retentionMs, onError })
  } catch (err) {
    lock.close()
    throw err
  }
}

interface Parts {
  lock: DatabaseSync
  worker: Worker
  reader: DatabaseSync
  retentionMs: number
  onError: (err: Error) => void
}

class SqliteStore implements Store {
  readonly #parts: Parts
  readonly #queries: SqliteQueries
  readonly #commits: GroupCommit
  readonly #upkeep: Upkeep
  readonly #listeners = new Set<(entries: Entry[]) => void>()
  readonly #onFailure: Array<(err: Error) => void> = []
  #underWay: PromiseWithResolvers<Committed> | undefined
  #checkpoint: NodeJS.Timeout | undefined
  #failure: Error | undefined
  #closing: Promise<void> | undefined

  constructor (parts: Parts) {
    const { worker, reader, retentionMs, onError } = parts
    this.#parts = parts
    this.#queries = new SqliteQueries(reader)
    this.#commits = new GroupCommit({ commit: commands => this.#commit(commands), publish: entries => this.#publish(entries), onError })
    this.#upkeep = new Upkeep({
      find: now => this.#read(dueChores(now, retentionMs)), append: command => this.#append(command), onError
    })
    worker.on('message', (message: FromWriter) => this.#receive(message))
    worker.on('error', err => this.#fail(err as Error))
    worker.on('exit', () => this.#fail(new Error('the thread that writes has ended')))
    this.#upkeep.wake()
  }

  async append<C extends Command> (command: C): Promise<OutcomeOf<C>> {
    const outcome = await this.#append(command) as OutcomeOf<C>
    if (command.type === 'delete-user') await this.#leaveChannels()
    if (makesChores(command)) this.#upkeep.wake()
    return outcome
  }

  async #append (command: Command | Chore): Promise<Outcome> {
    const outcome = await this.#commits.append(command)
    if (erases(command)) this.#erasedSoon()
    return outcome
  }

  /** Whoever has deleted a user finds it gone from its channels; should that fail, it goes on in the background. */
  async #leaveChannels (): Promise<void> {
    try {
      for (let due = await this.#read(leave()); due.length > 0; due = await this.#read(leave())) await this.#upkeep.carryOut(due)
    } catch (err) {
      if (this.#closing === undefined) this.#parts.onError(err as Error)
    }
  }

  #commit (commands: Array<Command | Chore>): Promise<Committed> {
    if (this.#failure !== undefined) return Promise.reject(refuse('unavailable'))
    this.#underWay = Promise.withResolvers()
    this.#post({ type: 'batch', commands })
    return this.#underWay.promise
  }

  #post (message: ToWriter): void {
    this.#parts.worker.postMessage(message)
  }

  #receive (message: FromWriter): void {
    if (message.type === 'checkpointed') {
      if (message.error !== undefined) this.#parts.onError(message.error)
    } else if (message.type === 'batch') {
      const { resolve, reject } = this.#underWay!
      if (!('error' in message)) return resolve(message)
      if (message.refusal !== undefined) this.#parts.onError(message.error)
      reject(message.refusal === undefined ? message.error : new Refusal(message.refusal))
    }
  }

  #publish (entries: Entry[]): void {
    for (const listener of this.#listeners) listener(entries)
  }

  /** What was erased is still in the write-ahead log, until that is emptied. */
  #erasedSoon (): void {
    this.#checkpoint ??= setTimeout(() => {
      this.#checkpoint = undefined
      if (this.#failure === undefined && this.#closing === undefined) this.#post({ type: 'checkpoint' })
    }, ERASED_WITHIN_MS).unref()
  }

  /** The writer is gone: nothing can be stored any more until the process is started again. */
  #fail (err: Error): void {
    if (this.#failure !== undefined || this.#closing !== undefined) return
    this.#failure = err
    this.#parts.onError(err)
    this.#underWay?.reject(refuse('unavailable'))
    this.#commits.fail()
    for (const listener of this.#onFailure) listener(err)
  }

  onFailure (listener: (err: Error) => void): void {
    this.#onFailure.push(listener)
  }

  onCommitted (listener: (entries: Entry[]) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  /** Runs a read on one snapshot of the database. Async, because a store may be: its errors are rejections. */
  async #read<T> (read: Read<T>): Promise<T> {
    const db = this.#parts.reader
    try {
      db.exec('begin')
      return runRead(read, this.#queries)
    } catch (err) {
      throw isUnavailable(err) ? refuse('unavailable') : err
    } finally {
      if (db.isOpen && db.isTransaction) db.exec('commit')
    }
  }

  head = () => this.#read(head())
  tail = (after: Position, limit: number) => this.#read(tail(after, limit))
  openStream = (request: StreamRequest, resume: Resume) => this.#read(openStream(request, resume))
  read = (interest: Interest, after: Position, limit: number) => this.#read(read(interest, after, limit))

  getUser = (actor: string, userId: string) => this.#read(getUser(actor, userId))
  userExists = (userId: string) => this.#read(userExists(userId))
  listUsers = (actor: string, page: PageRequest) => this.#read(listUsers(actor, page))
  getToken = (tokenId: string) => this.#read(getToken(tokenId))
  listTokens = (actor: string, userId: string) => this.#read(listTokens(actor, userId))
  getChannels = (actor: string, channelIds: string[]) => this.#read(getChannels(actor, channelIds))
  listChannels = (actor: string, page: PageRequest, filter: ChannelFilter) => this.#read(listChannels(actor, page, filter))
  listChannelsOf = (actor: string, userId: string, page: PageRequest, filter: ChannelFilter) => this.#read(listChannelsOf(actor, userId, page, filter))
  listChannelEvents = (actor: string, channelIds: string[], request: EventRequest) => this.#read(listChannelEvents(actor, channelIds, request))
  listMessageEvents = (actor: string, channelId: string, messageIds: string[], request: EventRequest) =>
    this.#read(listMessageEvents(actor, channelId, messageIds, request))

  listParticipants = (actor: string, channelId: string, statuses: RelayStatus[], request: ForwardRequest) =>
    this.#read(listParticipants(actor, channelId, statuses, request))

  listMessages = (actor: string, channelId: string, page: PageRequest) => this.#read(listMessages(actor, channelId, page))
  getMessage = (actor: string, messageId: string) => this.#read(getMessage(actor, messageId))

  async check (): Promise<void> {
    if (this.#failure !== undefined || this.#closing !== undefined) throw refuse('unavailable')
    await this.head()
  }

  async settle (): Promise<void> {
    await this.#upkeep.settle()
  }

  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close (): Promise<void> {
    const { worker, reader, lock } = this.#parts
    clearTimeout(this.#checkpoint)
    await Promise.all([this.#upkeep.stop(), this.#commits.close()])
    if (this.#failure === undefined) {
      const exited = once(worker, 'exit')
      this.#post({ type: 'close' })
      await exited
    }
    reader.close()
    lock.close()
  }
}
