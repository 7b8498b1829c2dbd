/** Somebody else who reads the database, a backup for one, neither keeps deleted text in a file for good, nor holds up writes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { databaseFile, openReader } from '../../src/store/sqlite/database.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createChannel, send } from '../support/commands.ts'

afterEach(() => { vi.useRealTimers() })

it('deleted text leaves the write-ahead log once nobody is in the way', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  const store = await openSqliteStore({ dataDir })
  const backup = openReader(dataDir)
  const logHas = (text: string) => readFileSync(`${databaseFile(dataDir)}-wal`, 'latin1').includes(text)
  /** Once the thread that writes has done what it was asked for. */
  const pass = async (ms: number) => {
    await vi.advanceTimersByTimeAsync(ms)
    await store.append({ type: 'take-nonce', actor: SYSTEM, nonce: `nonce-${Math.random()}` })
  }
  try {
    await store.append(createChannel(SYSTEM, 'room-of-secrets'))
    await store.append(send(SYSTEM, 'room-of-secrets', 'of-no-concern-to-you', { messageId: 'message-1' }))
    backup.exec('begin')
    backup.prepare('select count(*) from entries').get()
    await store.append({ type: 'delete-messages', actor: SYSTEM, channelId: 'room-of-secrets', messageIds: ['message-1'] })
    await pass(11_000)
    expect(logHas('of-no-concern-to-you')).toBe(true)
    backup.exec('rollback')
    await pass(2_000)
    expect(logHas('of-no-concern-to-you')).toBe(false)
  } finally {
    backup.close()
    await store.close()
    rmSync(dataDir, { recursive: true })
  }
})
