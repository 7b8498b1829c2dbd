/** The embedded store: one writer thread, reads on the caller's thread, one process for a directory. */
import type { DatabaseSync } from 'node:sqlite'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Refusal, refuse } from '../../errors.ts'
import type { Command, Outcome, OutcomeOf } from '../commands.ts'
import type { Entry, Store } from '../store.ts'
import { lockDirectory, openReader } from './database.ts'
import { Reader } from './reader.ts'
import type { FromWriter, Result, ToWriter, WriterOptions } from './writer-thread.ts'

/** Commands in one transaction at most: enough to share a sync among all, few enough to answer the first soon. */
const BATCH_COMMANDS = 256

/** Commands that may wait for the writer; a caller beyond is told to come back (503). */
const QUEUED_COMMANDS_MAX = 20_000

/** How long a starting process waits for one that is just ending, in milliseconds. */
const LOCK_WAIT_MS = 3_000

export interface SqliteStoreOptions {
  dataDir: string
  /** For how long an entry can be resumed from. Default: 168 h. */
  retentionMs?: number
  lockWaitMs?: number
  /** Told of what went wrong without being anybody's fault. */
  onError?: (err: Error) => void
}

interface Waiting {
  command: Command
  resolve: (outcome: Outcome) => void
  reject: (err: Error) => void
}

/**
 * Opens the store in `dataDir`, made where it is not there.
 * @throws StoreLocked where another process has the directory
 */
export async function openSqliteStore (options: SqliteStoreOptions): Promise<Store> {
  const { dataDir, retentionMs = 168 * 3_600_000, lockWaitMs = LOCK_WAIT_MS, onError = () => {} } = options
  const lock = lockDirectory(dataDir, lockWaitMs)
  try {
    const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), {
      workerData: { dataDir, retentionMs } satisfies WriterOptions
    })
    await once(worker, 'message') // throws what the thread could not start for
    return new SqliteStore({ lock, worker, reader: openReader(dataDir), onError })
  } catch (err) {
    lock.close()
    throw err
  }
}

class SqliteStore extends Reader implements Store {
  readonly #lock: DatabaseSync
  readonly #worker: Worker
  readonly #onError: (err: Error) => void
  readonly #listeners = new Set<(entries: Entry[]) => void>()
  #queue: Waiting[] = []
  /** The batch that the writer has now. */
  #underWay: Waiting[] = []
  #settled: Array<() => void> = []
  #failure: Error | undefined
  #closing: Promise<void> | undefined

  constructor (parts: { lock: DatabaseSync, worker: Worker, reader: DatabaseSync, onError: (err: Error) => void }) {
    super(parts.reader)
    this.#lock = parts.lock
    this.#worker = parts.worker
    this.#onError = parts.onError
    this.#worker.on('message', (message: FromWriter) => this.#receive(message))
    this.#worker.on('error', err => this.#fail(err as Error))
  }

  append<C extends Command> (command: C): Promise<OutcomeOf<C>> {
    if (this.#failure !== undefined || this.#closing !== undefined || this.#queue.length >= QUEUED_COMMANDS_MAX) {
      return Promise.reject(refuse('unavailable'))
    }
    return new Promise<Outcome>((resolve, reject) => {
      this.#queue.push({ command, resolve, reject })
      this.#send()
    }) as Promise<OutcomeOf<C>>
  }

  /** Hands the next batch over, unless one is under way: what arrives meanwhile shares the next sync. */
  #send (): void {
    if (this.#underWay.length > 0 || this.#queue.length === 0) return
    this.#underWay = this.#queue.splice(0, BATCH_COMMANDS)
    this.#post({ type: 'batch', commands: this.#underWay.map(({ command }) => command) })
  }

  #post (message: ToWriter): void {
    this.#worker.postMessage(message)
  }

  #receive (message: FromWriter): void {
    if (message.type === 'batch') {
      const answered = this.#underWay
      this.#underWay = []
      this.#send()
      message.errors.forEach(this.#onError)
      this.#publish(message.entries)
      message.results.forEach((result, index) => answer(answered[index]!, result))
    } else if (message.type === 'background') {
      if (message.error !== undefined) this.#onError(message.error)
      this.#publish(message.entries)
    } else if (message.type === 'settled') {
      this.#settled.shift()?.()
    }
  }

  #publish (entries: Entry[]): void {
    if (entries.length > 0) for (const listener of this.#listeners) listener(entries)
  }

  /** The writer is gone: nothing can be stored any more until the process is started again. */
  #fail (err: Error): void {
    this.#failure = err
    this.#onError(err)
    for (const { reject } of [...this.#underWay, ...this.#queue]) reject(refuse('unavailable'))
    this.#underWay = []
    this.#queue = []
  }

  onCommitted (listener: (entries: Entry[]) => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  async check (): Promise<void> {
    if (this.#failure !== undefined || this.#closing !== undefined) throw refuse('unavailable')
    await this.head()
  }

  async settle (): Promise<void> {
    await new Promise<void>(resolve => {
      this.#settled.push(resolve)
      this.#post({ type: 'settle', now: Date.now() })
    })
  }

  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close (): Promise<void> {
    while (this.#underWay.length > 0) await once(this.#worker, 'message')
    const exited = once(this.#worker, 'exit')
    if (this.#failure === undefined) this.#post({ type: 'close' })
    await exited
    this.db.close()
    this.#lock.close()
  }
}

function answer ({ resolve, reject }: Waiting, result: Result): void {
  if ('outcome' in result) resolve(result.outcome)
  else reject(new Refusal(result.refusal))
}
