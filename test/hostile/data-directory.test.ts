/** What happens to DATA_DIR and its files while the service runs, or before it starts: told of, and never acknowledged into nothing. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { asApplication, basicOf, call, runScript, spawnService, type ServiceProcess } from '../support/process.ts'
import { openReader } from '../support/sse.ts'

let parent: string
let dataDir: string
let service: ServiceProcess | undefined
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'channel-relay-directory-'))
  dataDir = join(parent, 'data')
})
afterEach(async () => {
  await service?.kill('SIGKILL')
  service = undefined
  rmSync(parent, { recursive: true, force: true })
})

const createUser = async (userId: string) => (await asApplication(service!, 'POST', '/v1/users', { userId })).status
const ready = async () => (await call(service!.url, 'GET', '/health/ready', {})).status
const becomes = async (status: number) => await until(`it is ${status}`, async () => await ready() === status)

describe('while it runs', () => {
  it.each([
    ['moved', () => renameSync(dataDir, `${dataDir}-elsewhere`), () => renameSync(`${dataDir}-elsewhere`, dataDir)],
    ['removed', () => { for (const file of readdirSync(dataDir)) if (file.startsWith('channel-relay.db')) rmSync(join(dataDir, file)) }, undefined]
  ] as const)('data that are %s take no write, and readiness says so within seconds; put back, they go on', async (_how, take, putBack) => {
    service = await spawnService({ dataDir })
    expect(await createUser('before')).toBe(200)
    take()
    expect(await createUser('lost')).toBe(503)
    await becomes(503)
    expect((await asApplication(service, 'GET', '/v1/users/before')).status).toBe(503)
    expect(service.output()).toContain('was moved or removed')
    const stream = await openReader(`${service.url}/v1/events`, { authorization: basicOf(service.credentials) })
    expect([stream.status, (await stream.until('bye')).json.reason]).toEqual([200, 'unavailable'])
    if (putBack === undefined) return
    putBack()
    await becomes(200)
    expect((await asApplication(service, 'GET', '/v1/users/before')).status).toBe(200)
    expect(await createUser('after')).toBe(200)
    // A 503 has changed nothing.
    expect((await asApplication(service, 'GET', '/v1/users/lost')).status).toBe(404)
  })

  it.each<[string, () => void]>([
    ['whose write-ahead log was removed', () => rmSync(join(dataDir, 'channel-relay.db-wal'))],
    ['that were cut short', () => truncateSync(join(dataDir, 'channel-relay.db'), 0)],
    ['that cannot be looked at', () => {
      renameSync(dataDir, `${dataDir}-elsewhere`)
      symlinkSync(dataDir, dataDir)
    }]
  ])('data %s take no write, and the process goes on', async (_how, harm) => {
    service = await spawnService({ dataDir })
    expect(await createUser('before')).toBe(200)
    harm()
    expect(await Promise.all(['lost-1', 'lost-2', 'lost-3'].map(createUser))).toEqual([503, 503, 503])
    await becomes(503)
    expect((await call(service.url, 'GET', '/health/live', {})).status).toBe(200)
  })

  it('a database file that is cut short is unavailable, or the end of the process; never a loop', async () => {
    service = await spawnService({ dataDir })
    for (let index = 0; index < 20; index++) await asApplication(service, 'POST', '/v1/users', { userId: `user-${index}`, screenName: { screenName: 'x'.repeat(250) } })
    await service.stop()
    service = await spawnService({ dataDir })
    truncateSync(join(dataDir, 'channel-relay.db'), 8_192)
    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => asApplication(service!, 'GET', `/v1/users/user-${index}`).then(({ status }) => status, () => 'ended')))
    for (const answer of answers) expect([200, 404, 503, 'ended']).toContain(answer)
    await service.stop()
    expect(service.process.exitCode ?? service.process.signalCode).not.toBeNull()
  })
})

describe('before it starts', () => {
  const start = async () => await runScript(['src/server.ts'], { DATA_DIR: dataDir, PORT: '0' })

  it.each([
    ['a database that is none', 'channel-relay.db', 'this is no database, but long enough to look like one. '.repeat(100)],
    ['a lock that is none', 'lock', 'this is no lock, but long enough to look like one. '.repeat(100)]
  ])('%s is told of in one sentence, with its path', async (_what, file, content) => {
    mkdirSync(dataDir, { mode: 0o700 })
    writeFileSync(join(dataDir, file), content)
    const { code, stderr } = await start()
    expect(code).toBe(1)
    expect(stderr).toContain(dataDir)
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it('a directory that cannot be made ends the start with a sentence, and does not spin', async () => {
    dataDir = '/proc/channel-relay'
    const { code, stderr } = await start()
    expect([code, stderr.includes('/proc/channel-relay')]).toEqual([1, true])
  })

  it.skipIf(process.getuid?.() === 0)('a directory that may not be written to ends the start with a sentence', async () => {
    service = await spawnService({ dataDir })
    await service.stop()
    chmodSync(dataDir, 0o500)
    const { code, stderr } = await start()
    chmodSync(dataDir, 0o700)
    expect([code, stderr.includes(dataDir)]).toEqual([1, true])
  })

  it('files are their owner\'s alone, those of before too, and a directory that others may enter is warned of', async () => {
    mkdirSync(dataDir)
    chmodSync(dataDir, 0o755)
    service = await spawnService({ dataDir })
    expect(service.output()).toContain('others may enter DATA_DIR')
    await service.kill('SIGKILL')
    for (const file of readdirSync(dataDir)) chmodSync(join(dataDir, file), 0o644)
    service = await spawnService({ dataDir })
    const open = readdirSync(dataDir).filter(file => file !== 'lock' && (statSync(join(dataDir, file)).mode & 0o077) !== 0)
    expect(open).toEqual([])
    expect(service.output('stderr')).toContain('Others could read or write')
  })

  it('is made where nothing is to be kept in it before the data, because all credentials are given', async () => {
    const given = { APPLICATION_ID: 'a', ACCESS_KEY: 'k', ACCESS_SECRET: Buffer.alloc(32).toString('base64'), TOKEN_SECRET: 't'.repeat(64) }
    service = await spawnService({ dataDir, env: given })
    expect(readdirSync(dataDir)).toContain('channel-relay.db')
    expect(readdirSync(dataDir)).not.toContain('credentials.json')
  })

  it('credentials whose secret is not base64 are refused', async () => {
    mkdirSync(dataDir, { mode: 0o700 })
    const kept = { applicationId: 'a', accessKey: 'k', accessSecret: 'this is not base64 at all!', tokenSecret: 't'.repeat(64) }
    writeFileSync(join(dataDir, 'credentials.json'), JSON.stringify(kept), { mode: 0o600 })
    const { code, stderr } = await start()
    expect([code, stderr.includes('does not hold credentials')]).toEqual([1, true])
  })
})
