/** As nodes.test.ts, at length. */
import { expect, it } from 'vitest'
import { onOnePostgres } from './runs.ts'

it('each stream has every message of its channels once, in the same order on all nodes', async () => {
  const { acknowledged } = await onOnePostgres({ messages: 10_000, publishers: 12, channels: 20, walkers: 4, staysMs: 10_000 })
  expect(acknowledged).toBeGreaterThanOrEqual(10_000)
})
