/**
 * A store whose reads take time, as those of a database across a network do: what they answer is of a moment
 * that has passed when it arrives. What holds with prompt reads only by luck does not hold with these.
 */
import { setTimeout as sleep } from 'node:timers/promises'

/** Methods that do not read: writing, being told, and what ends it. Everything else does. */
const undelayed: ReadonlySet<string | symbol> = new Set(['append', 'onCommitted', 'onFailure', 'settle', 'close'])

export interface Delays {
  /** The same delays in the same order for the same one. */
  seed: number
  /** How long a read takes besides its own time, in milliseconds. Default: 0 to 50. */
  leastMs?: number
  mostMs?: number
  /** The share of that, 0 to 1, which passes before the read itself; the rest does before its answer, or refusal, arrives. Default: at random. */
  before?: number
}

/** The same store with reads that take time. */
export function delayReads<S extends object> (store: S, { seed, leastMs = 0, mostMs = 50, before }: Delays): S {
  const random = randomsOf(seed)
  return new Proxy(store, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name, target)
      if (typeof member !== 'function') return member
      if (undelayed.has(name)) return member.bind(target)
      return async (...args: unknown[]) => {
        const [delay, share] = [leastMs + random() * (mostMs - leastMs), before ?? random()]
        if (share > 0) await sleep(delay * share)
        try {
          return await member.apply(target, args)
        } finally {
          await sleep(delay * (1 - share))
        }
      }
    }
  })
}

/** Numbers from 0 to 1, without 1 (mulberry32). */
export function randomsOf (seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6D2B79F5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61)
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}
