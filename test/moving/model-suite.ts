/** Random programs of what several people do: half of each before the move, the other half after it, and the model knows of none. */
import fc from 'fast-check'
import type { Agent } from 'undici'
import { expect, it } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { programs } from '../model/programs.ts'
import { beginProgram, goOn, type Stage } from '../model/run.ts'
import { Cursors } from '../model/tail.ts'
import { keptConnections } from '../relay/world.ts'
import { startApp, type TestApp, type TestAppOptions } from '../support/app.ts'
import { promptClock } from '../support/stores.ts'
import { makePlace, moveTo } from './moving.ts'

/** Programs that share a store, and a move. */
const TOGETHER = 4

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

async function stageOf (agent: Agent, options: TestAppOptions): Promise<Stage & { end (): Promise<void> }> {
  const on: TestApp = await startApp(options)
  const cursors = new Cursors(on.store)
  const end = async () => {
    cursors.stop()
    await on.stop()
  }
  return { on, agent, cursors, end }
}

/** Registers the test. `limitMs`: what takes longer has failed. */
export function movedModelSuite (many: number, limitMs: number): void {
  it(`answers, lists, every stream and every replay are as the model says, on both sides of a move (${many} programs, SEED=${seed})`, async () => {
    const sample = fc.sample(programs, { seed, numRuns: many })
    const agent = keptConnections(16)
    for (let from = 0; from < many; from += TOGETHER) {
      const some = sample.slice(from, from + TOGETHER)
      const place = await makePlace()
      const { dataDir } = place
      const before = await stageOf(agent, { dataDir, openStore: async options => await openSqliteStore({ clock: promptClock, ...options }) })
      const played = await Promise.all(some.map(async program => {
        const begun = await beginProgram(before)
        await goOn(before, begun, program.slice(0, program.length / 2))
        return begun
      }))
      await before.end()
      await moveTo(place.url, dataDir)
      const after = await stageOf(agent, { dataDir, openStore: async ({ dataDir: _, ...options }) => await openPostgresStore({ url: place.url, allowUnsafe: true, clock: promptClock, ...options }) })
      await Promise.all(some.map(async (program, nth) => {
        const begun = played[nth]!
        const entries = begun.state.history.length
        begun.tail.follow(after.cursors)
        const there = { ...begun, world: begun.world.elsewhere(after.on) }
        await goOn(after, there, []) // what there was is there
        await goOn(after, there, program.slice(program.length / 2))
        expect(there.state.history.length).toBeGreaterThan(entries)
      }))
      await after.end()
      place.remove()
    }
    await agent.close()
  }, limitMs)
}
