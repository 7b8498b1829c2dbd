/**
 * A store of which streams that go on have to read the log, where a node would tell what it keeps from memory: both ways must
 * tell the same.
 */
import type { Store } from '../../src/store/contract/store.ts'

/** @param has asked each time that a stream wants to go on from memory: whether it has to read the log */
export function fromTheLog (store: Store, has: () => boolean): Store {
  return new Proxy(store, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (name !== 'rights') return member.bind(target)
      return async (...args: Parameters<Store['rights']>) => {
        const now = await target.rights(...args)
        // As if retention had passed its place: what a stream then finds out by reading.
        return has() ? { ...now, floor: Infinity } : now
      }
    }
  })
}

export function everyOtherFromTheLog (store: Store): Store {
  let turn = 0
  return fromTheLog(store, () => turn++ % 2 === 1)
}
