/**
 * The store's contract: an append-only log with the state that it makes. src/store/sqlite keeps it; another
 * store that keeps it too can take its place. test/store/contract.ts runs on every one of them.
 */
import type { Command, OutcomeOf } from './commands.ts'
import type { Log } from './log.ts'
import type { Reads } from './reads.ts'

export interface Append {
  /**
   * Carries out one command: reads the state that it depends on, decides, writes state and entries, all
   * in one transaction, shared with whatever else is waiting (group commit). Commands are carried out in
   * the order of the calls. Resolves after the transaction is on disk AND its entries were handed to the
   * listeners of `onCommitted`. Throws `Refusal`; a refused command has changed nothing and does not
   * touch its neighbours.
   *
   * `unavailable`: not confirmed. A store on this machine has changed nothing then; one behind a connection
   * may have carried the command out, and a repeat under the same `Idempotency-Key` settles it.
   */
  append<C extends Command> (command: C): Promise<OutcomeOf<C>>
}

export interface Store extends Append, Log, Reads {
  /**
   * This process alone writes the log: `onCommitted` hands over every entry there is, each before its command is answered,
   * so that what was read stays true until an entry says otherwise. Where it is false, others write too.
   */
  readonly onlyWriter: boolean

  /** Resolves when the store can answer and, as far as it knows, be written to; throws `unavailable`. */
  check (): Promise<void>

  /** Carries out all background work that is due now: removal of marked rows, retention. For tests and tools. */
  settle (): Promise<void>

  /**
   * Calls back once, should the store become unable to write for good: from then on every command is
   * `unavailable`, and only a restart of the process helps.
   */
  onFailure (listener: (err: Error) => void): void

  /** Waits for commands under way, then lets go of everything, in bounded time also after a failure. Idempotent. */
  close (): Promise<void>
}
