/** The store on PostgreSQL: any number of nodes write one log, each by one session, a batch at a time. */
import { Refusal, refuse } from '../../errors.ts'
import type { ClockSettings } from '../clock.ts'
import type { Command } from '../contract/commands.ts'
import type { Store } from '../contract/store.ts'
import type { Chore } from '../core/chores.ts'
import type { Read } from '../core/read/queries.ts'
import { createStore, type Backend } from '../create-store.ts'
import type { Committed } from '../group-commit.ts'
import { isMigrated, migrate, mustBeUsable, mustBeWhole } from './database.ts'
import { readOn } from './read.ts'
import type { Session } from './session.ts'
import { Sessions } from './sessions.ts'
import { transact } from './transactions.ts'
import { isUnavailable } from './unavailable.ts'

export interface PostgresStoreOptions {
  /** `postgres://…`, of one server or of several with commas between them: the one that can be written to is found. */
  url: string
  /** For how long an entry can be resumed from. Default: 168 h. */
  retentionMs?: number
  /** The server's, unless given. */
  clock?: ClockSettings
  /** A server that may lose what it has confirmed will do: for tests. */
  allowUnsafe?: boolean
  /** Told of what went wrong without being anybody's fault. */
  onError?: (err: Error) => void
}

/**
 * Opens the store, and makes its tables where they are not there. Waits for a server for half a minute.
 * Throws, in one sentence, where there is none, or none that can be used.
 */
export async function openPostgresStore (options: PostgresStoreOptions): Promise<Store> {
  const { url, retentionMs = 168 * 3_600_000, allowUnsafe = false, onError = () => {} } = options
  const sessions = await Sessions.start({
    url,
    onError,
    async isReady (session) {
      await mustBeUsable(session, allowUnsafe)
      const isReady = await isMigrated(session)
      if (isReady) await mustBeWhole(session)
      return isReady
    },
    async migrate (session) {
      await migrate(session)
      await mustBeWhole(session)
    }
  })
  return createStore(new PostgresBackend(sessions, onError), { retentionMs, clock: { wall: () => sessions.now(), ...options.clock }, onError })
}

/** A commit that is not confirmed after so long, in milliseconds, stands still: a standby that has to have it is away, say. */
const STANDS_STILL_MS = 2_000
/** For how long nothing is said to be possible where it came to nothing, in milliseconds: nothing else may be tried meanwhile. */
const AFTER_LATE_MS = 10_000

class PostgresBackend implements Backend {
  readonly onlyWriter = false
  /** When the batches that are under way began. */
  readonly #begun = new Set<number>()
  #lateAt = -Infinity
  readonly #sessions: Sessions
  readonly #onError: (err: Error) => void

  constructor (sessions: Sessions, onError: (err: Error) => void) {
    this.#sessions = sessions
    this.#onError = onError
  }

  async commit (commands: Array<Command | Chore>, onSent: (decided: number) => void): Promise<Committed> {
    const begun = performance.now()
    this.#begun.add(begun)
    try {
      return await this.#commit(commands, onSent)
    } finally {
      this.#begun.delete(begun)
    }
  }

  async #commit (commands: Array<Command | Chore>, onSent: (decided: number) => void): Promise<Committed> {
    for (let attempt = 1; ; attempt++) {
      let sent = false
      let session: Session | undefined
      try {
        if (this.#sessions.away) throw refuse('unavailable')
        session = await this.#sessions.writer()
        const committed = await transact(session, commands, decided => {
          sent = true
          onSent(decided)
        })
        const newest = committed.entries.at(-1)
        if (newest !== undefined) this.#sessions.hint(newest.position)
        this.#lateAt = -Infinity
        return committed
      } catch (err) {
        if (session?.wasLate === true) this.#lateAt = performance.now()
        // Its session had ended, for whatever reason, and nothing was done: it is worth another.
        if (sent || attempt > 1 || session?.isOpen === true || session?.wasLate === true || this.#sessions.away || !isUnavailable(err)) throw this.#refusalOf(err)
      }
    }
  }

  async read<T> (read: Read<T>): Promise<T> {
    try {
      return await this.#sessions.read(session => readOn(session, read))
    } catch (err) {
      throw this.#refusalOf(err)
    }
  }

  /** While the database is away everybody learns that from the refusal, and the operator once. */
  #refusalOf (err: unknown): unknown {
    if (err instanceof Refusal || !isUnavailable(err)) return err
    if (!this.#sessions.troubled) this.#onError(err as Error)
    return refuse('unavailable')
  }

  check (): void {
    const now = performance.now()
    const [oldest = now] = this.#begun
    if (this.#sessions.away || now - oldest > STANDS_STILL_MS || now - this.#lateAt < AFTER_LATE_MS) throw refuse('unavailable')
  }

  async exclusively<T> (work: () => Promise<T>): Promise<T | undefined> {
    return await this.#sessions.exclusively(work)
  }

  onHint (listener: (upTo?: number) => void): void {
    this.#sessions.onHint = listener
  }

  /** It is in no row any more. What the database's own files keep of it, and for how long, its operator decides (docs/deploy.md). */
  erased (): void {}

  /** It comes back by itself. */
  onFailure (): void {}

  async close (): Promise<void> {
    await this.#sessions.close()
  }
}
