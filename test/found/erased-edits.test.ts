/** Messages that were edited often are erased in steps of so many rows, however many of those are edits. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import type { Chore } from '../../src/store/core/chores.ts'
import { createStore } from '../../src/store/create-store.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { promptClock } from '../support/stores.ts'
import { LoadingBeforehand } from '../store/loading-beforehand.ts'

const MESSAGES = 60
const EDITS = 80
/** Rows of a step, as of one of other chores. */
const STEP_ROWS = 200

test('a channel is truncated in steps that count edits', async ({ onTestFinished }) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true }))
  const steps: number[] = []
  class Watched extends LoadingBeforehand {
    override commit (commands: Parameters<LoadingBeforehand['commit']>[0]): ReturnType<LoadingBeforehand['commit']> {
      for (const command of commands as Chore[]) if (command.type === 'erase-messages') steps.push(command.messages.length)
      return super.commit(commands)
    }
  }
  const store = createStore(new Watched(dataDir), { retentionMs: 3_600_000, clock: promptClock, onError: err => { throw err } })
  await store.append(createUser('amy'))
  await store.append(createChannel('amy', 'room'))
  const messageIds = Array.from({ length: MESSAGES }, (_, number) => `message-${number}`)
  await Promise.all(messageIds.map(messageId => store.append(send('amy', 'room', 'Hello', { messageId }))))
  for (let edit = 0; edit < EDITS; edit++) {
    await Promise.all(messageIds.map(messageId => store.append({ type: 'edit-message', actor: 'amy', channelId: 'room', messageId, textPayload: `${edit}`, messageData: [] })))
  }
  await store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: 'room' })
  await store.settle()
  await store.close()
  expect(steps.reduce((sum, messages) => sum + messages, 0)).toBe(MESSAGES)
  expect(Math.max(...steps) * (EDITS + 1)).toBeLessThanOrEqual(STEP_ROWS)
})
