/** The process and the token tool where the data is in PostgreSQL: nothing of it is on the machine of a node. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../durability/conversation.ts'
import { asUser, projectDir, runScript, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'

const credentials = {
  APPLICATION_ID: 'app',
  ACCESS_KEY: 'key',
  ACCESS_SECRET: Buffer.alloc(32, 7).toString('base64'),
  TOKEN_SECRET: 's'.repeat(64)
}

let parent: string
/** Is not there, and is not to be made. */
let dataDir: string
let settings: Record<string, string>
let password: string
let services: ServiceProcess[]
let proxy: TcpProxy | undefined
let waiting: ChildProcess | undefined
beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  dataDir = join(parent, 'data')
  const url = await sharedDatabase(parent)
  password = new URL(url).password
  // The tests' server is fast, and may forget.
  settings = { DATABASE_URL: url, DATABASE_ALLOW_UNSAFE: 'true', ...credentials }
  services = []
})
afterEach(async () => {
  for (const service of services) await service.stop()
  waiting?.kill('SIGKILL')
  proxy?.close()
  proxy = undefined
  expect(existsSync(dataDir)).toBe(false)
  rmSync(parent, { recursive: true, force: true })
})

async function start (env: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await spawnService({ dataDir, env: { ...settings, ...env } })
  services.push(service)
  return service
}
const tokenTool = async (userId: string, env: Record<string, string> = {}) => await runScript(['src/token.ts', userId], { DATA_DIR: dataDir, ...settings, ...env })
const server = async (env: Record<string, string>) => await runScript(['src/server.ts'], { DATA_DIR: dataDir, PORT: '0', ...env })

/** The process, whose way to the database is a proxy that refuses connections. */
async function startWithoutDatabase () {
  const url = new URL(settings.DATABASE_URL!)
  proxy = await startProxy({ port: Number(url.port) })
  proxy.refuse()
  url.port = String(proxy.port)
  const env = { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', ...settings, DATABASE_URL: url.href }
  const child = spawn(process.execPath, ['src/server.ts'], { cwd: projectDir, env, stdio: ['ignore', 'pipe', 'ignore'] })
  waiting = child
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => { output += chunk })
  return {
    process: child,
    ended: once(child, 'close'),
    output: () => output,
    says: async (what: string) => await until(`it says "${what}"`, () => output.includes(what))
  }
}

describe('the process', () => {
  test('is one of several: what one does the other has, and either takes tokens of the other', async () => {
    const [one, other] = [await start(), await start()]
    const token = await tokenFor(one, 'alice')
    expect((await asUser(other, token, 'GET', '/v1/users/me')).body).toMatchObject({ userId: 'alice' })
    expect((await fetch(`${other.url}/health/ready`)).status).toBe(200)
    expect(await one.stop()).toBe(0)
    expect((await asUser(other, token, 'GET', '/v1/users/me')).status).toBe(200)
  })

  test('tells neither its log nor the terminal the password, and the terminal what other terminals need', async () => {
    const child = await start({ LOG_LEVEL: 'trace' })
    await tokenFor(child, 'alice')
    await child.stop()
    expect(child.output()).not.toContain(password)
    expect(child.output('stderr')).toContain('the same DATABASE_URL, APPLICATION_ID, ACCESS_KEY, ACCESS_SECRET, TOKEN_SECRET in their environment')
    expect(child.output('stderr')).not.toContain('DATA_DIR=')
  })

  test('waits for a database that is not there yet, and says so once', async () => {
    const child = await startWithoutDatabase()
    await child.says('waiting for one')
    await proxy!.accept()
    await child.says('listening on')
    child.process.kill('SIGTERM')
    await child.ended
    const told = child.output().split('\n').filter(line => line.includes('waiting for one'))
    expect(told).toHaveLength(1)
    expect(told[0]).not.toContain(password)
  })

  test('stops while it waits for a database', async () => {
    const child = await startWithoutDatabase()
    await child.says('waiting for one')
    child.process.kill('SIGTERM')
    expect(await child.ended).toEqual([0, null])
  })

  test.each<[string, (env: Record<string, string>) => Record<string, string>, RegExp]>([
    ['credentials of its own making', ({ DATABASE_URL }) => ({ DATABASE_URL: DATABASE_URL! }), /^DATABASE_URL is set, and APPLICATION_ID, ACCESS_KEY, ACCESS_SECRET, TOKEN_SECRET not: all nodes/],
    ['a server that may forget', ({ DATABASE_ALLOW_UNSAFE, ...env }) => env, /^The database of DATABASE_URL runs with fsync = off/],
    ['a URL that is none', env => ({ ...env, DATABASE_URL: env.DATABASE_URL!.replace('@', '@@') }), /^DATABASE_URL is not right/]
  ])('does not start with %s, and says why in one sentence, without the password', async (_, change, reason) => {
    const { code, stdout, stderr } = await server(change(settings))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(reason)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toContain(password)
  })
})

describe('the token tool', () => {
  test('prints a token alone, whether nodes run or not, which they take', async () => {
    const before = await tokenTool('alice')
    expect(before).toMatchObject({ code: 0, stdout: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/), stderr: '' })
    const child = await start()
    const beside = await tokenTool('bob')
    expect(beside).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S+\n$/), stderr: '' })
    for (const [userId, { stdout }] of [['alice', before], ['bob', beside]] as const) {
      expect((await asUser(child, stdout.trim(), 'GET', '/v1/users/me')).body).toMatchObject({ userId })
    }
  })

  test('works many times at once, also on a database that is empty', async () => {
    const tools = await Promise.all(Array.from({ length: 4 }, async (_, index) => await tokenTool(`user-${index}`)))
    for (const { code, stdout, stderr } of tools) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/^\S+\n$/)
    }
  })

  test('without the nodes\' credentials says which are missing', async () => {
    expect(await tokenTool('alice', { TOKEN_SECRET: '' })).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^DATABASE_URL is set, and TOKEN_SECRET not/) })
  })
})
