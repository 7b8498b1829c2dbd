/** The tool, as somebody uses it who moves a store: the rest of it is in tool.long.test.ts. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createChannel, createUser, send } from '../support/commands.ts'
import { runScript } from '../support/process.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { inDatabase, makePlace, migrateTool, type Place } from './moving.ts'

let place: Place
beforeEach(async () => {
  place = await makePlace()
  const store = await openSqliteStore({ dataDir: place.dataDir })
  for (const command of [createUser('amy'), createChannel('amy', 'room'), send('amy', 'room', 'Hello')]) await store.append(command)
  await store.close()
})
afterEach(() => place.remove())

test('moves a store, which then refuses to start and says where it went; another is refused where that is', async () => {
  const migrate = async () => await migrateTool(['--from', place.dataDir, '--to', place.url])
  expect(await migrate()).toMatchObject({ code: 0, stderr: '' })
  expect(await inDatabase(place.url, 'select user_id from users order by user_key')).toEqual([{ user_id: '.system' }, { user_id: 'amy' }])
  const { code, stderr } = await runScript(['src/server.ts'], { DATA_DIR: place.dataDir, PORT: '0', LOG_LEVEL: 'silent' })
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^The store in DATA_DIR \S+ was moved to postgres:\/\/postgres@127\.0\.0\.1:\d+\/\w+ at 20\S+Z and is sealed: set DATABASE_URL to where it is now/)])
  expect(stderr).not.toContain(new URL(place.url).password)
  const other = await makePlace()
  await (await openSqliteStore({ dataDir: other.dataDir })).close()
  const refused = await migrateTool(['--from', other.dataDir, '--to', place.url])
  expect(refused).toMatchObject({ code: 1, stdout: '' })
  expect(await inDatabase(place.url, 'select count(*) as entries from entries')).toEqual([{ entries: '2' }])
  other.remove()
})
