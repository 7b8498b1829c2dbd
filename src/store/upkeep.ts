/** Sees to what is due in the background: finds it, and has it carried out, until there is nothing. */
import type { Outcome, RemoveParticipant } from './contract/commands.ts'
import { Refusal } from '../errors.ts'
import type { Chore } from './core/chores.ts'

/** How often time alone may have made work, in milliseconds: retention, forgotten keys. */
const INTERVAL_MS = 30_000

type Due = Chore | RemoveParticipant

export interface UpkeepOptions {
  /** All that is due now, or what commands have left over; none: nothing. */
  find: (what: 'all' | 'left-over') => Promise<Due[]>
  append: (command: Due) => Promise<Outcome>
  onError: (err: Error) => void
}

export class Upkeep {
  readonly #options: UpkeepOptions
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined
  #again: 'all' | 'left-over' | undefined
  #stopped = false

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
    if (this.#stopped) return
    this.#running = this.#run(what).catch((err: Error) => {
      if (!this.#stopped) this.#options.onError(err)
    }).finally(() => {
      this.#running = undefined
      const again = this.#again
      this.#again = undefined
      if (again !== undefined) this.wake(again)
    })
  }

  /** Carries out all that is due now. Throws what went wrong. */
  async settle (): Promise<void> {
    await this.#running
    await this.#run('all')
  }

  async #run (what: 'all' | 'left-over'): Promise<void> {
    while (!this.#stopped) {
      const due = await this.#options.find(what)
      if (due.length === 0) return
      await this.carryOut(due)
    }
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
    this.#stopped = true
    clearInterval(this.#timer)
    await this.#running
  }
}
