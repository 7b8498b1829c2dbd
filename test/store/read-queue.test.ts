/** Reads that block share the loop with everybody else. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { ReadQueue } from '../../src/store/sqlite/read-queue.ts'

/** Blocks the loop, as a read does. */
function block (ms: number): void {
  const begun = performance.now()
  while (performance.now() - begun < ms);
}

/** Turns of the loop that pass while something goes on. */
async function turnsDuring (what: () => Promise<unknown>): Promise<number> {
  let turns = 0
  const count = () => {
    turns++
    counting = setImmediate(count)
  }
  let counting = setImmediate(count)
  await what()
  clearImmediate(counting)
  return turns
}

describe('reads that are asked for at once', () => {
  it('have a turn only for a while, and go on in later ones, in their order', async () => {
    const reads = new ReadQueue()
    const done: number[] = []
    const passed = await turnsDuring(() => Promise.all(Array.from({ length: 40 }, async (_, number) => {
      await reads.run(() => block(5))
      done.push(number)
    })))
    expect(done).toEqual(Array.from({ length: 40 }, (_, number) => number))
    expect(passed).toBeGreaterThanOrEqual(10) // of 200 ms, of which one has 10, and what it has begun
  })

  it('count with what becomes of them', async () => {
    const reads = new ReadQueue()
    const passed = await turnsDuring(() => Promise.all(Array.from({ length: 10 }, async () => {
      await reads.run(() => {})
      await Promise.resolve()
      block(20)
    })))
    expect(passed).toBeGreaterThanOrEqual(8)
  })

  it('are all in the same turn where they are short', async () => {
    const reads = new ReadQueue()
    const passed = await turnsDuring(() => Promise.all(Array.from({ length: 100 }, () => reads.run(() => {}))))
    expect(passed).toBeLessThanOrEqual(2)
  })

  it('fail alone', async () => {
    const reads = new ReadQueue()
    const failing = reads.run(() => { throw new Error('this one') })
    await expect(Promise.all([reads.run(() => 1), reads.run(() => 2)])).resolves.toEqual([1, 2])
    await expect(failing).rejects.toThrow('this one')
  })

  it('do not go before those that wait, though they come in a later turn', async () => {
    const reads = new ReadQueue()
    const done: string[] = []
    const read = async (name: string) => {
      await reads.run(() => block(6))
      done.push(name)
    }
    const first = Array.from({ length: 6 }, (_, number) => read(`first ${number}`))
    await nextTurn()
    await Promise.all([...first, read('later')])
    expect(done.at(-1)).toBe('later')
  })
})
