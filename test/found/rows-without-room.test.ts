/** A page that has no room left for bytes says that there is more, and has a row of it: as on the embedded store. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { ask } from '../../src/store/core/read/queries.ts'
import { readOn } from '../../src/store/postgres/read.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { addressesOf, Session } from '../../src/store/postgres/session.ts'
import { createChannel, createUser } from '../support/commands.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'
import { promptClock } from '../support/stores.ts'

it('timeline events, where another timeline has filled the answer exactly', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-room-'))
  const url = await sharedDatabase(dataDir)
  const store = await openPostgresStore({ url, clock: promptClock, allowUnsafe: true })
  const session = await Session.open(addressesOf(url)[0]!, { name: 'channel-relay tests' })
  try {
    await store.append(createUser('anna'))
    await store.append(createChannel('anna', 'the-channel'))
    for (let nth = 0; nth < 3; nth++) {
      await store.append({ type: 'add-channel-event', actor: 'anna', channelId: 'the-channel', event: { type: 'seen', subject: 'anna', eventTimeMs: nth } })
    }
    const [{ rows, ended }] = await readOn(session, (function * () { return yield * ask(['channelEvents', 1, 0, undefined, { rows: 10, bytes: 0 }]) })())
    expect([rows.length, ended]).toEqual([1, false])
  } finally {
    await session.close()
    await store.close()
    rmSync(dataDir, { recursive: true })
  }
})
