/**
 * A store that tells of commits as it would one node of several: mostly its own entries, but also that others have
 * written, late, twice, or not at all until the next time. Whoever follows the log must read what it missed.
 */
import { randomsOf } from './delayed-reads.ts'
import type { Store } from '../../src/store/contract/store.ts'

/** What is lost is told of after so long at most, in milliseconds, as by a node that looks now and then. */
const POLL_MS = 100

export function loseHints (store: Store, { seed }: { seed: number }): Store {
  const random = randomsOf(seed)
  return new Proxy(store, {
    get (target, name) {
      if (name !== 'onCommitted') {
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? member.bind(target) : member
      }
      return (listener: Parameters<Store['onCommitted']>[0]) => {
        const timers = new Set<NodeJS.Timeout>()
        const later = (ms: number) => {
          const timer = setTimeout(() => {
            timers.delete(timer)
            listener([])
          }, ms)
          timers.add(timer)
        }
        const end = target.onCommitted(entries => {
          const chance = random()
          if (chance < 0.7) listener(entries)
          if (chance < 0.1) listener(entries) // twice
          else if (chance >= 0.7 && chance < 0.85) listener([])
          else if (chance >= 0.85) later(random() * POLL_MS)
        })
        return () => {
          timers.forEach(clearTimeout)
          end()
        }
      }
    }
  })
}
