/** What the writer keeps of rows is what is there, whatever was committed, refused or rolled back. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import { expect, it } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import { Batch } from '../../src/store/core/batch.ts'
import { dueChores, leave as leaving, leftOver, type Chore } from '../../src/store/core/chores.ts'
import { runRead } from '../../src/store/core/read/queries.ts'
import { openReader, openWriter } from '../../src/store/sqlite/database.ts'
import { Loader } from '../../src/store/sqlite/load.ts'
import { sqliteQueries } from '../../src/store/sqlite/read.ts'
import { BatchWriter } from '../../src/store/sqlite/write.ts'
import { parseLists } from '../../src/rules/access-entries.ts'
import { createChannel, createUser, join, leave, send } from '../support/commands.ts'

function random (seed: number) {
  let state = seed
  return (n: number) => {
    state = (state * 1103515245 + 12345) % 2147483648
    return Math.floor(state / 2147483648 * n)
  }
}
const users = ['amy', 'bob', 'cat', 'dan', 'eve', 'fay']
const rooms = ['room-one1', 'room-two2', 'room-three']

it.each(Array.from({ length: Number(process.env.SEEDS ?? 6) }, (_, index) => index + Number(process.env.SEED ?? 1)))('seed %i', seed => {
  const dataDir = mkdtempSync(pathOf(tmpdir(), 'kept-'))
  const db = openWriter(dataDir)
  const loader = new Loader(db)
  const writer = new BatchWriter(db, loader)
  const reader = openReader(dataDir)
  const queries = sqliteQueries(reader)
  const r = random(seed * 104729)
  const pick = <T>(of: readonly T[]): T => of[r(of.length)]!
  let now = 1_700_000_000_000
  const done: Record<string, number> = {}
  const ids: Record<string, Set<string>> = { token: new Set(), message: new Set() }
  const messages: Array<{ id: string, room: string }> = []
  const commit = (commands: Array<Command | Chore>, fail: boolean) => {
    db.exec('begin immediate')
    try {
      loader.begin()
      const before = loader.log()
      const batch = new Batch(loader, before, now)
      const results = commands.map(command => batch.execute(command))
      const changes = batch.changes()
      writer.write(changes, before, batch.log)
      if (fail) throw new Error('as if the disk were full')
      db.exec('commit')
      loader.committed(changes, batch.log)
      results.forEach((result, index) => { if (!('refusal' in result)) done[commands[index]!.type] = (done[commands[index]!.type] ?? 0) + 1 })
    } catch (err) {
      db.exec('rollback')
      if (!fail) throw err
    }
  }
  const compare = () => {
    db.exec('begin immediate')
    loader.begin()
    const fresh = new Loader(db)
    fresh.begin()
    const mine = loader.log()
    const log = fresh.log()
    expect({ ...mine, at: 0 }).toEqual({ ...log, at: 0 })
    const keys: Array<[any, string]> = [
      ...[...users, SYSTEM].map(user => ['user', user] as [any, string]), ...rooms.map(room => ['living', room] as [any, string]),
      ...[...ids.token!].map(id => ['token', id] as [any, string]), ['application', 'application'], ['application', '']
    ]
    for (let channel = 1; channel <= log.lastChannelKey; channel++) {
      keys.push(['channel', String(channel)])
      for (let user = 1; user <= log.lastUserKey; user++) keys.push(['member', `${channel} ${user}`])
    }
    for (const [table, key] of keys) {
      expect(loader.get(table, key), `${table} ${key}`).toEqual(fresh.get(table, key))
    }
    loader.committed({ rows: {}, forgottenMembers: [], forgottenChannels: [], entries: [] } as never, mine)
    db.exec('commit')
  }
  const applied = (room: string) => ({ plusAppliedAcls: r(2) === 0 ? [] : [`read_from_channel:user(${pick(users)})`], minusAppliedAcls: r(2) === 0 ? [] : [`read_from_channel:user(${pick(users)})`] })
  const lists = (room: string) => parseLists({ plusAppliedAcls: r(2) === 0 ? [] : [`read_from_channel:user(${pick(users)})`], minusAppliedAcls: r(2) === 0 ? [] : [`read_from_channel:user(${pick(users)})`] }, { kind: 'channel', channelId: room } as never)
  const one = (): Command => {
    const [room, user, other] = [pick(rooms), pick(users), pick(users)]
    const by = pick([user, SYSTEM])
    switch (r(18)) {
      case 0: return createUser(user)
      case 1: case 2: return createChannel(by, room, { groupType: pick(['public', 'private', 'strict_private']), ...(r(3) === 0 ? { acls: lists(room) } as never : {}) })
      case 3: case 4: case 5: return join(user, room)
      case 6: return leave(user, room)
      case 7: return { type: 'change-participant', actor: SYSTEM, channelId: room, userId: user, newStatus: pick(['Active', 'ReadOnly', 'Disabled']) }
      case 8: return { type: 'moderate-participant', operation: pick(['accept', 'reject', 'mute', 'unmute']), actor: by, channelId: room, userId: other }
      case 9: case 10: case 11: {
        const command = send(by, room, 'text')
        messages.push({ id: command.messageId, room })
        return { ...command, ...(r(3) === 0 ? { idempotency: { key: `key-${r(5)}-aaaa`, fingerprint: 'f' } } : {}), ...(r(3) === 0 ? { nonce: `n${r(9)}` } : {}) }
      }
      case 12: { const { id, room } = pick(messages) ?? { id: 'none-none', room: 'room-one1' }; return { type: 'delete-messages', actor: SYSTEM, channelId: room, messageIds: [id] } }
      case 13: return r(3) === 0 ? { type: 'delete-channel', actor: SYSTEM, channelId: room } : { type: 'truncate-channel', actor: SYSTEM, channelId: room }
      case 14: { const tokenId = `token-${ids.token!.size}`; ids.token!.add(tokenId); return { type: 'issue-token', actor: SYSTEM, userId: user, tokenId, expiresAt: now + r(100_000) } }
      case 15: return { type: 'revoke-tokens', actor: SYSTEM, userId: user, tokenIds: [pick([...ids.token!]) ?? 'none'] }
      case 16: return { type: 'change-acls', actor: SYSTEM, of: { kind: 'channel', channelId: room } as never, patch: { patchType: 'Set', setAcls: applied(room) } as never }
      default: return r(4) === 0 ? { type: 'delete-user', actor: SYSTEM, userId: user } : { type: 'change-participant', actor: SYSTEM, channelId: room, userId: user, roles: pick([[], ['admin']]) as never }
    }
  }
  messages.push({ id: 'none-none', room: 'room-one1' })
  ids.token!.add('none')
  for (const user of users.slice(0, 4)) commit([createUser(user)], false)
  for (let n = 0; n < 250; n++) {
    now += r(4) === 0 ? r(400_000_000) : r(1000)
    const commands: Array<Command | Chore> = Array.from({ length: 1 + r(5) }, one)
    commit(commands, r(8) === 0)
    if (n % 3 === 0) compare()
    if (r(5) === 0) {
      const due = runRead(r(2) === 0 ? leftOver() : dueChores(now, 604_800_000), queries)
      commit(due as never, r(6) === 0)
      for (const user of users) commit(runRead(leaving(user), queries) as never, false)
      if (reader.isTransaction) reader.exec('rollback')
      compare()
    }
  }
  console.log(seed, JSON.stringify(done))
  reader.close()
  db.close()
  rmSync(dataDir, { recursive: true })
}, 120_000)
