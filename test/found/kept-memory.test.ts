/** What is kept in memory of rows and of tokens is bounded in what it takes, not in number alone. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createStandings } from '../../src/auth/standing.ts'
import { parseLists } from '../../src/rules/access-entries.ts'
import { KeptRows } from '../../src/store/sqlite/kept.ts'

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const MiB = 1024 * 1024
const used = () => { gc(); return process.memoryUsage().heapUsed }

it('channels with as many entries in their lists as a user may give them at creation: the writer keeps no more than 64 MiB of them', () => {
  const kept = new KeptRows()
  const before = used()
  for (let key = 1; key <= 32_768; key++) {
    const channelId = `room-${key}`
    // As load.ts makes it of a row: parsed JSON.
    const acls = JSON.parse(JSON.stringify(parseLists({ plusAppliedAcls: Array.from({ length: 64 }, (_, n) => `read_from_channel:user(user-${n})`) }, { kind: 'channel', channelId } as never)))
    kept.keep('channel', String(key), { channelKey: key, channelId, ruleset: 'io.mitter.ruleset.chats.GroupChat', acls } as never)
  }
  const took = used() - before
  expect(took).toBeLessThan(64 * MiB)
})

it('tokens at the end of long lines: a few hundred bytes each', async () => {
  let n = 0
  const id = () => `${String(n++).padStart(8, '0')}-0000-4000-8000-000000000000`
  const store = {
    onlyWriter: true,
    onCommitted: () => () => {},
    userExists: async () => true,
    getToken: async (tokenId: string) => ({ userId: 'amy', live: true, lineage: [tokenId, ...Array.from({ length: 63 }, id)].map(text => Buffer.from(text).toString()) })
  }
  const standing = createStandings(store as never).now
  const before = used()
  for (let one = 0; one < 32_768; one++) await standing.getToken(`token-${one}`)
  const took = used() - before
  expect(took).toBeLessThan(32_768 * 1024)
})
