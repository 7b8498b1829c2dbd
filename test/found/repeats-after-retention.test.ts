/** A repeat under an `Idempotency-Key` answers for 24 hours, also where events are kept for less. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { createStore } from '../../src/store/create-store.ts'
import { LoadingBeforehand } from '../store/loading-beforehand.ts'
import { createChannel, createUser, earliest, send } from '../support/commands.ts'
import { promptClock } from '../support/stores.ts'

const HOUR_MS = 3_600_000

let dataDir: string
let store: Store
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-repeats-'))
  store = createStore(new LoadingBeforehand(dataDir), { retentionMs: HOUR_MS, clock: promptClock, onError: err => { throw err } })
})
afterEach(async () => {
  vi.useRealTimers()
  await store.close()
  rmSync(dataDir, { recursive: true })
})

const under = (key: string) => ({ idempotency: { key, fingerprint: key } })
const edit = (textPayload: string, key: string): Command => ({ type: 'edit-message', actor: 'amy', channelId: 'channel-1', messageId: 'message-1', textPayload, ...under(key) })
const textOf = (outcome: object): string => JSON.parse((outcome as { message: string }).message).textPayload

it.each([
  ['a message that is still there: as it is now, where it is not known any more what it was', undefined, ['one', 'three']],
  ['a deleted message: nothing of its text', { type: 'delete-messages', actor: 'amy', channelId: 'channel-1', messageIds: ['message-1'] }, ['', '']],
  ['a deleted channel: likewise', { type: 'delete-channel', actor: SYSTEM, channelId: 'channel-1' }, ['', '']]
] as Array<[string, Command | undefined, string[]]>)('of %s', async (_what, deletion, texts) => {
  const beginning = await earliest(store)
  await store.append(createUser('amy'))
  await store.append(createChannel('amy', 'channel-1'))
  const sending = send('amy', 'channel-1', 'one', { messageId: 'message-1', ...under('key-of-sending') })
  const sent = await store.append(sending)
  await store.append(edit('two', 'key-of-first-edit'))
  await store.append(edit('three', 'key-of-second-edit'))
  if (deletion !== undefined) await store.append(deletion)
  await store.settle()
  vi.advanceTimersByTime(2 * HOUR_MS)
  await store.append(createUser('bob')) // the log goes on
  await store.append(createChannel('bob', 'channel-2'))
  vi.advanceTimersByTime(2 * HOUR_MS)
  await store.settle()
  expect((await store.tail(beginning, 1)).gap, 'what retention has done').toBe('expired')

  const again = await store.append(sending)
  expect(again).toMatchObject({ cursor: sent.cursor, recipientsCount: 1 })
  expect([textOf(again), textOf(await store.append(edit('two', 'key-of-first-edit')))]).toEqual(texts)
  expect(JSON.parse(again.message)).toMatchObject({ messageId: 'message-1', channelId: { identifier: 'channel-1' }, senderId: { identifier: 'amy' } })
})
