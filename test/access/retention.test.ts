/** Access control lists beside retention, restarts and deletions: what they were is known for as long as a replay may ask, and no longer. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as pathOf } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseLists } from '../../src/rules/access-entries.ts'
import { SYSTEM, type ChangeAcls } from '../../src/store/contract/commands.ts'
import type { Place } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { bytesOf, filesWith } from '../found/bytes-of.ts'
import { createChannel, createUser, gists, join, readAll, send } from '../support/commands.ts'

const ROOM = 'town-square'
let dataDir: string
let store: Store

beforeEach(async () => {
  dataDir = mkdtempSync(pathOf(tmpdir(), 'channel-relay-'))
  await open(3_600_000)
  for (const user of ['amy', 'bob', 'out']) await store.append(createUser(user))
  await store.append(createChannel('amy', ROOM))
  await store.append(join('bob', ROOM))
})
afterEach(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true })
})

async function open (retentionMs: number): Promise<void> {
  store = await openSqliteStore({ dataDir, retentionMs, clock: { steadyMs: 0 } })
}

/** All that there is falls out of retention, and the service starts again. */
async function expire (): Promise<Place> {
  await store.close()
  await open(0)
  await store.settle()
  const head = await store.head()
  await store.close()
  await open(3_600_000)
  return head
}

const say = (text: string, lists?: string) => {
  const acls = parseLists(lists, { kind: 'message', channelId: ROOM })
  return store.append(send('amy', ROOM, text, { messageId: `message-${text}`, ...(acls === undefined ? {} : { acls }) }))
}
const change = (of: ChangeAcls['of'], setAcls: string) => store.append({ type: 'change-acls', actor: SYSTEM, of, patch: { patchType: 'Set', setAcls } })
const changeChannel = (lists: string) => change({ kind: 'channel', channelId: ROOM }, lists)
const changeMessage = (text: string, lists: string) => change({ kind: 'message', messageId: `message-${text}` }, lists)
const told = async (userId: string, after?: Place) => gists(await readAll(store, { of: 'user', userId }, after))

function rowsOf (table: string): number {
  const db = new DatabaseSync(pathOf(dataDir, 'channel-relay.db'), { readOnly: true })
  try {
    return Number(db.prepare(`select count(*) as rows from ${table}`).get()!.rows)
  } finally {
    db.close()
  }
}

it('lists that are in force stay so, of what they were only that is kept which a replay may ask for', async () => {
  await say('whisper', '+read_message:user(bob)')
  for (let time = 0; time < 10; time++) {
    await changeMessage('whisper', time % 2 === 0 ? '+read_message:user(out)' : '+read_message:user(bob)')
    await changeChannel(time % 2 === 0 ? '+read_from_channel:admin(town-square)' : '')
  }
  await changeChannel('+read_from_channel:admin(town-square)')
  expect([rowsOf('channel_acls'), rowsOf('message_acls')]).toEqual([11, 11])
  const before = await expire()
  // Of a message also those that it was sent with.
  expect([rowsOf('channel_acls'), rowsOf('message_acls')]).toEqual([1, 2])

  await say('closed')
  await changeMessage('whisper', '+read_message:user(out)')
  await changeChannel('')
  await say('open')
  expect(await told('bob', before)).toEqual(['message-deleted message-whisper', 'channel-acls-changed', 'message open'])
  expect(await told('out', before)).toEqual(['message-updated whisper'])
  expect(await told('amy', before)).toEqual(['message closed', 'channel-acls-changed', 'message open'])
  await expect(store.getMessage('out', 'message-whisper')).resolves.toMatchObject({ value: expect.stringContaining('whisper') })
  await expect(store.getMessage('bob', 'message-whisper')).rejects.toThrow('There is no message')
})

it('a truncation tells whom its messages have named, also where those have long fallen out of retention', async () => {
  await say('before', '+read_message:user(bob)')
  await store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: ROOM })
  await store.append({ ...send(SYSTEM, ROOM, 'to out'), acls: parseLists('+read_message:user(out)', { kind: 'message', channelId: ROOM })! })
  const before = await expire()
  await store.append({ type: 'remove-participant', actor: SYSTEM, channelId: ROOM, userId: 'bob' })
  await store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: ROOM })
  expect(await told('out', before)).toEqual(['messages-truncated'])
  // Nothing that named him was there any more.
  expect(await told('bob', before)).toEqual(['participation-deleted bob'])
})

it('a text that other lists were given is in no file once the message is deleted', async () => {
  await say('never-to-be-found')
  await changeMessage('never-to-be-found', '-read_message:user(bob)')
  await store.append({ type: 'edit-message', actor: 'amy', channelId: ROOM, messageId: 'message-never-to-be-found', textPayload: 'nor-this-one' })
  await changeMessage('never-to-be-found', '')
  await store.append({ type: 'delete-messages', actor: 'amy', channelId: ROOM, messageIds: ['message-never-to-be-found'] })
  await store.settle()
  await store.close()
  expect(filesWith(dataDir, '"textPayload":"never-to-be-found"')).toEqual([])
  expect(filesWith(dataDir, 'nor-this-one')).toEqual([])
  await open(3_600_000)
  // Whoever lost it is told of that still.
  expect(await told('bob')).toEqual(['participation bob', 'message-deleted message-never-to-be-found', 'message-deleted message-never-to-be-found'])
})

it('a repeat of a request answers the lists that it gave, whatever they are by now', async () => {
  const repeat = () => store.append({
    ...send('amy', ROOM, 'once', { messageId: 'message-once', acls: parseLists('+read_message:user(bob)', { kind: 'message', channelId: ROOM })! }),
    idempotency: { key: 'request-1', fingerprint: 'the same' }
  })
  const first = await repeat()
  await changeMessage('once', '+read_message:user(out)')
  await changeMessage('once', '+read_message:user(amy),+read_message:user(out)')
  expect(await repeat()).toEqual(first)
  await expire()
  expect(await repeat()).toEqual(first)
})

it('other lists of a large message do not store it again', async () => {
  const large = 'x'.repeat(60_000)
  await store.append(send('amy', ROOM, large, { messageId: 'message-large' }))
  for (let time = 0; time < 100; time++) await changeMessage('large', time % 2 === 0 ? '-read_message:user(out)' : '')
  await store.close()
  expect([...bytesOf(dataDir).values()].reduce((sum, bytes) => sum + bytes.length, 0)).toBeLessThan(1_500_000)
  await open(3_600_000)
  expect((await told('amy')).filter(gist => gist === `message-updated ${large}`)).toHaveLength(100)
})

it('of a message that was deleted, and of truncations where nothing ever had lists, nothing is left behind retention', async () => {
  await store.append(createChannel('amy', 'room-plain'))
  for (let time = 0; time < 5; time++) await store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: 'room-plain' })
  await say('whisper', '+read_message:user(bob)')
  await changeMessage('whisper', '+read_message:user(out)')
  await store.append({ type: 'delete-messages', actor: SYSTEM, channelId: ROOM, messageIds: ['message-whisper'] })
  await expire()
  expect(['message_acls', 'audiences', "entries where acls is not null or kind = 'messages-truncated'"].map(rowsOf)).toEqual([0, 0, 0])
})

it('of a channel that was deleted nothing is left behind retention', async () => {
  await changeChannel('+read_from_channel:any_user()')
  await changeChannel('+read_from_channel:participant(town-square)')
  for (let sent = 0; sent < 300; sent++) await say(`whisper-${sent}`, '+read_message:user(bob),+read_message:admin(town-square)')
  await changeMessage('whisper-7', '+read_message:user(bob),+read_message:admin(town-square),-read_message:user(out)')
  expect(rowsOf('audiences')).toBe(601)
  await store.append({ type: 'delete-channel', actor: SYSTEM, channelId: ROOM })
  await store.settle()
  expect(rowsOf('audiences')).toBe(301)
  await expire()
  expect(['audiences', 'named_channels', 'channel_acls', 'message_acls', 'entries where acls is not null'].map(rowsOf)).toEqual([0, 0, 0, 0, 0])
})
