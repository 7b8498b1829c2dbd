/** Many programs, several at a time in one service: each lane is a run of fast-check with a seed of its own. */
import fc from 'fast-check'
import { afterAll, beforeAll, it } from 'vitest'
import { keptConnections } from '../relay/world.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { everyOtherFromTheLog } from '../support/from-the-log.ts'
import { programs } from './programs.ts'
import { runProgram, type Stage } from './run.ts'
import { Cursors } from './tail.ts'

/** Programs that run at a time: enough that one computes while others wait for the disk. */
const LANES = 8

/** Registers a service, started before the first test of a file. Returns what is there then. */
export function useModelStage (): () => Stage {
  let on: TestApp
  let cursors: Cursors
  const agent = keptConnections(4 * LANES)
  beforeAll(async () => {
    on = await startApp({ wrapStore: everyOtherFromTheLog })
    cursors = new Cursors(on.store)
  })
  afterAll(async () => {
    cursors.stop()
    await agent.close()
    await on.stop()
  })
  return () => ({ on, agent, cursors })
}

/** Registers the test. `limitMs`: what takes longer has failed. */
export function modelSuite (many: number, limitMs: number): void {
  programSuite('answers, lists, every stream and every replay are as the model says, whatever happens', programs, runProgram, many, limitMs)
}

/** Registers a test of so many programs. One that failed is shrunk thoroughly. */
export function programSuite<Line> (title: string, programs: fc.Arbitrary<Line[]>, runProgram: (stage: Stage, program: Line[], thorough: boolean) => Promise<void>, many: number, limitMs: number): void {
  const stage = useModelStage()
  it(`${title} (${many} programs)`, async () => {
    /** The first lane in which something failed: it goes on alone, to shrink its program. */
    let failing: number | undefined
    const run = async (lane: number, program: Line[]): Promise<void> => {
      fc.pre(failing === undefined || failing === lane)
      try {
        await runProgram(stage(), program, failing !== undefined)
      } catch (err) {
        failing ??= lane
        throw err
      }
    }
    const outcomes = await Promise.allSettled(Array.from({ length: LANES }, (_, lane) =>
      fc.assert(fc.asyncProperty(programs, program => run(lane, program)), {
        numRuns: Math.ceil(many / LANES), interruptAfterTimeLimit: limitMs, markInterruptAsFailure: true
      })))
    const failed = outcomes[failing ?? 0]!
    if (failed.status === 'rejected') throw failed.reason
  }, limitMs + 10_000)
}
