import type { Subscriber } from './hub.ts'

const NONE: ReadonlySet<Subscriber> = new Set()

/** Subscribers by a key; keys without any take no room. */
export class Index<Key> {
  readonly #sets = new Map<Key, Set<Subscriber>>()

  add (key: Key, subscriber: Subscriber): void {
    const set = this.#sets.get(key)
    if (set === undefined) this.#sets.set(key, new Set([subscriber]))
    else set.add(subscriber)
  }

  delete (key: Key, subscriber: Subscriber): void {
    const set = this.#sets.get(key)
    if (set?.delete(subscriber) === true && set.size === 0) this.#sets.delete(key)
  }

  put (key: Key, subscriber: Subscriber, present: boolean): void {
    if (present) this.add(key, subscriber)
    else this.delete(key, subscriber)
  }

  /** In the order in which they came. The index may change while they are gone through. */
  of (key: Key): ReadonlySet<Subscriber> {
    return this.#sets.get(key) ?? NONE
  }
}
