/** A store on whatever keeps its rows: batches, background work, and reads are the same for all. */
import { refuse } from '../errors.ts'
import { Clock, type ClockSettings } from './clock.ts'
import type { Command, Outcome, OutcomeOf } from './contract/commands.ts'
import type { Entry, Position } from './contract/log.ts'
import type { Store } from './contract/store.ts'
import { dueChores, erases, leave, leftOver, makesChores, type Chore } from './core/chores.ts'
import type { Read } from './core/read/queries.ts'
import { readsBy } from './core/read/reads.ts'
import { GroupCommit, type Commit } from './group-commit.ts'
import { Upkeep, type Exclusively } from './upkeep.ts'

/** What a database has to do (docs/store.md). */
export interface Backend {
  /** No other process commits (contract/store.ts). */
  readonly onlyWriter: boolean
  /** Carries out a batch in one transaction, which is on disk when this resolves (group-commit.ts says what a rejection means). */
  commit: Commit
  /**
   * Calls back when others have written, or may have; with how far the log goes at least, where that is known. It may come late,
   * twice, or never, and be of what this node has written itself. Absent: nobody else writes.
   */
  onHint? (listener: (upTo?: Position) => void): void
  /** Runs a read on one snapshot. Throws `unavailable` where the database cannot answer. */
  read<T> (read: Read<T>): Promise<T>
  /** Throws `unavailable` where nothing can be committed now, as far as is known. */
  check (): void
  /**
   * Runs background work as the only one of all nodes; undefined, at once, where another is at it. The lock goes with whoever
   * holds it, and may be lost in the middle: what is carried out twice does no harm. Absent: there are no other nodes.
   */
  exclusively?: Exclusively
  /** Something was committed that must soon be in no file any more. */
  erased (): void
  /** Calls back once, should it become unable to commit for good; what is under way is rejected then. */
  onFailure (listener: (err: Error) => void): void
  /** Lets go of everything. Called once, when nothing is under way. */
  close (): Promise<void>
}

export interface CreateStoreOptions {
  /** For how long an entry can be resumed from, in milliseconds. */
  retentionMs: number
  /** By which clock things grow old. Of several nodes, `wall` is the database's clock: it is one for all. */
  clock?: ClockSettings
  /** Told of what went wrong without being anybody's fault. */
  onError: (err: Error) => void
}

export function createStore (backend: Backend, { retentionMs, clock: settings, onError }: CreateStoreOptions): Store {
  const listeners = new Set<(entries: Entry[], upTo?: Position) => void>()
  let failed = false
  let closing: Promise<void> | undefined

  const publish = (entries: Entry[], upTo?: Position) => { for (const listener of listeners) listener(entries, upTo) }
  const commits = new GroupCommit({
    commit: (commands, onSent) => backend.commit(commands, onSent).catch((err: unknown) => {
      // It may be on disk all the same: whoever follows the log looks.
      publish([])
      throw err
    }),
    publish,
    onError
  })
  const append = async (command: Command | Chore): Promise<Outcome> => {
    const outcome = await commits.append(command)
    if (erases(command)) backend.erased()
    return outcome
  }
  const clock = new Clock({
    ...settings,
    onJump: ms => onError(new Error(`The clock jumped by ${Math.round(ms / 1000)} s: nothing is removed by its age before it has gone steadily for an hour`))
  })
  const find = (what: 'all' | 'left-over') => {
    if (what === 'left-over') return backend.read(leftOver())
    const { now, steady } = clock.look()
    return backend.read(dueChores(now, steady ? retentionMs : undefined))
  }
  const upkeep = new Upkeep({ find, append, exclusively: backend.exclusively?.bind(backend) as Exclusively | undefined, onError })
  const failures: Array<(err: Error) => void> = []
  backend.onFailure(err => {
    failed = true
    commits.fail()
    onError(err)
    for (const listener of failures) listener(err)
  })

  /** Whoever has deleted a user finds it gone from its channels; should that fail, it goes on in the background. */
  async function leaveChannels (userId: string): Promise<void> {
    try {
      for (let due = await backend.read(leave(userId)); due.length > 0; due = await backend.read(leave(userId))) await upkeep.carryOut(due)
    } catch (err) {
      if (closing === undefined) onError(err as Error)
    }
  }

  async function close (): Promise<void> {
    await Promise.all([upkeep.stop(), commits.close()])
    await backend.close()
  }

  backend.onHint?.(upTo => publish([], upTo))
  upkeep.wake('all')
  const reads = readsBy(read => backend.read(read))
  return {
    ...reads,
    onlyWriter: backend.onlyWriter,

    async append<C extends Command> (command: C): Promise<OutcomeOf<C>> {
      const outcome = await append(command) as OutcomeOf<C>
      if (command.type === 'delete-user') await leaveChannels(command.userId)
      if (makesChores(command)) upkeep.wake()
      return outcome
    },

    onCommitted (listener) {
      listeners.add(listener)
      return () => { listeners.delete(listener) }
    },

    onFailure (listener) {
      failures.push(listener)
    },

    async check () {
      if (failed || closing !== undefined) throw refuse('unavailable')
      backend.check()
      await reads.head()
    },

    settle: () => upkeep.settle(),

    close () {
      closing ??= close()
      return closing
    }
  }
}
