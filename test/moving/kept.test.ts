/** What a store was, and what it promised, before and after it was moved. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { databaseFile } from '../../src/store/sqlite/database.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { fixtures } from '../store/fixtures/fixture.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { promptClock } from '../support/stores.ts'
import { keptSuite } from './kept-suite.ts'
import { inDatabase, makePlace, moveTo } from './moving.ts'

keptSuite(fixtures.at(-1)!)

describe('work that was left over', () => {
  it('is done where the store is now', async () => {
    const place = await makePlace()
    const store = await openSqliteStore({ dataDir: place.dataDir, clock: promptClock })
    await store.append(createUser('amy'))
    await store.append(createChannel('amy', 'room'))
    await Promise.all(Array.from({ length: 1_000 }, (_, nth) => store.append(send('amy', 'room', `text ${nth}`))))
    await store.append({ type: 'delete-channel', actor: '.system', channelId: 'room' })
    await store.close()
    const db = new DatabaseSync(databaseFile(place.dataDir), { readOnly: true })
    const left = Number(db.prepare('select count(*) as rows from entries where kind = \'message\' and body is not null').get()!.rows)
    db.close()
    expect(left).toBeGreaterThan(0)

    await moveTo(place.url, place.dataDir)
    const moved = await openPostgresStore({ url: place.url, allowUnsafe: true, clock: promptClock })
    await moved.settle()
    expect(await inDatabase(place.url, 'select position from entries where kind = \'message\' and body is not null')).toEqual([])
    expect(await inDatabase(place.url, 'select erasing, closing from channels')).toEqual([{ erasing: 0, closing: 0 }])
    await moved.close()
    place.remove()
  })
})
