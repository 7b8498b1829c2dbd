/** The primary is lost under load, its standby promoted, and a new standby made, again and again. */
import { expect, it } from 'vitest'
import { throughFailovers } from './runs.ts'

const load = { messages: 3_000, publishers: 12, channels: 20, paceMs: 20, staysMs: 5_000 }

it('nothing acknowledged is lost where the standby is synchronous, and clients go on', async () => {
  const { gaps } = await throughFailovers(true, { ...load, walkers: 4 }, { times: 10, loadMs: 2_000 })
  expect(gaps).toBe(0)
})

it('gaps are told, and nothing wrong, where it is not', async () => {
  await throughFailovers(false, load, { times: 10, loadMs: 2_000 })
})
