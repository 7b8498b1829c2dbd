/** Three nodes on a primary that is killed under load, again and again, and on whoever takes over. */
import { describe, expect, it } from 'vitest'
import { keepsItsPromises, type Result } from './campaign.ts'
import { seed } from './campaign-suite.ts'
import { Cluster } from './cluster.ts'
import { Pair } from './pair.ts'

export interface Sizes {
  failovers: number
  messages: number
  limitMs: number
}

export function failoverSuite ({ failovers, messages, limitMs }: Sizes): void {
  async function onPair (synchronous: boolean): Promise<Result> {
    const pair = await Pair.start({ synchronous })
    try {
      const cluster = await Cluster.start({ databaseUrl: await pair.createDatabase() })
      try {
        return await keepsItsPromises(cluster, { seed, messages, paceMs: 10, walkers: synchronous ? 2 : 0, lossy: !synchronous }, [pair.failovers(failovers, 1_000)])
      } finally {
        await cluster.stop()
      }
    } finally {
      await pair.stop()
    }
  }

  describe(`a primary is killed ${failovers} times (seed ${seed})`, { timeout: limitMs }, () => {
    it('nothing acknowledged is lost where the standby is synchronous', async () => {
      const { counts } = await onPair(true)
      expect(counts.unavailable).toBeGreaterThan(0)
    })

    it('where it is not, gaps tell of what is lost, and nothing wrong is told', async () => {
      const { history } = await onPair(false)
      const gaps = history.streams.flatMap(({ connections }) => connections.flatMap(({ told }) => told.filter(({ event }) => event === 'gap')))
      expect(gaps.length).toBeGreaterThan(0)
    })
  })
}
