/** An answer of 200 outlives the process that gave it, and a reader that was cut off gets all that it missed. */
import { it } from 'vitest'
import { survivesKills } from './kills.ts'

it('brings every EventSource each acknowledged message once, in order, when the service is killed twice', async () => {
  await survivesKills({ messages: 300, kills: 2, seed: 1 })
}, 90_000)
