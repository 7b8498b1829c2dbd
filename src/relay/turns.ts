/**
 * Whose turn it is to read: of all replays of this node one in each turn of the event loop, first come, first
 * served. Everybody else's requests wait for one page at most, however many replay.
 */

interface Waiting {
  wanted: () => boolean
  resolve: (wanted: boolean) => void
}

export class Turns {
  #waiting: Waiting[] = []
  #scheduled = false

  /**
   * Resolves in a turn of the loop that is given to nobody else: what is done before anything is waited for is done in it.
   * @param wanted asked when the turn has come
   * @returns false where it was not wanted any more; that takes up no turn
   */
  next (wanted: () => boolean): Promise<boolean> {
    return new Promise(resolve => {
      this.#waiting.push({ wanted, resolve })
      this.#schedule()
    })
  }

  #schedule (): void {
    if (this.#scheduled || this.#waiting.length === 0) return
    this.#scheduled = true
    // What is asked for while immediates run waits for the loop to go round once more.
    setImmediate(() => {
      this.#scheduled = false
      this.#give()
      this.#schedule()
    })
  }

  #give (): void {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const wanted = next.wanted()
      next.resolve(wanted)
      if (wanted) return
    }
  }
}
