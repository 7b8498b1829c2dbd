/** The campaign with one node, on the embedded store: what several nodes promise together, one promises over its deaths. */
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { keepsItsPromises } from './campaign.ts'
import { Cluster } from './cluster.ts'

const seed = Number(process.env.SEED ?? 1)

it('keeps its promises while it is killed and started again', async () => {
  const cluster = await Cluster.start({ nodes: 1 })
  try {
    const { counts } = await keepsItsPromises(cluster, { seed, messages: 600, channels: 5, paceMs: 30, walkers: 2 }, [async run => {
      for (let kills = 0; kills < 2; kills++) {
        await delay(1_000)
        run.note('kill')
        await cluster.nodes[0]!.kill('SIGKILL')
        await cluster.nodes[0]!.start()
      }
    }])
    expect(counts.lost).toBeGreaterThan(0)
  } finally {
    await cluster.stop()
  }
}, 60_000)
