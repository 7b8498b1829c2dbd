/** A store whose calls a test can hold, one at a time: what happens meanwhile, happens for sure. */
import type { Store } from '../../src/store/contract/store.ts'

/** Lets calls of the store through one by one, but for the one that it was told to hold. */
export class Turnstile {
  /** How many calls may pass before one is held. */
  passes = Infinity
  #held = Promise.withResolvers<void>()
  #released = Promise.withResolvers<void>()

  wrap = (store: Store): Store => new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name === 'onCommitted' || name === 'close') return member.bind(target)
      return async (...args: unknown[]) => {
        if (this.passes-- === 0) {
          this.#held.resolve()
          await this.#released.promise
        }
        return await Reflect.apply(member, target, args)
      }
    }
  })

  /** Holds the call after so many; resolves when it is there. */
  hold (passes: number): Promise<void> {
    this.#held = Promise.withResolvers()
    this.#released = Promise.withResolvers()
    this.passes = passes
    return this.#held.promise
  }

  release (): void {
    this.passes = Infinity
    this.#released.resolve()
  }
}
