/** Sees to what is due in the background: finds it, and has it carried out, until there is nothing. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome, RemoveParticipant } from './contract/commands.ts'
import { Refusal } from '../errors.ts'
import type { Chore } from './core/chores.ts'

/** How often time alone may have made work, in milliseconds: retention, forgotten keys. */
const INTERVAL_MS = 30_000

/** Where another node is at it: until it is tried again, in milliseconds, at least and at most. */
const REFUSED_MS = { least: 500, most: 1_500 }

type Due = Chore | RemoveParticipant

export type Exclusively = <T>(work: () => Promise<T>) => Promise<T | undefined>

export interface UpkeepOptions {
  /** All that is due now, or what commands have left over; none: nothing. */
  find: (what: 'all' | 'left-over') => Promise<Due[]>
  append: (command: Due) => Promise<Outcome>
  /** Runs something as the only one of all nodes; undefined: another is at it. Absent: there is no other. */
  exclusively?: Exclusively | undefined
  onError: (err: Error) => void
}

export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #again: 'all' | 'left-over' | undefined
  /** Another node was at it, when there was something that this node's commands had left over. */
  #refused: NodeJS.Timeout | undefined
  readonly #stopped = new AbortController()

  constructor (options: UpkeepOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.wake('all'), INTERVAL_MS).unref()
  }

  /** Something may be due: what commands have left over, unless it is said that all is to be looked for. */
  wake (what: 'all' | 'left-over' = 'left-over'): void {
    if (this.#running !== undefined) {
      if (this.#again !== 'all') this.#again = what
      return
    }
    if (this.#stopped.signal.aborted) return
    this.#running = this.#wake(what).catch((err: Error) => {
      if (!this.#stopped.signal.aborted) this.#options.onError(err)
    }).finally(() => {
      this.#running = undefined
      const again = this.#again
      this.#again = undefined
      if (again !== undefined) this.wake(again)
    })
  }

  /** Whoever is at it may have looked before there was what this node's commands have left over; what time has made, it sees to. */
  async #wake (what: 'all' | 'left-over'): Promise<void> {
    if (await this.#run(what) || what === 'all' || this.#stopped.signal.aborted) return
    this.#refused ??= setTimeout(() => {
      this.#refused = undefined
      this.wake(what)
    }, refusedMs()).unref()
  }

  /** Carries out all that is due now, once no other node is at it. Throws what went wrong. */
  async settle (): Promise<void> {
    await this.#running
    while (!await this.#run('all') && !this.#stopped.signal.aborted) await sleep(refusedMs(), undefined, { signal: this.#stopped.signal }).catch(() => {})
  }

  /** False: another node is at it. */
  async #run (what: 'all' | 'left-over'): Promise<boolean> {
    const { exclusively = alone } = this.#options
    return await exclusively(() => this.#carryOutAll(what)) !== undefined
  }

  async #carryOutAll (what: 'all' | 'left-over'): Promise<true> {
    while (!this.#stopped.signal.aborted) {
      const due = await this.#options.find(what)
      if (due.length === 0) break
      await this.carryOut(due)
    }
    return true
  }

  /** One that finds that its work was done meanwhile is no failure. */
  async carryOut (due: Due[]): Promise<void> {
    const done = await Promise.allSettled(due.map(command => this.#options.append(command)))
    for (const one of done) {
      if (one.status === 'rejected' && !(one.reason instanceof Refusal && one.reason.status < 500)) throw one.reason
    }
  }

  /** Begins nothing more, and waits for what it has begun. */
  async stop (): Promise<void> {
    this.#stopped.abort()
    clearInterval(this.#timer)
    clearTimeout(this.#refused)
    await this.#running
  }
}

const alone: Exclusively = work => work()

const refusedMs = (): number => REFUSED_MS.least + Math.random() * (REFUSED_MS.most - REFUSED_MS.least)
