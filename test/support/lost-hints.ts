/**
 * A store that tells of commits as it would one node of several: mostly its own entries, but also that others have
 * written, late, twice, or not at all. Whoever follows the log must read what it missed.
 */
import { randomsOf } from './delayed-reads.ts'
import type { Store } from '../../src/store/contract/store.ts'

/** What comes late comes after so long at most, in milliseconds. */
const LATE_MS = 100

export function loseHints (store: Store, { seed }: { seed: number }): Store {
  const random = randomsOf(seed)
  return new Proxy(store, {
    get (target, name) {
      if (name === 'onlyWriter') return false
      if (name !== 'onCommitted') {
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? member.bind(target) : member
      }
      return (listener: Parameters<Store['onCommitted']>[0]) => {
        const timers = new Set<NodeJS.Timeout>()
        const later = (ms: number, upTo: number) => {
          const timer = setTimeout(() => {
            timers.delete(timer)
            listener([], upTo)
          }, ms)
          timers.add(timer)
        }
        const end = target.onCommitted(entries => {
          const chance = random()
          if (chance < 0.65) listener(entries)
          if (chance < 0.1) listener(entries) // twice
          else if (chance >= 0.65 && chance < 0.8) listener([])
          else if (chance >= 0.8 && chance < 0.95) later(random() * LATE_MS, entries.at(-1)?.position ?? Infinity)
        })
        return () => {
          timers.forEach(clearTimeout)
          end()
        }
      }
    }
  })
}
