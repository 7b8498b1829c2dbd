/** Runs of three nodes on servers of their own, in a short form and a long one. */
import { expect } from 'vitest'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { keepsItsPromises, type Disturbance, type Plan, type Result } from './campaign.ts'
import { Cluster } from './cluster.ts'
import { failovers, Pair } from './pair.ts'

/** Repeats the schedule of faults of a run that failed. */
export const seed = Number(process.env.SEED ?? 1)

export type RunPlan = Omit<Plan, 'seed'>

/** On one PostgreSQL, each with a way of its own to it. */
export async function onOnePostgres (plan: RunPlan, disturbances: (postgres: PostgresServer) => Disturbance[] = () => []): Promise<Result> {
  const postgres = await startPostgres()
  try {
    const cluster = await Cluster.start({ postgres })
    try {
      return await keepsItsPromises(cluster, { ...plan, seed }, disturbances(postgres))
    } finally {
      await cluster.stop()
    }
  } finally {
    await postgres.stop()
  }
}

export interface Failovers {
  times: number
  /** Before and after each, in milliseconds. */
  loadMs: number
}

/** On a primary and a standby. Where that one is not synchronous, something acknowledged is lost, and told of by gaps. */
export async function throughFailovers (synchronous: boolean, plan: RunPlan, { times, loadMs }: Failovers): Promise<Result> {
  const pair = await Pair.start({ synchronous })
  try {
    const cluster = await Cluster.start({ databaseUrl: pair.url })
    try {
      const result = await keepsItsPromises(cluster, { ...plan, seed, lossy: !synchronous }, [failovers(pair, times, loadMs)])
      if (!synchronous) {
        expect(result.lost, 'what was acknowledged and is lost').toBeGreaterThan(0)
        expect(result.gaps, 'gaps told').toBeGreaterThan(0)
      }
      return result
    } finally {
      await cluster.stop()
    }
  } finally {
    await pair.stop()
  }
}
