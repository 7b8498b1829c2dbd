/** What examples/ has, run as its README says, against a service that is killed in between. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { putShims } from '../docs/shell.ts'
import { freePort } from '../support/ports.ts'
import { asUser, projectDir, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'

const hasPython = spawnSync('python3', ['-c', '0']).status === 0
if (!hasPython) console.warn('python3 is not on this machine: examples/consumer.py is not tested')

let dataDir: string
let port: string
let service: ServiceProcess
let shims: string
let started: ChildProcess[]
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  port = String(await freePort())
  started = []
  shims = mkdtempSync(join(tmpdir(), 'channel-relay-shell-'))
  putShims(shims)
  await serve()
})
afterEach(async () => {
  for (const child of started) child.kill('SIGKILL')
  await service.stop()
  for (const directory of [dataDir, shims]) rmSync(directory, { recursive: true })
})

async function serve (env: Record<string, string> = {}): Promise<void> {
  service = await spawnService({ dataDir, env: { PORT: port, ...env } })
}

interface Example {
  child: ChildProcess
  /** Lines of standard output, so far. */
  lines: string[]
}

function run (command: string, args: string[], env: Record<string, string> = {}): Example {
  const child = spawn(command, args, {
    cwd: projectDir,
    env: { PATH: `${shims}:${dirname(process.execPath)}:${process.env.PATH}`, API: service.url, DATA_DIR: dataDir, CURSOR_FILE: join(dataDir, 'cursor'), ...env },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  started.push(child)
  const lines: string[] = []
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop()!
    lines.push(...parts)
  })
  return { child, lines }
}

async function room (token: string, channelId: string): Promise<(text: string) => Promise<void>> {
  await asUser(service, token, 'POST', '/v1/channels', { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' })
  return async text => { expect((await asUser(service, token, 'POST', `/v1/channels/${channelId}/messages`, { textPayload: text })).status).toBe(200) }
}

it('chat.sh: bob sees what alice sends', async () => {
  const { child, lines } = run('bash', ['examples/chat.sh'], { SECONDS_TO_WATCH: '2' })
  const [code] = await once(child, 'close')
  expect({ code, lines }).toEqual({ code: 0, lines: ['alice: Hello, bob', 'alice: Are you there?', 'alice: Bye'] })
})

const consumers: Array<[string, string[]]> = [[process.execPath, ['examples/consumer.mjs']], ...hasPython ? [['python3', ['examples/consumer.py']] as [string, string[]]] : []]
it.each(consumers)('%s %s: goes on where it was, after its own end and after the service\'s', { timeout: 60_000 }, async (command, args) => {
  const TOKEN = await tokenFor(service, 'alice')
  const send = await room(TOKEN, 'consumed-1')
  await send('one')
  const first = run(command, args, { TOKEN })
  await until('it has 1', () => first.lines.length === 1)
  await send('two')
  await until('it has 2', () => first.lines.length === 2)
  // Dealt with, and written down.
  await until('its cursor is kept', () => existsSync(join(dataDir, 'cursor')))
  first.child.kill('SIGKILL')
  await send('three')
  const second = run(command, args, { TOKEN })
  await until('it has the third', () => second.lines.some(line => line.includes('three')))
  await service.kill('SIGKILL')
  await serve()
  await send('four')
  await until('it has the fourth', () => second.lines.some(line => line.includes('four')))
  const texts = [...first.lines, ...second.lines].map(line => (JSON.parse(line) as { text: string }).text)
  // What was under way when it was killed may come again.
  expect([...new Set(texts)]).toEqual(['one', 'two', 'three', 'four'])
  expect(texts.length).toBeLessThanOrEqual(5)
})

it('bot.mjs: answers each question once, also one that it gets again', async () => {
  const TOKEN = await tokenFor(service, 'alice')
  const send = await room(TOKEN, 'asked-0001')
  const bot = await tokenFor(service, 'time-bot')
  await asUser(service, bot, 'POST', '/v1/channels/asked-0001/participants', { participantId: 'time-bot' })
  const answers = async () => ((await asUser(service, TOKEN, 'GET', '/v1/channels/asked-0001/messages')).body as Array<{ textPayload: string }>).filter(({ textPayload }) => textPayload.startsWith('It is '))
  const cursor = join(dataDir, 'cursor')
  const start = async () => {
    const { child } = run(process.execPath, ['examples/bot.mjs'], { TOKEN: bot })
    // It answers what is asked once it follows, which its cursor shows.
    await until('it follows', async () => {
      await send('ping')
      return existsSync(cursor)
    })
    return child
  }
  const first = await start()
  const before = readFileSync(cursor, 'utf8')
  await send('!time')
  await until('it has answered', async () => (await answers()).length === 1)
  first.kill('SIGKILL')
  await once(first, 'exit')
  // As if it had been killed before it wrote down that it had answered.
  writeFileSync(cursor, before)
  run(process.execPath, ['examples/bot.mjs'], { TOKEN: bot })
  await send('!time')
  await until('it has answered', async () => (await answers()).length === 2)
  await send('and now?')
  await until('it has seen all', () => readFileSync(cursor, 'utf8') !== before)
  expect(await answers()).toHaveLength(2)
})

it('web.mjs: a page, and a token for whoever it says it is', async () => {
  const site = run(process.execPath, ['examples/web.mjs'], { PORT: '0', CREDENTIALS: join(dataDir, 'credentials.json') })
  await until('it listens', () => site.lines.length > 0)
  const { origin } = new URL(site.lines[0]!)
  expect(await text((await fetch(origin)).body!)).toContain('<script type="module">')
  const { api, channel } = await (await fetch(`${origin}/settings`)).json() as { api: string, channel: string }
  expect((await fetch(`${api}/client.js`)).headers.get('content-type')).toContain('text/javascript')
  for (const user of ['alice', 'bob', 'alice']) {
    const token = await (await fetch(`${origin}/token?user=${user}`, { method: 'POST' })).text()
    expect((await asUser(service, token, 'POST', `/v1/channels/${channel}/messages`, { textPayload: `I am ${user}` })).body).toMatchObject({ senderId: { identifier: user } })
  }
})
