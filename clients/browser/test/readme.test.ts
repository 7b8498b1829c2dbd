/** The examples of this README and of the project's, run against the service as they stand. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocksOf } from '../../../test/docs/blocks.ts'
import { asUser, runScript, spawnService, tokenFor, type ServiceProcess } from '../../../test/support/process.ts'
import { startStub, type Stub } from './stub.ts'

let service: ServiceProcess
let backend: Stub
let token: string
let directory: string
beforeAll(async () => {
  service = await spawnService({ env: { LOG_LEVEL: 'warn' } })
  token = await tokenFor(service, 'amy')
  await asUser(service, token, 'POST', '/v1/channels', { channelId: 'my-channel', defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat' })
  backend = await startStub(response => response.end(token))
  directory = await mkdtemp(join(tmpdir(), 'channel-relay-readme-'))
})
afterAll(async () => {
  await backend.close()
  await service.stop()
  await rm(directory, { recursive: true, force: true })
})

/** The example that calls `subscribe`, with what a reader has to fill in. */
function exampleOf (readme: string, filledIn: Record<string, string>): string {
  const example = blocksOf(readme).find(({ language, text }) => language === 'js' && text.includes('subscribe('))!.text
  return Object.entries(filledIn).reduce((code, [from, to]) => {
    expect(code).toContain(from)
    return code.replaceAll(from, to)
  }, example)
}

/** What it prints: it goes on until it has printed something. */
async function printed (code: string): Promise<string> {
  const file = join(directory, 'example.mjs')
  const ends = 'const print = console.log; console.log = text => { print(text); process.exit() }\n'
  await writeFile(file, ends + code)
  const { stdout, stderr } = await runScript([file], {})
  expect(stderr).toBe('')
  return stdout.trim()
}

it('the client\'s', async () => {
  expect(await printed(exampleOf('clients/browser/README.md', {
    'channel-relay-client': new URL('../client.js', import.meta.url).href,
    'https://relay.example': service.url,
    '/my-backend/': `${backend.url}/my-backend/`
  }))).toBe('amy: Hello')
  expect(backend.requests.every(({ url }) => url === '/my-backend/relay-token')).toBe(true)
})

it('the project\'s', async () => {
  // Node imports no module over HTTP: what is served comes as a file.
  const served = join(directory, 'client.mjs')
  await writeFile(served, await (await fetch(`${service.url}/client.js`)).text())
  const code = exampleOf('README.md', { '`${API}/client.js`': JSON.stringify(served) }) // eslint-disable-line no-template-curly-in-string
  expect(await printed(`const [API, token] = ${JSON.stringify([service.url, token])}\n${code}`)).toBe('Hello')
})
