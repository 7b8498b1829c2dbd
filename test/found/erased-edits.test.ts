/** Whatever hangs on messages that are deleted goes in steps, between which others' commands are carried out, and is told of no more at once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import type { Store } from '../../src/store/contract/store.ts'
import type { Chore } from '../../src/store/core/chores.ts'
import type { Read } from '../../src/store/core/read/queries.ts'
import { createStore } from '../../src/store/create-store.ts'
import { createChannel, createUser, readAll, send } from '../support/commands.ts'
import { promptClock } from '../support/stores.ts'
import { LoadingBeforehand } from '../store/loading-beforehand.ts'

const MESSAGES = 60
const EDITS = 80
/** Of a step. */
const MOST = { rows: 200, bytes: 1024 * 1024 }
/** As the database has an edit of it: six bytes of JSON for each character. */
const LARGEST = '\u0001'.repeat(65_536)
const LARGEST_BYTES = 6 * LARGEST.length

interface Watched {
  store: Store
  /** Rows that each step touched. */
  steps: number[]
  /** Questions that reads have asked. */
  asked: string[]
  /** The text that is left in rows of the log, in bytes. */
  bytesLeft: () => number
}

async function watched (onTestFinished: (done: () => void) => void): Promise<Watched> {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const steps: number[] = []
  const asked: string[] = []
  class Watching extends LoadingBeforehand {
    override commit (commands: Parameters<LoadingBeforehand['commit']>[0]): ReturnType<LoadingBeforehand['commit']> {
      for (const command of commands as Array<Command | Chore>) {
        if (command.type === 'erase-messages') steps.push(command.messages.length)
        if (command.type === 'erase-remains') steps.push(command.edits.length + command.events.length + command.messages.length)
      }
      return super.commit(commands)
    }

    override read<T> (read: Read<T>): Promise<T> {
      return super.read(noting(read))
    }
  }
  function * noting<T> (read: Read<T>): Read<T> {
    let step = read.next()
    while (step.done !== true) {
      asked.push(...step.value.map(([name]) => name))
      step = read.next(yield step.value)
    }
    return step.value
  }
  const store = createStore(new Watching(dataDir), { retentionMs: 3_600_000, clock: promptClock, onError: err => { throw err } })
  await store.append(createUser('amy'))
  await store.append(createChannel('amy', 'room'))
  const bytesLeft = () => {
    const db = new DatabaseSync(join(dataDir, 'channel-relay.db'))
    const { bytes } = db.prepare("select coalesce(sum(octet_length(body)), 0) as bytes from entries where kind in ('message', 'message-updated')").get() as { bytes: number }
    db.close()
    return bytes
  }
  return { store, steps, asked, bytesLeft }
}

const edit = (messageId: string, textPayload: string): Command => ({ type: 'edit-message', actor: 'amy', channelId: 'room', messageId, textPayload, messageData: [] })

test('a channel with messages that were edited often is truncated in steps', async ({ onTestFinished }) => {
  const { store, steps, bytesLeft } = await watched(onTestFinished)
  const messageIds = Array.from({ length: MESSAGES }, (_, number) => `message-${number}`)
  await Promise.all(messageIds.map(messageId => store.append(send('amy', 'room', 'Hello', { messageId }))))
  for (let round = 0; round < EDITS; round++) await Promise.all(messageIds.map(messageId => store.append(edit(messageId, `${round}`))))
  await store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: 'room' })
  await store.settle()
  await store.close()
  expect(steps.reduce((sum, rows) => sum + rows, 0)).toBe(MESSAGES * (EDITS + 2))
  expect(Math.max(...steps)).toBeLessThanOrEqual(MOST.rows)
  expect(bytesLeft()).toBe(0)
})

test('a message with many large edits is deleted in steps, and is in no replay from the first on', async ({ onTestFinished }) => {
  const { store, steps, bytesLeft } = await watched(onTestFinished)
  await store.append(send('amy', 'room', 'Hello', { messageId: 'message-1' }))
  for (let round = 0; round < 5; round++) await Promise.all(Array.from({ length: 10 }, (_, number) => store.append(edit('message-1', `${number}${LARGEST.slice(1)}`))))
  const { position } = await store.head()
  const replayed = async () => (await readAll(store, { of: 'application' })).map(({ kind }) => kind).filter(kind => kind.startsWith('message'))
  expect(await replayed()).toHaveLength(51)
  await store.append({ type: 'delete-messages', actor: 'amy', channelId: 'room', messageIds: ['message-1'] })
  expect(await replayed()).toEqual(['message-deleted'])
  await store.settle()
  expect([await replayed(), (await store.head()).position]).toEqual([['message-deleted'], position + 1])
  await store.close()
  expect(Math.max(...steps) * LARGEST_BYTES).toBeLessThanOrEqual(MOST.bytes + LARGEST_BYTES)
  expect(bytesLeft()).toBe(0)
})

test('what is no more than a step goes with the message itself, and nobody looks at the age of anything', async ({ onTestFinished }) => {
  const { store, steps, asked, bytesLeft } = await watched(onTestFinished)
  await store.settle()
  asked.length = 0
  const messageIds = ['message-1', 'message-2', 'message-3']
  for (const messageId of messageIds) {
    await store.append(send('amy', 'room', 'Hello', { messageId }))
    for (let round = 0; round < 5; round++) await store.append(edit(messageId, `${round}`))
  }
  await store.append({ type: 'delete-messages', actor: 'amy', channelId: 'room', messageIds })
  expect(bytesLeft()).toBe(0)
  await new Promise(resolve => setImmediate(resolve))
  expect([steps, asked.filter(name => name === 'agesAfter')]).toEqual([[], []])
  await store.close()
})

test('what is deleted in one transaction is one step together', async ({ onTestFinished }) => {
  const { store, steps, bytesLeft } = await watched(onTestFinished)
  const messageIds = Array.from({ length: 10 }, (_, number) => `message-${number}`)
  await Promise.all(messageIds.map(messageId => store.append(send('amy', 'room', 'Hello', { messageId }))))
  await Promise.all(messageIds.map(messageId => store.append(edit(messageId, LARGEST))))
  await Promise.all(messageIds.map(messageId => store.append({ type: 'delete-messages', actor: 'amy', channelId: 'room', messageIds: [messageId] })))
  await store.settle()
  // Of the first batch one, of the second at most three: the other messages, and their edits.
  expect(steps.reduce((sum, rows) => sum + rows, 0)).toBeGreaterThanOrEqual(2 * 6)
  await store.close()
  expect(bytesLeft()).toBe(0)
})

test('an edit is answered again as it was answered first, but for its text', async ({ onTestFinished }) => {
  const { store } = await watched(onTestFinished)
  await store.append(send('amy', 'room', 'Hello', { messageId: 'message-1' }))
  const edited = { ...edit('message-1', 'Good bye'), idempotency: { key: 'key-1', fingerprint: 'a' } }
  const timesOf = async () => {
    await new Promise(resolve => setTimeout(resolve, 5))
    const { audit } = JSON.parse((await store.append(edited) as unknown as { message: string }).message)
    return audit
  }
  const first = await timesOf()
  await store.append({ type: 'delete-messages', actor: 'amy', channelId: 'room', messageIds: ['message-1'] })
  await store.settle()
  expect(await timesOf()).toEqual(first)
  expect(first.updatedAt).toBeGreaterThan(first.createdAt)
  await store.close()
})
