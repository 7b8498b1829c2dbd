/** As sigkill.test.ts, at length: the moments of the kills differ from run to run. */
import { describe, it } from 'vitest'
import { survivesKills } from './kills.ts'

const runs = Array.from({ length: 20 }, (_, index) => index + 1)

describe('brings every EventSource each acknowledged message once, in order, when the service is killed five times', () => {
  it.concurrent.each(runs)('run %i', async run => {
    await survivesKills({ messages: 1_000, kills: 5, seed: run })
  })
})
