/** The embedded store: one writer thread, reads on the caller's thread, one process for a directory. */
import type { DatabaseSync } from 'node:sqlite'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Refusal, refuse } from '../../errors.ts'
import type { ClockSettings } from '../clock.ts'
import type { Command } from '../contract/commands.ts'
import type { Store } from '../contract/store.ts'
import type { Chore } from '../core/chores.ts'
import { runRead, type Queries, type Read } from '../core/read/queries.ts'
import { createStore, type Backend } from '../create-store.ts'
import type { Committed } from '../group-commit.ts'
import { inPlace, isHarmed, isUnavailable, lockDirectory, Misplaced, openReader } from './database.ts'
import { sqliteQueries } from './read.ts'
import type { FromWriter, ToWriter, WriterOptions } from './writer-thread.ts'

/** How long a starting process waits for one that is just ending, in milliseconds. */
const LOCK_WAIT_MS = 3_000

/** How often it is looked whether the database is where it was, and can be written to again, in milliseconds. */
const LOOK_MS = 2_000

/** Deleted text is out of the write-ahead log, too, after this time at most, in milliseconds. */
const ERASED_WITHIN_MS = 10_000

/** After an attempt at that for which somebody who reads was in the way, or the disk, in milliseconds. */
const EMPTY_AGAIN_MS = 1_000

export interface SqliteStoreOptions {
  dataDir: string
  /** For how long an entry can be resumed from. Default: 168 h. */
  retentionMs?: number
  clock?: ClockSettings
  lockWaitMs?: number
  /** Told of what went wrong without being anybody's fault. */
  onError?: (err: Error) => void
}

/**
 * Opens the store in `dataDir`, made where it is not there.
 * @throws StoreLocked where another process has the directory
 */
export async function openSqliteStore (options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, retentionMs = 168 * 3_600_000, lockWaitMs = LOCK_WAIT_MS, onError = () => {}, clock = {} } = options
  const lock = lockDirectory(dataDir, lockWaitMs)
  try {
    const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: { dataDir } satisfies WriterOptions })
    await once(worker, 'message') // throws what the thread could not start for
    return createStore(new SqliteBackend(dataDir, lock, worker, onError), { retentionMs, clock, onError })
  } catch (err) {
    lock.close()
    throw err
  }
}

class SqliteBackend implements Backend {
  /** By the lock on its directory. */
  readonly onlyWriter = true
  readonly #dataDir: string
  readonly #lock: DatabaseSync
  readonly #worker: Worker
  readonly #reader: DatabaseSync
  readonly #queries: Queries
  readonly #onError: (err: Error) => void
  #onFailure: (err: Error) => void = () => {}
  /** The batch that the writer has now; there is never another. */
  #underWay: PromiseWithResolvers<Committed> | undefined
  #checkpoint: NodeJS.Timeout | undefined
  readonly #look: NodeJS.Timeout
  readonly #isInPlace: () => boolean
  /** The database is not where it was. */
  #misplaced = false
  /** The last commit could not be written: the disk is full, or read-only. */
  #unwritable = false
  /** What was read is not what was written: nothing more is put beside it before the service is started again. */
  #harmed = false
  #failed = false
  #closing = false

  constructor (dataDir: string, lock: DatabaseSync, worker: Worker, onError: (err: Error) => void) {
    this.#dataDir = dataDir
    this.#lock = lock
    this.#worker = worker
    this.#reader = openReader(dataDir)
    this.#queries = sqliteQueries(this.#reader)
    this.#onError = onError
    this.#isInPlace = inPlace(dataDir)
    this.erased() // somebody may have been in the way when the log was to be emptied at the start
    this.#look = setInterval(() => {
      this.#lookAfter()
      if (this.#unwritable) this.#post({ type: 'probe' })
    }, LOOK_MS).unref()
    worker.on('message', (message: FromWriter) => this.#receive(message))
    worker.on('error', err => this.#fail(err as Error))
    worker.on('exit', () => this.#fail(new Error('the thread that writes has ended')))
  }

  commit (commands: Array<Command | Chore>): Promise<Committed> {
    if (this.#failed || this.#misplaced || this.#harmed) return Promise.reject(refuse('unavailable'))
    this.#underWay = Promise.withResolvers()
    this.#post(JSON.stringify(commands))
    return this.#underWay.promise
  }

  #post (message: ToWriter): void {
    this.#worker.postMessage(message)
  }

  #receive (message: FromWriter): void {
    if (typeof message === 'string') {
      this.#unwritable = false
      this.#underWay!.resolve(JSON.parse(message) as Committed)
    } else if (message.type === 'failed') {
      this.#underWay!.reject(this.#refusalOf(message.error, message.refusal))
    } else if (message.type === 'recovered') {
      this.#unwritable = false
    } else if (message.type === 'checkpointed') {
      if (message.error !== undefined) this.#onError(message.error)
      if (!message.done) this.#emptyLogIn(EMPTY_AGAIN_MS)
    }
  }

  /** A full disk is nobody's fault: the service hears of it, the caller that it may come back. */
  #refusalOf (err: Error, refusal: ConstructorParameters<typeof Refusal>[0] | undefined): Error {
    if (refusal === undefined) return err
    this.#unwritable = true
    this.#harmed ||= isHarmed(err)
    this.#onError(err)
    this.#lookAfter()
    return new Refusal(refusal)
  }

  #lookAfter (): void {
    const misplaced = !this.#isInPlace()
    if (misplaced && !this.#misplaced) this.#onError(new Misplaced(this.#dataDir))
    this.#misplaced = misplaced
  }

  check (): void {
    if (this.#misplaced || this.#unwritable || this.#harmed) throw refuse('unavailable')
  }

  /** The writer is gone: nothing can be stored any more until the process is started again. */
  #fail (err: Error): void {
    if (this.#failed || this.#closing) return
    this.#failed = true
    clearTimeout(this.#checkpoint)
    clearInterval(this.#look)
    this.#underWay?.reject(refuse('unavailable'))
    this.#onFailure(err)
  }

  onFailure (listener: (err: Error) => void): void {
    this.#onFailure = listener
  }

  /** Runs a read on one snapshot of the database. Async, because a backend may be: its errors are rejections. */
  async read<T> (read: Read<T>): Promise<T> {
    const db = this.#reader
    if (this.#misplaced || !db.isOpen) throw refuse('unavailable')
    try {
      db.exec('begin')
      return runRead(read, this.#queries)
    } catch (err) {
      if (!isUnavailable(err)) throw err
      this.#harmed ||= isHarmed(err)
      this.#onError(err as Error)
      throw refuse('unavailable')
    } finally {
      if (db.isTransaction) db.exec('rollback') // of what was read, which no harmed file can prevent
    }
  }

  /** It is still in the write-ahead log, until that is emptied. */
  erased (): void {
    if (this.#checkpoint === undefined) this.#emptyLogIn(ERASED_WITHIN_MS)
  }

  #emptyLogIn (ms: number): void {
    if (this.#failed || this.#closing) return
    clearTimeout(this.#checkpoint)
    this.#checkpoint = setTimeout(() => {
      this.#checkpoint = undefined
      this.#post({ type: 'checkpoint' })
    }, ms).unref()
  }

  async close (): Promise<void> {
    this.#closing = true
    clearTimeout(this.#checkpoint)
    clearInterval(this.#look)
    this.#reader.close() // whoever reads keeps the write-ahead log from being emptied
    if (!this.#failed) {
      const exited = once(this.#worker, 'exit')
      this.#post({ type: 'close' })
      await exited
    }
    this.#lock.close()
  }
}
