import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { asUser, runningOf, runScript, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'

let dataDir: string
let services: ServiceProcess[]
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  services = []
})
afterEach(async () => {
  for (const service of services) await service.stop()
  rmSync(dataDir, { recursive: true, force: true })
})

async function start (env: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await spawnService({ dataDir, env })
  services.push(service)
  return service
}
const tokenTool = async (args: string[], env: Record<string, string> = {}) => await runScript(['src/token.ts', ...args], { DATA_DIR: dataDir, ...env })
const server = async (env: Record<string, string>) => await runScript(['src/server.ts'], { DATA_DIR: dataDir, PORT: '0', ...env })

describe('the process', () => {
  test('logs JSON on standard output and nothing else there, the banner goes beside it', async () => {
    const child = await start()
    await child.stop()
    const lines = child.output('stdout').trim().split('\n').map((line) => JSON.parse(line) as object)
    expect(lines).toContainEqual(expect.objectContaining({ msg: `listening on ${child.url}` }))
    expect(child.output('stderr')).toContain(`listens on ${child.url}`)
  })

  test('never logs a token or a secret', async () => {
    const child = await start({ LOG_LEVEL: 'trace' })
    const token = await tokenFor(child, 'alice')
    await asUser(child, token, 'GET', '/v1/users/me')
    await fetch(`${child.url}/v1/users/me/events?access_token=${token}`)
    await child.stop()
    const signature = token.split('.')[2]!
    for (const secret of [signature, child.credentials.accessSecret, child.credentials.tokenSecret]) expect(child.output()).not.toContain(secret)
  })

  test('says where it runs for as long as it does, and stops with exit code 0', async () => {
    const child = await start()
    expect(await runningOf(dataDir)).toEqual({ url: child.url, pid: child.process.pid })
    expect(await child.stop()).toBe(0)
    expect(existsSync(join(dataDir, 'running.json'))).toBe(false)
  })

  test('takes a signal that arrives twice at once, as Ctrl-C under npm does, for one', async () => {
    const child = await start()
    child.process.kill('SIGINT')
    await child.kill('SIGINT')
    expect(child.process.exitCode).toBe(0)
  })

  test('stops while a stream is open, which is told to come back', async () => {
    const child = await start()
    const token = await tokenFor(child, 'alice')
    const stream = await fetch(`${child.url}/v1/users/me/events`, { headers: { authorization: `Bearer ${token}` } })
    const [code, text] = await Promise.all([child.stop(), stream.text()])
    expect(code).toBe(0)
    expect(text.split('\n\n').at(-2)).toMatch(/^(?=[^]*retry: \d+)(?=[^]*event: bye)(?=[^]*"reason":"shutdown")/)
  })

  test('keeps credentials, users and tokens over a kill', async () => {
    const child = await start()
    const token = await tokenFor(child, 'alice')
    await child.kill('SIGKILL')
    const next = await start()
    expect(next.credentials).toEqual(child.credentials)
    expect((await asUser(next, token, 'GET', '/v1/users/me')).body).toMatchObject({ userId: 'alice' })
  })

  test('refuses a second one on the same data in one sentence, and the first goes on', async () => {
    const child = await start()
    const second = await server({})
    expect(second).toMatchObject({ code: 1, stdout: '' })
    expect(second.stderr.trim().split('\n')).toEqual([expect.stringContaining(dataDir)])
    expect((await fetch(`${child.url}/health/ready`)).status).toBe(200)
  })

  test.each([
    ['a wrong setting', { PORT: 'x' }, /^PORT is "x"/],
    ['an address that is not ours', { HOST: '192.0.2.1' }, /^The service cannot listen on HOST 192\.0\.2\.1/]
  ])('does not start with %s, and says why in one sentence', async (_, env, reason) => {
    const { code, stderr } = await server(env)
    expect(code).toBe(1)
    expect(stderr).toMatch(reason)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('does not start on a port that another service has, and says so where that is one of its kind', async () => {
    const other = await spawnService()
    const { code, stderr } = await server({ PORT: new URL(other.url).port })
    await other.stop()
    expect(code).toBe(1)
    expect(stderr).toMatch(/PORT \d+ \(EADDRINUSE: another channel-relay answers there/)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('does not start on credentials that it cannot read', async () => {
    writeFileSync(join(dataDir, 'credentials.json'), '{')
    expect(await server({})).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('credentials.json') })
  })
})

describe('the token tool', () => {
  test('prints a token alone, without a service, which a later service takes', async () => {
    const { code, stdout } = await tokenTool(['alice'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(statSync(join(dataDir, 'credentials.json')).mode & 0o777).toBe(0o600)
    expect((await asUser(await start(), stdout.trim(), 'GET', '/v1/users/me')).body).toMatchObject({ userId: 'alice' })
  })

  test('says so in one sentence where it makes a new store, once', async () => {
    const first = await tokenTool(['alice'])
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\S+\n$/), stderr: expect.stringMatching(/^There was nothing in DATA_DIR .*\n$/) })
    expect(first.stderr).toContain(dataDir)
    expect(await tokenTool(['alice'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/^No service runs on DATA_DIR .*\n$/) })
  })

  test('asks the service where one runs, for a user that is there too', async () => {
    const child = await start()
    for (const userId of ['#a@b$c', '#a@b$c']) {
      const { code, stdout, stderr } = await tokenTool([userId])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect((await asUser(child, stdout.trim(), 'GET', '/v1/users/me')).body).toMatchObject({ userId })
    }
  })

  test('works many times at once while a service starts and stops', async () => {
    await tokenTool(['first'])
    const tools = Array.from({ length: 6 }, async (_, index) => await tokenTool([`user-${index}`]))
    const child = await start()
    await child.stop()
    for (const { code, stdout, stderr } of await Promise.all(tools)) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringMatching(/^(?:No service runs on DATA_DIR .*\n)?$/) })
      expect(stdout).toMatch(/^\S+\n$/)
    }
  })

  test.each([
    ['no user', []],
    ['two users', ['alice', 'bob']],
    ['a reserved user', ['.system']],
    ['what paths use for the caller', ['me']],
    ['no identifier', ['a b']]
  ])('given %s, prints nothing but one sentence on standard error', async (_, args) => {
    const { code, stdout, stderr } = await tokenTool(args)
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  test('given other credentials than the service, says which settings to give it', async () => {
    await start({ ACCESS_KEY: 'another' })
    expect(await tokenTool(['alice'])).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('ACCESS_KEY and ACCESS_SECRET') })
  })
})
