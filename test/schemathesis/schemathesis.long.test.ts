/** Schemathesis makes up requests from the running service's own document: no 5xx, and no answer that breaks its schema. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { asUser, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { installPython } from '../support/python.ts'

/** How long one caller's run goes on making up requests, in seconds: it always takes all of it. */
const RUN_SECONDS = 120

/** The check left out: the document is coarser than the contract, and an id of letters that an id may not have is refused. */
const LEFT_OUT = 'positive_data_acceptance'

let program: string
let service: ServiceProcess
let token: string
let directory: string

beforeAll(async () => { program = join(await installPython('schemathesis', join(import.meta.dirname, 'requirements.txt')), 'schemathesis') }, 300_000)

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'channel-relay-schemathesis-run-'))
  service = await spawnService({ env: { LOG_LEVEL: 'info' } })
  // What the document's examples name is there: requests made from them reach further than a 404.
  token = await tokenFor(service, '@amy')
  await asUser(service, token, 'POST', '/v1/channels', { channelId: 'football-fans', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
  await asUser(service, token, 'POST', '/v1/channels/football-fans/messages', { messageId: '3f0d8a52-0b4c-4f7e-8d53-2b7f0e6f6a11', textPayload: 'Good morning!' })
})

afterEach(async () => {
  await service.stop()
  rmSync(directory, { recursive: true })
})

test('finds no 5xx and no answer that breaks its schema, as the application', async () => {
  const { accessKey, accessSecret } = service.credentials
  await mustFindNothing(['--auth', `${accessKey}:${accessSecret}`])
})

test('finds no 5xx and no answer that breaks its schema, as a user', async () => {
  // A user that has no token any more would be refused everything from there on. Under the other header too, or
  // Schemathesis makes tokens up for that, and four of five requests are refused for it.
  const headers = [`Authorization: Bearer ${token}`, `X-Issued-Mitter-User-Authorization: ${token}`].flatMap(header => ['--header', header])
  await mustFindNothing([...headers, '--exclude-operation-id', 'logout', '--exclude-operation-id', 'revokeTokens'])
  expect((await asUser(service, token, 'GET', '/v1/users/me')).status).toBe(200)
})

async function mustFindNothing (caller: string[]): Promise<void> {
  const child = spawn(program, [
    '--config-file', join(import.meta.dirname, 'schemathesis.toml'),
    'run', `${service.url}/openapi.json`,
    ...caller,
    // Streams do not end, and Schemathesis would wait for that.
    '--exclude-path-regex', '/events$',
    '--checks', 'all', '--exclude-checks', LEFT_OUT,
    '--max-time', String(RUN_SECONDS), '--max-examples', '50', '--request-timeout', '10',
    '--continue-on-failure', '--generation-database', 'none', '--no-color'
  ], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (chunk: string) => { said += chunk })
  const [code] = await once(child, 'close') as [number | null]

  expect(said).toMatch(/Test cases:\s+\d{3,} generated/)
  expect(code, said).toBe(0)
  const answered = service.output('stdout').split('\n').filter(line => line !== '').map(line => JSON.parse(line) as { level: number, status?: number })
  // The service's own word for it, retries and probes included.
  expect(answered.filter(({ level, status = 0 }) => level >= 50 || (status >= 500 && status !== 501))).toEqual([])
  expect(answered.filter(({ status }) => status === 200).length).toBeGreaterThan(100)
}
