/** Three nodes on one PostgreSQL, at work and disturbed. `SEED` has a run again. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { keepsItsPromises, type Disturbance, type Plan, type Result } from './campaign.ts'
import { Cluster } from './cluster.ts'
import { killsOfNodes, troublesOf, type Hardness } from './disturbances.ts'

export const seed = Number(process.env.SEED ?? 1)

export interface Sizes {
  messages: number
  /** While they are disturbed: of each publisher one in so many milliseconds, about. */
  paceMs: number
  kills: number
  hardness: Hardness
  /** Of one test, in milliseconds. */
  limitMs: number
  /** They are disturbed, too: that takes a minute. */
  disturbed: boolean
}

export function campaignSuite ({ messages, paceMs, kills, hardness, limitMs, disturbed }: Sizes): void {
  let postgres: PostgresServer
  beforeAll(async () => { postgres = await startPostgres() })
  afterAll(() => postgres.stop())

  async function onThreeNodes (plan: Omit<Plan, 'seed'>, disturbances: Disturbance[] = []): Promise<Result> {
    const cluster = await Cluster.start({ postgres })
    try {
      const result = await keepsItsPromises(cluster, { seed, ...plan }, disturbances)
      const { sends, streams } = result.history
      console.log(`seed ${seed}: ${sends.length} sends in ${Math.round(result.tookMs)} ms, ${JSON.stringify(result.counts)}, ${streams.flatMap(({ connections }) => connections).length} connections of ${streams.length} streams`)
      return result
    } finally {
      await cluster.stop()
    }
  }

  describe(`three nodes (${messages} messages, seed ${seed})`, { timeout: limitMs }, () => {
    it('tell every stream each message of its channels once, in one order', async () => {
      const { counts } = await onThreeNodes({ messages })
      expect(counts.lost).toBe(0)
    })

    it('do so while readers go from one to another, and people come, are muted, and leave', async () => {
      await onThreeNodes({ messages, walkers: 4, staysMs: 1_000, paceMs })
    })

    it.runIf(disturbed)('do so while one after the other is killed', async () => {
      const { counts } = await onThreeNodes({ messages, paceMs, walkers: 2 }, [killsOfNodes(kills)])
      expect(counts.lost).toBeGreaterThan(0)
    })

    it.runIf(disturbed)('do so whatever happens to PostgreSQL, and to their ways to it', async () => {
      const { counts } = await onThreeNodes({ messages, paceMs, walkers: 2, staysMs: 3_000 }, [troublesOf(postgres, hardness)])
      expect(counts.unavailable).toBeGreaterThan(0)
    })

    it.runIf(disturbed)('do so while they are killed, whatever happens to PostgreSQL and to their ways to it', async () => {
      const { counts } = await onThreeNodes({ messages, paceMs, walkers: 2, staysMs: 3_000 }, [killsOfNodes(kills), troublesOf(postgres, hardness)])
      expect(counts.lost).toBeGreaterThan(0)
      expect(counts.unavailable).toBeGreaterThan(0)
    })
  })
}
