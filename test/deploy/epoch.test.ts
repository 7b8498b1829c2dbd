/** What docs/deploy.md says of a new epoch, done as it stands there. */
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { asUser, projectDir, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'
import { openReader } from '../support/sse.ts'

const [statement] = /(?<=```sql\n)update channel_relay\.meta [^;]+;/.exec(readFileSync(join(projectDir, 'docs/deploy.md'), 'utf8'))!

let directory: string
let service: ServiceProcess | undefined
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'channel-relay-')) })
afterEach(async () => {
  await service?.stop()
  await rm(directory, { recursive: true, force: true })
})

it('a new epoch makes every cursor of before unknown, and changes nothing else', async () => {
  const url = await sharedDatabase(directory)
  const env = {
    DATABASE_URL: url, DATABASE_ALLOW_UNSAFE: 'true', APPLICATION_ID: 'app', ACCESS_KEY: 'key', ACCESS_SECRET: Buffer.alloc(32).toString('base64'), TOKEN_SECRET: 's'.repeat(64)
  }
  const start = async () => await spawnService({ dataDir: join(directory, 'none'), env })
  const open = async (token: string, cursor: string) => {
    const reader = await openReader(`${service!.url}/v1/users/me/events`, { authorization: `Bearer ${token}`, 'last-event-id': cursor })
    const { event, json } = await reader.until(({ event }) => event === 'gap' || event === 'caught-up')
    reader.close()
    return [event, json.reason]
  }
  service = await start()
  const token = await tokenFor(service, 'alice')
  const channel = { channelId: 'first-channel', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' }
  expect((await asUser(service, token, 'POST', '/v1/channels', channel)).status).toBe(200)
  const cursor = (await asUser(service, token, 'GET', '/v1/users/me/channels')).headers.get('x-event-cursor')!
  expect(await open(token, cursor)).toEqual(['caught-up', undefined])
  await service.stop()

  const sql = postgres(url, { max: 1 })
  await sql.unsafe(statement)
  await sql.end()
  service = await start()
  expect(await open(token, cursor)).toEqual(['gap', 'unknown'])
  const { headers, body } = await asUser(service, token, 'GET', '/v1/users/me/channels')
  expect(body).toHaveLength(1)
  expect(await open(token, headers.get('x-event-cursor')!)).toEqual(['caught-up', undefined])
})
