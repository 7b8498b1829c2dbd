/**
 * A store of which every other stream that goes on has to read the log: a node tells what it keeps from memory, and both
 * ways must tell the same.
 */
import type { Store } from '../../src/store/contract/store.ts'

export function everyOtherFromTheLog (store: Store): Store {
  let turn = 0
  return new Proxy(store, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name !== 'rights') return member.bind(target)
      return async (...args: Parameters<Store['rights']>) => {
        const now = await target.rights(...args)
        // As if retention had passed its place: what a stream then finds out by reading.
        return turn++ % 2 === 0 ? now : { ...now, floor: Infinity }
      }
    }
  })
}
