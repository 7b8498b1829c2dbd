/** Background work of several nodes: one of them does it, whoever comes first; the others see that theirs is done. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Upkeep, type Exclusively } from '../../src/store/upkeep.ts'

type Due = Parameters<Upkeep['carryOut']>[0][number]

const chore = (userId: string): Due => ({ type: 'finish-leaving', userId, foundAt: { position: 1, tag: 1 } })

/** What all nodes share: a lock, and what is due. */
class Shared {
  due: Due[] = []
  done: string[] = []
  holder: string | undefined
  refused = 0
  failures: Error[] = []
  /** Resolves when what is found may be carried out. */
  gate: Promise<void> = Promise.resolve()

  node (name: string): Upkeep {
    const exclusively: Exclusively = async work => {
      if (this.holder !== undefined) {
        this.refused++
        return undefined
      }
      this.holder = name
      try {
        return await work()
      } finally {
        this.holder = undefined
      }
    }
    return new Upkeep({
      find: async () => this.due,
      append: async command => {
        await this.gate
        this.due = this.due.filter(one => one !== command)
        this.done.push(`${name}: ${(command as { userId: string }).userId}`)
        return {}
      },
      exclusively,
      onError: err => this.failures.push(err)
    })
  }
}

let shared: Shared
let [one, other]: Upkeep[] = []
beforeEach(() => {
  vi.useFakeTimers()
  shared = new Shared()
  ;[one, other] = [shared.node('one'), shared.node('other')]
})
afterEach(async () => {
  await Promise.all([one!.stop(), other!.stop()])
  vi.useRealTimers()
  expect(shared.failures).toEqual([])
})

describe('one of several nodes', () => {
  it('does what is due, while the others leave it alone', async () => {
    const gate = Promise.withResolvers<void>()
    shared.gate = gate.promise
    shared.due = [chore('a'), chore('b')]
    one!.wake('all')
    other!.wake('all')
    await vi.advanceTimersByTimeAsync(10_000)
    expect(shared.refused).toBe(1)
    gate.resolve()
    await vi.advanceTimersByTimeAsync(0)
    expect(shared.done).toEqual(['one: a', 'one: b'])
  })

  it('tries again until what its commands have left over is seen to', async () => {
    shared.holder = 'one that has gone'
    shared.due = [chore('a')]
    other!.wake()
    await vi.advanceTimersByTimeAsync(6_000)
    expect(shared.refused).toBeGreaterThanOrEqual(4)
    expect(shared.refused).toBeLessThanOrEqual(13)
    shared.holder = undefined
    await vi.advanceTimersByTimeAsync(1_500)
    expect(shared.done).toEqual(['other: a'])
    const { refused } = shared
    await vi.advanceTimersByTimeAsync(10_000)
    expect(shared.refused).toBe(refused)
  })

  it('looks by itself for what time has made, once the one that did has gone', async () => {
    shared.holder = 'one that has gone'
    shared.due = [chore('a')]
    await vi.advanceTimersByTimeAsync(31_000)
    shared.holder = undefined
    await vi.advanceTimersByTimeAsync(30_000)
    expect(shared.done).toHaveLength(1)
  })

  it('settles once the other is through', async () => {
    shared.holder = 'other'
    shared.due = [chore('a')]
    let settled = false
    const settling = one!.settle().then(() => { settled = true })
    await vi.advanceTimersByTimeAsync(3_000)
    expect(settled).toBe(false)
    shared.holder = undefined
    await vi.advanceTimersByTimeAsync(1_500)
    await settling
    expect(shared.done).toEqual(['one: a'])
  })

  it('stops, though another is at it', async () => {
    shared.holder = 'other'
    one!.wake()
    const settling = one!.settle()
    await vi.advanceTimersByTimeAsync(100)
    await one!.stop()
    await settling
    const { refused } = shared
    await vi.advanceTimersByTimeAsync(10_000)
    expect(shared.refused).toBe(refused)
  })
})
