/** What waits for the writer is bounded in bytes, not in commands alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createChannel, createUser, send } from '../support/commands.ts'

/** As large as a body may be (protocol 1, rule 9). */
const TEXT = 'x'.repeat(250_000)
/** 500 MB in all, far more than a service may hold for a disk that is slow. */
const COUNT = 2_000

it('of 2,000 large messages at once some are refused as unavailable, and exactly the others are stored', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-queue-'))
  const store = await openSqliteStore({ dataDir })
  onTestFinished(async () => {
    await store.close()
    rmSync(dataDir, { recursive: true })
  })
  await store.append(createUser('amy'))
  await store.append(createChannel('amy', 'room-of-amy'))
  const ids = Array.from({ length: COUNT }, (_, index) => `message-${String(index).padStart(6, '0')}`)
  const results = await Promise.allSettled(ids.map(messageId => store.append(send('amy', 'room-of-amy', TEXT, { messageId }))))
  const refused = results.flatMap(result => result.status === 'rejected' ? [result.reason.code] : [])
  expect(refused.length).toBeGreaterThan(0)
  expect(new Set(refused)).toEqual(new Set(['unavailable']))

  const accepted = ids.filter((_, index) => results[index]!.status === 'fulfilled')
  expect(accepted.length).toBeGreaterThan(0)
  const stored: string[] = []
  for (let before: string | undefined; ;) {
    const { value } = await store.listMessages('amy', 'room-of-amy', { limit: 20, offset: 0, ...(before === undefined ? {} : { before }) })
    const page = value.items.map(item => (JSON.parse(item) as { messageId: string }).messageId)
    stored.push(...page)
    before = page.at(-1)
    if (before === undefined) break
  }
  expect(stored.reverse()).toEqual(accepted)
  // It takes more as soon as it has room again.
  await store.append(send('amy', 'room-of-amy', TEXT))
}, 60_000)
