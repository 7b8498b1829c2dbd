/** What was used lately, as much of it as has room. */

/**
 * Of two halves, each use is noted in the younger one; when that is full it becomes the older one, and what has not been used
 * since is forgotten. So what is in use stays, and nothing is moved or counted where it is used again and again.
 */
export class LatelyUsed<K, V> {
  readonly #half: number
  #young = new Map<K, V>()
  #old = new Map<K, V>()

  /** @param most that are remembered; at least half of them, those used last */
  constructor (most: number) {
    this.#half = Math.ceil(most / 2)
  }

  get (key: K): V | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set (key: K, value: V): void {
    this.#young.set(key, value)
    if (this.#young.size < this.#half) return
    this.#old = this.#young
    this.#young = new Map()
  }

  delete (key: K): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear (): void {
    this.#young.clear()
    this.#old.clear()
  }
}
