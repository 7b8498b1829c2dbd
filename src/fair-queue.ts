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

  /** Takes out what is next. The caller's others are then behind everybody else's. */
  shift (): T | undefined {
    const [next] = this.#waiting
    if (next === undefined) return undefined
    const [caller, own] = next
    const item = own.shift()
    this.#waiting.delete(caller)
    if (own.length > 0) this.#waiting.set(caller, own)
    this.#length--
    return item
  }
}
