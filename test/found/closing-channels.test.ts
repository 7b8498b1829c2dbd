/** While deleted channels are taken out of their members' lists, a list costs what its reader has, and no more. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { dueChores } from '../../src/store/core/chores.ts'
import { runRead, type Queries } from '../../src/store/core/read/queries.ts'
import { listChannelsOf } from '../../src/store/core/read/channels.ts'
import { openWriter } from '../../src/store/sqlite/database.ts'
import { sqliteQueries } from '../../src/store/sqlite/read.ts'

/** Deleted channels that wait, and a user who was in all of them; two others have one channel each. */
const DELETED = 10_000
const OF_MANY = 1
const OF_ONE = 2
const GROUP_CHAT = 'io.mitter.ruleset.chats.GroupChat'
const DIRECT = 'io.mitter.ruleset.chats.DirectMessage'

const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-closing-'))
let db: DatabaseSync
let queries: Queries
beforeAll(() => {
  db = openWriter(dataDir)
  queries = sqliteQueries(db)
  const user = db.prepare('insert into users (user_key, user_id, profile, created_at, updated_at) values (?, ?, \'{}\', 1, 1)')
  const channel = db.prepare(`insert into channels (channel_key, channel_id, ruleset, group_type, system_channel, created_at, updated_at,
    created_position, deleted_position, closing) values (?, ?, ?, 'private', 0, 1, 1, 1, ?, ?)`)
  const member = db.prepare(`insert into participations (channel_key, user_key, participation_id, status, held, admin, joined_at, since_position,
    created_at, updated_at) values (?, ?, 'p', 'active', 'none', 0, 1, 1, 1, 1)`)
  const count = db.prepare('insert into memberships (user_key, ruleset, count) values (?, ?, ?)')
  db.exec('begin')
  user.run(OF_MANY, 'of-many')
  user.run(OF_ONE, 'of-one')
  for (let key = 1; key <= DELETED; key++) {
    channel.run(key, `channel-${key}`, key % 4 === 0 ? DIRECT : GROUP_CHAT, 2, 1)
    member.run(key, OF_MANY)
  }
  channel.run(DELETED + 1, 'channel-that-is', GROUP_CHAT, null, 0)
  member.run(DELETED + 1, OF_MANY)
  member.run(DELETED + 1, OF_ONE)
  count.run(OF_MANY, GROUP_CHAT, DELETED * 3 / 4 + 1)
  count.run(OF_MANY, DIRECT, DELETED / 4)
  count.run(OF_ONE, GROUP_CHAT, 1)
  db.exec('commit')
})
afterAll(() => {
  db.close()
  rmSync(dataDir, { recursive: true })
})

const list = (userId: string, ruleset?: typeof DIRECT) => runRead(
  listChannelsOf(SYSTEM, userId, { limit: 1, offset: 0 }, { includeSystemChannels: false, ...(ruleset === undefined ? {} : { ruleset }) }), queries).value

it('they are neither listed nor counted', () => {
  for (const userId of ['of-many', 'of-one']) {
    expect(list(userId)).toMatchObject({ items: [{ identifier: 'channel-that-is' }], total: 1 })
    expect(list(userId, DIRECT)).toEqual({ items: [], total: 0 })
  }
})

it('a user who was in none of them does not pay for them', () => {
  const leastOf = (userId: string) => Math.min(...Array.from({ length: 20 }, () => {
    const begun = performance.now()
    list(userId)
    return performance.now() - begun
  }))
  expect(leastOf('of-one')).toBeLessThan(leastOf('of-many') / 5)
})

it('small ones are closed many at a time', () => {
  const due = runRead(dueChores(1, 1), queries)
  expect(due.length).toBeGreaterThan(10)
  expect(due.every(({ type }) => type === 'close-members')).toBe(true)
})
