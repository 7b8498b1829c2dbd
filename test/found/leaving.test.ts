/** A deleted user leaves its channels, whatever goes wrong on the way, and at a cost of its own alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { refuse } from '../../src/errors.ts'
import { SYSTEM, type Command } from '../../src/store/contract/commands.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { createStore, type Backend } from '../../src/store/create-store.ts'
import { LoadingBeforehand } from '../store/loading-beforehand.ts'
import { createChannel, createUser, join as joining } from '../support/commands.ts'

let dataDir: string
let store: Store
/** The types of all commands that were committed. */
let committed: string[]
/** Called with each batch; what it throws is what the commit comes to. */
let disturb: (commands: Parameters<Backend['commit']>[0]) => void

beforeEach(() => {
  committed = []
  disturb = () => {}
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-leaving-'))
  const backend = new LoadingBeforehand(dataDir)
  const commit = backend.commit.bind(backend)
  backend.commit = async commands => {
    disturb(commands)
    committed.push(...commands.map(({ type }) => type))
    return await commit(commands)
  }
  store = createStore(backend, { retentionMs: 3_600_000, onError: () => {} })
})
afterEach(async () => {
  await store.close()
  rmSync(dataDir, { recursive: true })
})

const deleteUser = (userId: string): Command => ({ type: 'delete-user', actor: SYSTEM, userId })
const count = (type: string) => committed.filter(one => one === type).length

it('it leaves all of them, though one commit on the way fails for a moment', async () => {
  await Promise.all(['amy', 'bob'].map(userId => store.append(createUser(userId))))
  const channels = Array.from({ length: 5 }, (_, index) => `channel-${index}`)
  for (const channelId of channels) {
    await store.append(createChannel('bob', channelId))
    await store.append(joining('amy', channelId))
  }
  let failed = false
  disturb = ([first]) => {
    if (failed || first!.type !== 'remove-participant') return
    failed = true
    throw refuse('unavailable')
  }
  await store.append(deleteUser('amy'))
  await store.settle()
  expect(failed).toBe(true)
  for (const channelId of channels) {
    const { value } = await store.listParticipants(SYSTEM, channelId, ['active'], { limit: 10 })
    expect(value.items.map(({ participantId }) => participantId.identifier)).toEqual(['bob'])
  }
})

it('many users that are deleted at once each leave once', async () => {
  const users = Array.from({ length: 60 }, (_, index) => `user-${index}`)
  await Promise.all(users.map(userId => store.append(createUser(userId))))
  await Promise.all(users.map(userId => store.append(deleteUser(userId))))
  await store.settle()
  // The upkeep, which is awake too, may come upon one a second time.
  expect(count('finish-leaving')).toBeLessThan(users.length + 20)
})

it('a listener that throws has nothing done twice, and takes no answer away', async () => {
  store.onCommitted(() => { throw new Error('not mine') })
  await store.append(createUser('amy'))
  await store.append(createChannel('amy', 'channel-1'))
  const event = { type: 'seen', eventTimeMs: 0, subject: 'amy' }
  await Promise.all([1, 2, 3].map(() => store.append({ type: 'add-channel-event', actor: 'amy', channelId: 'channel-1', event })))
  const { value } = await store.listChannelEvents('amy', ['channel-1'], { limit: 100 } as never)
  expect(JSON.stringify(value).match(/"type":"seen"/g)).toHaveLength(3)
  expect(count('add-channel-event')).toBe(3)
})
