/**
 * Reads block the event loop. However many pages are asked for at once, they have only so much of one turn of it: what is
 * left waits, in the order in which it came, and between two turns everybody else is served.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Of one turn, in milliseconds. A read that has begun is finished, and what is made of it is not stopped either. */
const TURN_MS = 10

export class ReadQueue {
  /** When the first read of this turn began; undefined: there was none. */
  #since: number | undefined
  readonly #waiting: Array<() => void> = []

  /** Runs a read when there is time for it: at once, unless others wait. */
  async run<T> (read: () => T): Promise<T> {
    await new Promise<void>(resolve => {
      if (this.#waiting.push(resolve) === 1) this.#letOn()
    })
    return read()
  }

  async #letOn (): Promise<void> {
    while (this.#waiting.length > 0) {
      while (!this.#hasTime()) await nextTurn()
      this.#waiting[0]!()
      await allThatFollows()
      this.#waiting.shift()
    }
  }

  #hasTime (): boolean {
    if (this.#since !== undefined) return performance.now() - this.#since < TURN_MS
    this.#since = performance.now()
    setImmediate(() => { this.#since = undefined })
    return true
  }
}

/** Resolves when what was just resolved has led to all that it leads to without waiting. */
const allThatFollows = (): Promise<void> => new Promise(resolve => process.nextTick(resolve))
