/** A store whose pages of a replay arrive once something else has happened: what they say of rights is past by then. */
import type { Store } from '../../src/store/contract/store.ts'

/** @param meanwhile runs after each page, or what a reader may have, was read, and before that arrives */
export const overtaken = (store: Store, meanwhile: () => Promise<unknown> | undefined): Store => new Proxy(store, {
  get (target, name) {
    const member: unknown = Reflect.get(target, name, target)
    if (typeof member !== 'function') return member
    if (name !== 'read' && name !== 'rights') return member.bind(target)
    return async (...args: unknown[]) => {
      const page: unknown = await member.apply(target, args)
      await meanwhile()
      return page
    }
  }
})
