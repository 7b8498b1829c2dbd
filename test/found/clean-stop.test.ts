/** After a clean stop the database is one file, complete, and what was deleted is in none. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it, onTestFinished } from 'vitest'
import { asApplication, spawnService } from '../support/process.ts'

it('a service that ends by a signal leaves everything in one file, and nothing of a text that was deleted before', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-stop-'))
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }))
  const service = await spawnService({ dataDir })
  await asApplication(service, 'POST', '/v1/channels', { channelId: 'channel-1', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
  for (const messageId of ['message-deleted', 'message-kept']) {
    await asApplication(service, 'POST', '/v1/channels/channel-1/messages', { messageId, textPayload: `text of ${messageId}` })
  }
  expect((await asApplication(service, 'DELETE', '/v1/channels/channel-1/messages/message-deleted')).status).toBe(204)
  expect(await service.stop()).toBe(0)

  const files = readdirSync(dataDir)
  const withText = (text: string) => files.filter(file => readFileSync(join(dataDir, file)).includes(text))
  expect(withText('text of message-deleted')).toEqual([])
  expect(withText('text of message-kept')).toEqual(['channel-relay.db'])
  expect(files.filter(file => file.startsWith('channel-relay.db'))).toEqual(['channel-relay.db'])
  const db = new DatabaseSync(join(dataDir, 'channel-relay.db'), { readOnly: true })
  expect(db.prepare('select count(*) as count from entries where position > 0').get()).toEqual({ count: 4 })
  db.close()
})
