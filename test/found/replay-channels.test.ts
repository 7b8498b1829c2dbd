/**
 * A user's replay looks at each of its channels once, not in every page; and what it keeps from page to page never
 * decides what it gives: whatever happens between two pages, they are as if nothing had been kept.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Ahead, Interest, Page } from '../../src/store/contract/log.ts'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { runRead } from '../../src/store/core/read/queries.ts'
import { readsBy } from '../../src/store/core/read/reads.ts'
import { openReader } from '../../src/store/sqlite/database.ts'
import { sqliteQueries } from '../../src/store/sqlite/read.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createChannel, createUser, earliest, join as joining, leave, send } from '../support/commands.ts'
import { randomsOf } from '../support/delayed-reads.ts'

/** Messages in each channel, of all channels in turn: the next entry is always in another. */
const ROUNDS = 8
const MANY = 320

let store: Store
let dataDir: string
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-channels-'))
  store = await openSqliteStore({ dataDir })
})
afterAll(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true })
})

const userOf = (userId: string): Interest => ({ of: 'user', userId })

/** Reads of the database, with how much was asked of it for them: statements, and rows that they found. */
function countedReads (): { read: Store['read'], cost: () => number, close: () => void } {
  const db = openReader(dataDir)
  let cost = 0
  const counted = (statement: StatementSync) => {
    const run = (name: 'get' | 'all' | 'iterate') => (...parameters: unknown[]) => {
      const found = Reflect.apply(statement[name], statement, parameters) as unknown
      cost += 1 + (Array.isArray(found) ? found.length : 0)
      return found
    }
    return { get: run('get'), all: run('all'), iterate: run('iterate') }
  }
  const queries = sqliteQueries({ prepare: (sql: string) => counted(db.prepare(sql)) } as unknown as DatabaseSync)
  const { read } = readsBy(async asked => runRead(asked, queries))
  return { read, cost: () => cost, close: () => db.close() }
}

it('each entry of a user\'s replay takes as many statements and rows in ten times the channels', async () => {
  const each: number[] = []
  for (const channels of [MANY / 10, MANY]) {
    const user = `user-of-${channels}`
    await store.append(createUser(user))
    const rooms = Array.from({ length: channels }, (_, index) => `${user}-${index}`)
    await Promise.all(rooms.map(room => store.append(createChannel(user, room))))
    for (let round = 0; round < ROUNDS; round++) await Promise.all(rooms.map(room => store.append(send(user, room, 'hello'))))
    const { read, cost, close } = countedReads()
    let entries = 0
    for (let [after, ahead] = [await earliest(store), undefined as Ahead | undefined]; ;) {
      const page = await read(userOf(user), after, 25, ahead)
      entries += page.entries.length
      if (page.rights !== undefined) break
      ;[after, ahead] = [page.through, page.ahead]
    }
    expect(entries).toBe(channels * (ROUNDS + 1))
    each.push(cost() / entries)
    close()
  }
  expect(each[1]! / each[0]!).toBeLessThan(1.5)
})

/** What happens to a reader's rights, and to what it reads, at random. */
class Happenings {
  readonly #random: () => number
  readonly #name: string
  readonly #rooms: string[] = []
  readonly #messages: Array<{ room: string, messageId: string }> = []
  readonly users: string[]

  constructor (seed: number) {
    this.#random = randomsOf(seed)
    this.#name = `seed-${seed}`
    this.users = ['amy', 'ben'].map(user => `${user}-${this.#name}`)
  }

  #one<T> (list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  below (limit: number): number {
    return Math.floor(this.#random() * limit)
  }

  room (): Command {
    const room = `${this.#name}-room-${this.#rooms.length}`
    this.#rooms.push(room)
    const participants = this.users.filter(() => this.#random() < 0.8).map(userId => ({ userId, status: this.#one(['active', 'muted', 'pending', 'disabled'] as const), roles: [] }))
    return createChannel(SYSTEM, room, { participants })
  }

  send (): Command {
    const room = this.#one(this.#rooms)
    const said = send(SYSTEM, room, 'hello')
    this.#messages.push({ room, messageId: said.messageId })
    return said
  }

  /** Some are refused: nothing happens then. */
  any (): Command {
    const [user, channelId] = [this.#one(this.users), this.#one(this.#rooms)]
    const of = { actor: SYSTEM, channelId, userId: user }
    const message = this.#one(this.#messages)
    return this.#one<() => Command>([
      () => this.room(),
      () => this.send(),
      () => this.send(),
      () => joining(user, channelId),
      () => leave(user, channelId),
      () => ({ ...of, type: 'change-participant', newStatus: this.#one(['Active', 'ReadOnly', 'Disabled'] as const) }),
      () => ({ ...of, type: 'add-participant', status: 'active' }),
      () => ({ type: 'add-channel-event', actor: SYSTEM, channelId, event: { type: 'x', eventTimeMs: 1, subject: user } }),
      () => ({ type: 'delete-messages', actor: SYSTEM, channelId: message.room, messageIds: [message.messageId] }),
      () => ({ type: 'truncate-channel', actor: SYSTEM, channelId }),
      () => this.#random() < 0.3 ? { type: 'delete-channel', actor: SYSTEM, channelId } : this.send()
    ])()
  }
}

const upTo = ({ entries }: Page, place: number): unknown[] => entries.filter(({ position }) => position <= place)

it.each([1, 2, 3, 4, 5, 6])('pages that go on where the one before ended are as those that look anew, whatever happened in between: seed %i', async seed => {
  const happen = new Happenings(seed)
  await Promise.all(happen.users.map(user => store.append(createUser(user))))
  const start = await store.head()
  for (let index = 0; index < 12; index++) await store.append(happen.room())
  for (let index = 0; index < 80; index++) await store.append(happen.send())
  for (let index = 0; index < 150; index++) await store.append(happen.any()).catch(() => {})
  const kept: Ahead[] = []
  const at = happen.users.map(user => ({ user, after: start, ahead: undefined as Ahead | undefined }))
  let [wentOn, ends] = [0, 0]
  while (wentOn < 150 || ends < 2) {
    for (let index = happen.below(5) - 2; index > 0; index--) await store.append(happen.any()).catch(() => {})
    if (happen.below(9) === 0) await store.settle()
    const replay = at[happen.below(at.length)]!
    const { user, after } = replay
    // Most often that of the page before; now and then any other, of another reader, too.
    const given = happen.below(4) === 0 ? kept[happen.below(kept.length)] : replay.ahead
    const page = await store.read(userOf(user), after, 1 + happen.below(6), given)
    const anew = await store.read(userOf(user), after, 500)
    expect(upTo(page, anew.through.position)).toEqual(upTo(anew, page.through.position))
    if (page.rights !== undefined) {
      expect(page.rights).toEqual(anew.rights)
      ends++
      Object.assign(replay, { after: start, ahead: undefined })
    } else {
      if (page.ahead !== undefined) kept.push(page.ahead)
      wentOn++
      Object.assign(replay, { after: page.through, ahead: page.ahead })
    }
  }
})
