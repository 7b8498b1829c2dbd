/** What the writer keeps of the rows that it has looked up is what there is (src/store/sqlite/kept.ts). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import { dueChores, type Chore } from '../../src/store/core/chores.ts'
import { runRead } from '../../src/store/core/read/queries.ts'
import { appliedAcls } from '../../src/store/core/render/lists.ts'
import type { TableName } from '../../src/store/core/source.ts'
import { openReader, openWriter } from '../../src/store/sqlite/database.ts'
import { Loader } from '../../src/store/sqlite/load.ts'
import { sqliteQueries } from '../../src/store/sqlite/read.ts'
import { Transactions } from '../../src/store/sqlite/transactions.ts'
import { listsNaming } from '../access/arbitraries.ts'
import { createChannel, createUser, join, leave, send } from '../support/commands.ts'

const DAY_MS = 24 * 3_600_000

const users = ['amy', 'bob', 'cat', 'dan']
const channels = ['room', 'hall', 'attic']
const tokens = ['token-of-amy', 'token-of-bob']
const messages = Array.from({ length: 6 }, (_, number) => `message-${number}`)
const rulesets = ['io.mitter.ruleset.chats.GroupChat', 'io.mitter.ruleset.chats.SystemChannel', 'io.mitter.ruleset.chats.SingleParticipantChannel'] as const

/** Nobody can carry it out: no row can hold it. It breaks its batch while that is written. */
const broken: Command = { type: 'take-nonce', actor: SYSTEM, nonce: null as unknown as string }

/** A database with its writer, and a look at all rows that may be kept. */
class Underneath {
  readonly #dataDir = mkdtempSync(pathOf(tmpdir(), 'channel-relay-kept-'))
  readonly db: DatabaseSync = openWriter(this.#dataDir)
  readonly transactions = new Transactions(this.db)
  readonly #reader = openReader(this.#dataDir)
  readonly #queries = sqliteQueries(this.#reader)

  commit (...commands: Array<Command | Chore>): string[] {
    return this.transactions.commit(commands).results.map(result => 'refusal' in result ? result.refusal.name : 'done')
  }

  /** All that is due, and would be by a clock that is days ahead, one step after the other. */
  settle (): void {
    for (let due = this.#due(); due.length > 0; due = this.#due()) this.commit(...due)
  }

  #due (): Array<Command | Chore> {
    return runRead(dueChores(Date.now() + 10 * DAY_MS, DAY_MS), this.#queries)
  }

  /** Rows as the writer knows them, beside those that somebody finds who looks for the first time. */
  rows (): Array<{ what: string, known: unknown, found: unknown }> {
    const { loader } = this.transactions
    const fresh = new Loader(this.db)
    const log = fresh.log()
    // The time of the newest entry is remembered, though that has fallen out of retention.
    const { at, ...known } = loader.log()
    const { at: found, ...rest } = log
    expect(at).toBeGreaterThanOrEqual(found)
    const keys = Array.from({ length: log.lastChannelKey }, (_, index) => String(index + 1))
    const members = keys.flatMap(key => Array.from({ length: log.lastUserKey + 1 }, (_, userKey) => `${key} ${userKey}`))
    const all: Array<[TableName, string[]]> = [
      ['user', [SYSTEM, ...users]], ['token', tokens], ['living', channels], ['channel', keys], ['member', members], ['application', ['']]
    ]
    return [
      { what: 'log', known, found: rest },
      ...all.flatMap(([table, keys]) => keys.map(key => ({ what: `${table} ${key}`, known: loader.get(table, key), found: fresh.get(table, key) })))
    ]
  }

  close (): void {
    this.#reader.close()
    this.db.close()
    rmSync(this.#dataDir, { recursive: true })
  }
}

const opened: Underneath[] = []
function underneath (): Underneath {
  const under = new Underneath()
  opened.push(under)
  return under
}
afterEach(() => { for (const under of opened.splice(0)) under.close() })

function expectSound (under: Underneath): void {
  const rows = under.rows()
  expect(rows.map(({ what, known }) => ({ what, row: known }))).toEqual(rows.map(({ what, found }) => ({ what, row: found })))
}

const lists = listsNaming(users)
const user = fc.constantFrom(...users)
const actor = fc.constantFrom(SYSTEM, ...users)
const channelId = fc.constantFrom(...channels)
const messageId = fc.constantFrom(...messages)
const status = fc.constantFrom('active', 'muted', 'pending', 'disabled')

const withLists = <T extends object>(command: T, acls: unknown): T => acls === undefined ? command : { ...command, acls }
const withKey = (command: Command, number: number): Command =>
  number > 3 ? command : { ...command, idempotency: { key: `key-number-${number}`, fingerprint: `${command.type}` } } as Command
const lineageOf = (userId: string): object => tokens.includes(`token-of-${userId}`) ? { lineage: [`token-of-${userId}`] } : {}

const commands: fc.Arbitrary<Command | Chore> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(actor, channelId, messageId, lists('message'), fc.nat(9)).map(([by, id, message, acls, key]) => withKey({ ...withLists(send(by, id, 'text', { messageId: message }), acls), ...lineageOf(by) } as Command, key)) },
  { weight: 3, arbitrary: fc.tuple(actor, channelId, fc.constantFrom(...rulesets), fc.subarray(users), lists('channel')).map(([by, id, ruleset, members, acls]) => withLists(createChannel(by, id, { ruleset, participants: members.map(userId => ({ userId, status: 'active' as const, roles: [] })) }), acls)) },
  { weight: 2, arbitrary: user.map(createUser) },
  { weight: 2, arbitrary: fc.tuple(user, channelId).map(([by, id]) => join(by, id)) },
  fc.tuple(user, channelId).map(([by, id]) => leave(by, id)),
  fc.tuple(user, channelId, status).map(([userId, id, to]) => ({ type: 'add-participant', actor: SYSTEM, userId, channelId: id, status: to }) as Command),
  fc.tuple(fc.constantFrom('accept', 'reject', 'mute', 'unmute'), actor, user, channelId).map(([operation, by, userId, id]) => ({ type: 'moderate-participant', operation, actor: by, userId, channelId: id }) as Command),
  fc.tuple(user, channelId, fc.boolean()).map(([userId, id, admin]) => ({ type: 'change-participant', actor: SYSTEM, userId, channelId: id, roles: admin ? ['admin'] : [] }) as Command),
  fc.tuple(actor, channelId, messageId).map(([by, id, message]) => ({ type: 'edit-message', actor: by, channelId: id, messageId: message, textPayload: 'other' }) as Command),
  fc.tuple(actor, channelId, messageId).map(([by, id, message]) => ({ type: 'delete-messages', actor: by, channelId: id, messageIds: [message] }) as Command),
  fc.tuple(channelId, lists('channel')).map(([id, acls]) => ({ type: 'change-acls', actor: SYSTEM, of: { kind: 'channel', channelId: id }, patch: { patchType: 'Set', setAcls: appliedAcls(acls, id, []) } }) as Command),
  lists('application').map(acls => ({ type: 'change-acls', actor: SYSTEM, of: { kind: 'application' }, patch: { patchType: 'Set', setAcls: appliedAcls(acls, '', []) } }) as Command),
  { weight: 2, arbitrary: fc.tuple(actor, channelId).map(([by, id]) => ({ type: 'delete-channel', actor: by, channelId: id }) as Command) },
  channelId.map(id => ({ type: 'truncate-channel', actor: SYSTEM, channelId: id }) as Command),
  user.map(userId => ({ type: 'delete-user', actor: SYSTEM, userId }) as Command),
  fc.constantFrom(...tokens).map(tokenId => ({ type: 'issue-token', actor: SYSTEM, userId: tokenId.slice('token-of-'.length), tokenId, expiresAt: Date.now() + DAY_MS }) as Command),
  fc.constantFrom(...tokens).map(tokenId => ({ type: 'revoke-tokens', actor: SYSTEM, userId: tokenId.slice('token-of-'.length), tokenIds: [tokenId] }) as Command)
)
type Step = Array<Command | Chore> | 'settle'
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.array(commands, { minLength: 1, maxLength: 6 }) },
  { weight: 1, arbitrary: fc.array(commands, { maxLength: 4 }).map(those => [...those, broken]) },
  { weight: 2, arbitrary: fc.constant('settle' as const) }
)

it('whatever is done, in whichever batches, also where some of them break', () => {
  fc.assert(fc.property(fc.array(steps, { minLength: 1, maxLength: 25 }), program => {
    const under = new Underneath()
    try {
      under.commit(...users.map(createUser), createChannel('amy', 'room'), join('bob', 'room'))
      for (const step of program) {
        if (step === 'settle') under.settle()
        else if (step.includes(broken)) expect(() => under.commit(...step)).toThrow()
        else under.commit(...step)
        expectSound(under)
      }
    } finally {
      under.close()
    }
  }), { numRuns: 60 })
})

describe('what was looked up before', () => {
  it('a user is not there any more once it was deleted, nor is its token good', () => {
    const under = underneath()
    under.commit(createUser('amy'), { type: 'issue-token', actor: SYSTEM, userId: 'amy', tokenId: tokens[0]! }, createChannel('amy', 'room'))
    const sent = () => under.commit({ ...send('amy', 'room', 'text'), lineage: [tokens[0]!] })
    expect(sent()).toEqual(['done'])
    under.commit({ type: 'delete-user', actor: SYSTEM, userId: 'amy' })
    expect(sent()).toEqual(['claimRejected'])
  })

  it('a channel whose id is given again is another', () => {
    const under = underneath()
    under.commit(createUser('amy'), createUser('bob'), createChannel('amy', 'room'))
    under.commit(send('amy', 'room', 'text'))
    expect(under.commit({ type: 'delete-channel', actor: SYSTEM, channelId: 'room' }, send('amy', 'room', 'text'))).toEqual(['done', 'channelNotFound'])
    under.commit(createChannel('bob', 'room'))
    expect(under.commit(send('amy', 'room', 'text'), send('bob', 'room', 'text'))).toEqual(['actorNotInGroup', 'done'])
  })

  it('of a channel that was deleted nothing is left once retention has passed it, nor of its members', () => {
    const under = underneath()
    under.commit(createUser('amy'), createUser('bob'), createChannel('amy', 'room'), join('bob', 'room'))
    under.commit({ type: 'delete-channel', actor: SYSTEM, channelId: 'room' })
    expectSound(under)
    under.settle()
    expect(under.db.prepare('select count(*) as left from participations').get()).toEqual({ left: 0 })
    expectSound(under)
  })

  it('a member who has left may not send, and may once it has come back', () => {
    const under = underneath()
    under.commit(createUser('amy'), createUser('bob'), createChannel('amy', 'room'), join('bob', 'room'))
    under.commit(send('bob', 'room', 'text'))
    under.commit(leave('bob', 'room'))
    expect(under.commit(send('bob', 'room', 'text'))).toEqual(['actorNotInGroup'])
    under.commit(join('bob', 'room'))
    expect(under.commit(send('bob', 'room', 'text'))).toEqual(['done'])
  })

  it('what a refused command would have changed has not changed', () => {
    const under = underneath()
    under.commit(createUser('amy'), createUser('bob'), createChannel('amy', 'room'))
    const both: Command = { type: 'revoke-tokens', actor: SYSTEM, userId: 'amy', tokenIds: [tokens[0]!, 'no-such-token'] }
    under.commit({ type: 'issue-token', actor: SYSTEM, userId: 'amy', tokenId: tokens[0]! })
    expect(under.commit(both, { ...send('amy', 'room', 'text'), lineage: [tokens[0]!] })).toEqual(['tokenNotFound', 'done'])
    expectSound(under)
  })

  it('what a batch would have changed that broke has not changed', () => {
    const under = underneath()
    under.commit(createUser('amy'), createUser('bob'), createChannel('amy', 'room'), join('bob', 'room'))
    under.commit(send('bob', 'room', 'text'))
    expect(() => under.commit(leave('bob', 'room'), createUser('cat'), broken)).toThrow()
    expect(under.commit(send('bob', 'room', 'text'), createUser('cat'))).toEqual(['done', 'done'])
    expectSound(under)
  })

  it('a key that is forgotten and taken again in one batch is known once', () => {
    const under = underneath()
    const keyed = (messageId: string): Command => ({ ...send('amy', 'room', 'text', { messageId }), idempotency: { key: 'key-number-1', fingerprint: 'same' } })
    under.commit(createUser('amy'), createChannel('amy', 'room'), keyed('message-1'))
    const { position, tag } = under.transactions.loader.log()
    under.commit({ type: 'forget', now: Date.now() + 2 * DAY_MS, replies: ['amy key-number-1'], nonces: [], tokens: [], foundAt: { position, tag } }, keyed('message-2'))
    expect(under.db.prepare('select actor, key, outcome ->> \'$.messageId\' as made from replies').all()).toEqual([{ actor: 'amy', key: 'key-number-1', made: 'message-2' }])
    expect(under.commit(keyed('message-3'))).toEqual(['done'])
    expect(under.db.prepare('select count(*) as messages from entries where kind = \'message\'').get()).toEqual({ messages: 2 })
  })

  it('is looked up anew where somebody has written beside the service', () => {
    const under = underneath()
    under.commit(createUser('amy'), createChannel('amy', 'room'), send('amy', 'room', 'text'))
    const beside = openWriter(pathOf(under.db.location()!, '..'))
    beside.exec('update participations set status = \'muted\', active_position = null')
    beside.close()
    expect(under.commit(send('amy', 'room', 'text'))).toEqual(['muted'])
  })
})
