/** Three nodes on one PostgreSQL are one service. The full counts: nodes.long.test.ts. */
import { expect, it } from 'vitest'
import { onOnePostgres } from './runs.ts'

it('each stream has every message of its channels once, in the same order on all nodes', async () => {
  const { acknowledged } = await onOnePostgres({ messages: 600, publishers: 6, channels: 10, walkers: 2, staysMs: 2_000 })
  expect(acknowledged).toBeGreaterThanOrEqual(600)
}, 120_000)
