import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { parallelAccepts, parallelCreates, parallelJoins, sendsRacingMute } from './concurrency.ts'
import { keptConnections, World } from './world.ts'

/** Registers the tests, each of them so many times over. */
export function concurrencySuite (repetitions: number): void {
  let on: TestApp
  const agent = keptConnections(24)
  beforeAll(async () => { on = await startApp() })
  afterAll(async () => { await agent.close(); await on.stop() })

  async function repeated<T> (once: (world: World, repetition: number) => Promise<T>): Promise<T[]> {
    const results: T[] = []
    for (let repetition = 0; repetition < repetitions; repetition++) results.push(await once(new World(on, agent), repetition))
    return results
  }

  describe(`when many act at once (${repetitions} times)`, { timeout: 5_000 + 6_000 * repetitions }, () => {
    it('of 50 parallel joins 50 are members', () => repeated(parallelJoins))
    it('of 2 parallel creates one wins', () => repeated(parallelCreates))
    it('of 20 parallel accepts of one member one wins', () => repeated(parallelAccepts))
    it('each of 200 sends beside a mute is on every stream that is entitled, or refused and on none', async () => {
      const races = await repeated((world, repetition) => sendsRacingMute(world, 1 + (repetition * 37) % 150))
      // Races in which both happened are those that say something.
      expect(races.filter(({ relayed, refused }) => relayed > 0 && refused > 0).length).toBeGreaterThan(0)
    })
  })
}
