/** What waits, by whom it is for: one after the other has one of its own taken out (round robin), however much one of them brings. */
export class FairQueue<T> {
  /** Whoever is next first. */
  readonly #waiting = new Map<string, T[]>()
  #length = 0

  get length (): number {
    return this.#length
  }

  /** What waits for one caller, in order. */
  of (caller: string): readonly T[] {
    return this.#waiting.get(caller) ?? []
  }

  push (caller: string, item: T): void {
    const own = this.#waiting.get(caller)
    if (own === undefined) this.#waiting.set(caller, [item])
    else own.push(item)
    this.#length++
  }

  /**
   * Takes out what is next. The caller's others are then behind everybody else's.
   * @param fits of what is next of a caller; one whose next does not fit is passed over, and is then behind everybody else
   */
  shift (fits: (item: T) => boolean = () => true): T | undefined {
    let left = this.#waiting.size
    for (const [caller, own] of this.#waiting) {
      if (left-- === 0) return undefined
      this.#waiting.delete(caller)
      const item = fits(own[0]!) ? own.shift() : undefined
      if (own.length > 0) this.#waiting.set(caller, own)
      if (item === undefined) continue
      this.#length--
      return item
    }
    return undefined
  }
}
