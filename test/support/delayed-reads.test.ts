/** What the delayed mode makes of a store, and of whom it does not see. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { delayReads } from './delayed-reads.ts'
import { startForeignTraffic } from './foreign-traffic.ts'

/** A store of one number, to which anything may be added later. */
class Counter {
  #value = 0
  append (): Promise<void> {
    this.#value++
    return Promise.resolve()
  }

  onCommitted (): number { return this.#value }
  read (): Promise<number> { return Promise.resolve(this.#value) }
  readTomorrow (): Promise<number> { return Promise.reject(new Error(`${this.#value}`)) }
}

describe('delayed reads', () => {
  it('answer with what was there when they were read, though more is by now', async () => {
    const store = delayReads(new Counter(), { seed: 1, leastMs: 20, mostMs: 20, before: 0 })
    const read = store.read()
    await store.append()
    expect(store.onCommitted()).toBe(1)
    expect(await read).toBe(0)
  })

  it('are read late, where the time passes before', async () => {
    const store = delayReads(new Counter(), { seed: 1, leastMs: 20, mostMs: 20, before: 1 })
    const read = store.read()
    await store.append()
    expect(await read).toBe(1)
  })

  it('refuse late too', async () => {
    const store = delayReads(new Counter(), { seed: 1, leastMs: 20, mostMs: 20, before: 0 })
    let refused = false
    const read = store.readTomorrow().catch(() => { refused = true })
    await sleep(5)
    expect(refused).toBe(false)
    await read
    expect(refused).toBe(true)
  })

  it('arrive in the same order for the same seed, and not in that in which they were asked for', async () => {
    const orderOf = async (seed: number): Promise<number[]> => {
      const store = delayReads(new Counter(), { seed, mostMs: 200 })
      const order: number[] = []
      await Promise.all(Array.from({ length: 5 }, (_, index) => store.read().then(() => order.push(index))))
      return order
    }
    const [one, again] = await Promise.all([orderOf(7), orderOf(7)])
    expect(one).toEqual(again)
    expect(one).not.toEqual([0, 1, 2, 3, 4])
  })
})

describe('foreign traffic', () => {
  it('is of thousands a second, ends when it is told to, and says what went wrong', async () => {
    let [appended, refusing] = [0, false]
    const append = () => {
      appended++
      return refusing ? Promise.reject(new Error('full')) : Promise.resolve({})
    }
    const traffic = await startForeignTraffic({ append: append as never })
    await sleep(200)
    expect(traffic.sent).toBeGreaterThan(200)
    refusing = true
    await sleep(20)
    await expect(traffic.stop()).rejects.toThrow('full')
    const after = appended
    await sleep(20)
    expect(appended).toBe(after)
  })
})
