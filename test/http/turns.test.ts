/** Answers with content share the loop with everybody else. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Turns } from '../../src/http/turns.ts'

/** Blocks the loop, as a page does. */
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

describe('answers that are asked for at once', () => {
  it('have a turn only for a while, and go on in later ones, in their order', async () => {
    const turns = new Turns()
    const done: number[] = []
    const passed = await turnsDuring(() => Promise.all(Array.from({ length: 40 }, async (_, number) => {
      await turns.next('amy')
      block(5)
      done.push(number)
    })))
    expect(done).toEqual(Array.from({ length: 40 }, (_, number) => number))
    expect(passed).toBeGreaterThanOrEqual(20) // of 200 ms, of which one has 3, and what it has begun
  })

  it('count with what becomes of them', async () => {
    const turns = new Turns()
    const passed = await turnsDuring(() => Promise.all(Array.from({ length: 10 }, async () => {
      await turns.next('amy')
      await Promise.resolve()
      block(20)
    })))
    expect(passed).toBeGreaterThanOrEqual(8)
  })

  it('are all in the same turn where they are short', async () => {
    const turns = new Turns()
    const passed = await turnsDuring(() => Promise.all(Array.from({ length: 100 }, () => turns.next('amy'))))
    expect(passed).toBeLessThanOrEqual(2)
  })

  it('do not go before those that wait, though they come in a later turn', async () => {
    const turns = new Turns()
    const done: string[] = []
    const read = async (name: string) => {
      await turns.next('amy')
      block(6)
      done.push(name)
    }
    const first = Array.from({ length: 6 }, (_, number) => read(`first ${number}`))
    await nextTurn()
    await Promise.all([...first, read('later')])
    expect(done.at(-1)).toBe('later')
  })

  it('let whoever asks for little in between those of one who asks for much', async () => {
    const turns = new Turns()
    const done: string[] = []
    const read = async (caller: string) => {
      await turns.next(caller)
      block(6)
      done.push(caller)
    }
    const ofAmy = Array.from({ length: 20 }, () => read('amy'))
    await nextTurn()
    await Promise.all([...ofAmy, read('bob'), read('carl'), read('bob')])
    expect(done.indexOf('bob')).toBeLessThan(6)
    expect(done.indexOf('carl')).toBeLessThan(6)
    expect(done.lastIndexOf('bob')).toBeLessThan(10)
  })
})
