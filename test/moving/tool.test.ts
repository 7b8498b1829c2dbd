/** `npm run migrate`: what it takes and refuses, what becomes of a copy that is broken off, and of the store that was moved. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { databaseFile } from '../../src/store/sqlite/database.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { projectDir, runScript, spawnService, tokenFor, type ServiceProcess } from '../support/process.ts'
import { inDatabase, makePlace, migrateTool, moveTo, type Place } from './moving.ts'

let place: Place
let services: ServiceProcess[]
let tools: ChildProcess[]
beforeEach(async () => {
  place = await makePlace()
  services = []
  tools = []
})
afterEach(async () => {
  for (const service of services) await service.stop()
  for (const tool of tools) tool.kill('SIGKILL')
  if (tools.length > 0) await endItsSession() // else its database cannot be dropped
  place.remove()
})

const credentials = { APPLICATION_ID: 'app', ACCESS_KEY: 'key', ACCESS_SECRET: Buffer.alloc(32, 7).toString('base64'), TOKEN_SECRET: 's'.repeat(64) }
const onDatabase = () => ({ DATABASE_URL: place.url, DATABASE_ALLOW_UNSAFE: 'true', ...credentials })

async function start (env: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await spawnService({ dataDir: place.dataDir, env })
  services.push(service)
  return service
}
const server = async (env: Record<string, string> = {}) => await runScript(['src/server.ts'], { DATA_DIR: place.dataDir, PORT: '0', LOG_LEVEL: 'silent', ...env })
const migrate = async (dataDir = place.dataDir, env: Record<string, string> = {}) => await migrateTool(['--from', dataDir, '--to', place.url], env)

/** A store with somebody in it, who has said something. */
async function make (dataDir = place.dataDir): Promise<void> {
  const store = await openSqliteStore({ dataDir })
  for (const command of [createUser('amy'), createChannel('amy', 'room'), send('amy', 'room', 'Hello')]) await store.append(command)
  await store.close()
}

/** One that is given up in the middle: members are copied for ever. */
async function breakOff (dataDir = place.dataDir): Promise<void> {
  await (await openPostgresStore({ url: place.url, allowUnsafe: true })).close()
  await inDatabase(place.url, `create function wait_for_ever () returns trigger language plpgsql as 'begin perform pg_sleep(600); return new; end';
    create trigger waits before insert on participations for each row execute function wait_for_ever()`)
  const tool = spawn(process.execPath, ['src/migrate.ts', '--from', dataDir, '--to', place.url], {
    cwd: projectDir, stdio: 'ignore', env: { PATH: process.env.PATH, DATABASE_ALLOW_UNSAFE: 'true' }
  })
  tools.push(tool)
  await expect.poll(async () => await inDatabase(place.url, 'select 1 from pg_stat_activity where datname = current_database() and wait_event = \'PgSleep\''), { timeout: 15_000 }).toHaveLength(1)
  const ended = once(tool, 'exit')
  tool.kill('SIGKILL')
  await ended
}

/** What the server is still at for it. */
const endItsSession = async () =>
  await inDatabase(place.url, 'select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and wait_event = \'PgSleep\'')

/** Its lines, of which there is to be one. */
const sentence = ({ code, stdout, stderr }: Awaited<ReturnType<typeof server>>): string => {
  const lines = stderr.trim().split('\n')
  expect({ code, stdout, lines: lines.length }, stderr).toEqual({ code: 1, stdout: '', lines: 1 })
  return lines[0]!
}

const isOpen = async (dataDir = place.dataDir) => await openSqliteStore({ dataDir }).then(async store => { await store.close(); return true })

describe('the tool', () => {
  test('moves a store, says what it came to, and what nodes need, without secrets', async () => {
    const service = await start()
    await tokenFor(service, 'amy')
    await service.kill('SIGKILL') // what it has written is in the write-ahead log
    expect(statSync(`${databaseFile(place.dataDir)}-wal`).size).toBeGreaterThan(0)
    const { code, stdout, stderr } = await migrate()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { port, pathname, password } = new URL(place.url)
    expect(stdout).toContain(`postgres://postgres@127.0.0.1:${port}${pathname} `)
    expect(stdout).toMatch(/^ {2}users +2 {2}[0-9a-f]{64}$/m)
    expect(stdout).toContain(join(place.dataDir, 'credentials.json'))
    for (const secret of [password, service.credentials.accessSecret, service.credentials.tokenSecret]) expect(stdout).not.toContain(secret)
    expect(await inDatabase(place.url, 'select user_id from users order by user_key')).toEqual([{ user_id: '.system' }, { user_id: 'amy' }])
  })

  test('takes the database from DATABASE_URL where it is not told', async () => {
    await make()
    expect(await migrateTool(['--from', place.dataDir], { DATABASE_URL: place.url })).toMatchObject({ code: 0, stderr: '' })
  })

  test('finds the server among several', async () => {
    await make()
    const to = place.url.replace('@', '@127.0.0.1:1,')
    expect(await migrateTool(['--from', place.dataDir, '--to', to])).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('@127.0.0.1:1,127.0.0.1:') })
  })

  test.each([
    ['nothing', []],
    ['no database', ['--from', 'data']],
    ['no directory', ['--to', 'postgres://a@b/c']],
    ['something else', ['--from', 'data', '--to', 'postgres://a@b/c', '--now']]
  ])('says how it is used where it is given %s', async (_, args) => {
    expect(sentence(await migrateTool(args))).toMatch(/^Usage: npm run migrate -- --from /)
  })

  test('says what a URL must be, and not what it is', async () => {
    await make()
    const said = sentence(await migrateTool(['--from', place.dataDir, '--to', 'postgres://amy:sesame@']))
    expect(said).toContain('postgres://user:password@host:5432/database')
    expect(said).not.toContain('sesame')
  })

  test('refuses a directory without a store, and makes none', async () => {
    for (const dataDir of [place.dataDir, join(place.dataDir, 'gone')]) expect(sentence(await migrate(dataDir))).toBe(`There is no store in ${dataDir}: --from must be the DATA_DIR of a service`)
    expect(readdirSync(place.dataDir)).toEqual([])
  })

  test('refuses one on which a service runs, which goes on', async () => {
    const service = await start()
    expect(sentence(await migrate())).toContain(`is at work on ${place.dataDir}`)
    expect((await fetch(`${service.url}/health/ready`)).status).toBe(200)
  })

  test('refuses a server that is not there', async () => {
    await make()
    expect(sentence(await migrateTool(['--from', place.dataDir, '--to', 'postgres://amy@127.0.0.1:1/chat']))).toMatch(/^No database can be used \(.*ECONNREFUSED/)
    expect(await isOpen()).toBe(true)
  })

  test('refuses a server that may forget, unless it is told that it may', async () => {
    await make()
    expect(sentence(await migrate(place.dataDir, { DATABASE_ALLOW_UNSAFE: 'false' }))).toContain('fsync = off')
  })

  test('refuses a database in which there is something', async () => {
    await make()
    const store = await openPostgresStore({ url: place.url, allowUnsafe: true })
    await store.append(createUser('somebody'))
    await store.close()
    expect(sentence(await migrate())).toMatch(/^The database is not empty/)
    expect(await inDatabase(place.url, 'select user_id from users where user_key > 0')).toEqual([{ user_id: 'somebody' }])
    expect(await isOpen()).toBe(true)
  })

  test('takes one on which a service was started that has nothing, whose history goes', async () => {
    await make()
    const node = await start(onDatabase())
    await node.stop()
    const [before] = await inDatabase(place.url, 'select value from meta where name = \'epoch\'')
    const { code, stdout } = await migrate()
    const [after] = await inDatabase(place.url, 'select value from meta where name = \'epoch\'')
    expect(code).toBe(0)
    expect(stdout).toContain(`its epoch is ${after!.value}`)
    expect(after).not.toEqual(before)
  })

  test('refuses one on which a service runs, which goes on', async () => {
    await make()
    const node = await start(onDatabase())
    expect(sentence(await migrate())).toMatch(/^A service runs on the database/)
    expect((await fetch(`${node.url}/health/ready`)).status).toBe(200)
    expect(await isOpen()).toBe(true)
  }, 30_000)

  test('finds what was changed in the database meanwhile, says in which table, and seals nothing', async () => {
    await make()
    await (await openPostgresStore({ url: place.url, allowUnsafe: true })).close()
    await inDatabase(place.url, `create function falsify () returns trigger language plpgsql as 'begin new.at = new.at + 1; return new; end';
      create trigger falsifies before insert on entries for each row when (new.kind = 'message') execute function falsify()`)
    expect(sentence(await migrate())).toMatch(/^The copy differs in entries \(the checksum\), and nothing is sealed/)
    expect(sentence(await server(onDatabase()))).toContain('npm run migrate')
    expect(await isOpen()).toBe(true)
  })

  test('finds a row that is not there', async () => {
    await make()
    await (await openPostgresStore({ url: place.url, allowUnsafe: true })).close()
    await inDatabase(place.url, `create function lose () returns trigger language plpgsql as 'begin return null; end';
      create trigger loses before insert on intervals for each row execute function lose()`)
    expect(sentence(await migrate())).toContain('intervals (1 rows in the store, 0 in the database)')
    expect(await isOpen()).toBe(true)
  })
})

describe('a copy that was broken off', () => {
  test('keeps services from starting on the database, and the store in use', async () => {
    await make()
    await breakOff()
    expect(sentence(await server(onDatabase()))).toMatch(/^The database of DATABASE_URL has an embedded store copied into it, and not all of it is there: .*npm run migrate/)
    expect(await isOpen()).toBe(true)
  }, 30_000)

  test('is waited for while the server is still at it, and is begun anew with what the store has by then', async () => {
    await make()
    await breakOff()
    expect(sentence(await migrate())).toContain('Another "npm run migrate" is at work on the database')
    await endItsSession()
    const store = await openSqliteStore({ dataDir: place.dataDir })
    await store.append(send('amy', 'room', 'And more'))
    await store.close()
    expect(await migrate()).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^ {2}entries +3 /m) })
    const node = await start(onDatabase())
    expect((await fetch(`${node.url}/health/ready`)).status).toBe(200)
  }, 60_000)

  test('is none of another store\'s', async () => {
    await make()
    await breakOff()
    await endItsSession()
    const other = join(place.dataDir, 'other')
    mkdirSync(other)
    await make(other)
    expect(sentence(await migrate(other))).toMatch(/^Another store is copied into the database/)
    expect(await isOpen(other)).toBe(true)
  }, 30_000)

  test('leaves the database with all its indexes when it is begun anew', async () => {
    await make()
    const indexes = async () => await inDatabase(place.url, 'select indexname, indexdef from pg_indexes where schemaname = \'channel_relay\' order by indexname')
    await (await openPostgresStore({ url: place.url, allowUnsafe: true })).close()
    const made = await indexes()
    await breakOff()
    await endItsSession()
    expect(await indexes()).not.toEqual(made)
    expect((await migrate()).code).toBe(0)
    expect(await indexes()).toEqual(made)
  }, 30_000)
})

describe('a store that was moved', () => {
  const moved = /^The store in DATA_DIR \S+ was moved to postgres:\/\/postgres@127\.0\.0\.1:\d+\/\w+ at 20\S+Z and is sealed: set DATABASE_URL to where it is now/

  test('refuses to start, and says where it went, without a password', async () => {
    await make()
    await moveTo(place.url, place.dataDir)
    const said = sentence(await server())
    expect(said).toMatch(moved)
    expect(said).not.toContain(new URL(place.url).password)
    expect((await runScript(['src/token.ts', 'amy'], { DATA_DIR: place.dataDir })).stderr).toMatch(moved)
  })

  test('refuses in a copy of its file alone', async () => {
    await make()
    await moveTo(place.url, place.dataDir)
    const elsewhere = join(place.dataDir, 'elsewhere')
    mkdirSync(elsewhere)
    copyFileSync(databaseFile(place.dataDir), databaseFile(elsewhere))
    await expect(openSqliteStore({ dataDir: elsewhere })).rejects.toThrow(moved)
  })

  test('has a schema that no version knows which knows no seal', async () => {
    await make()
    await moveTo(place.url, place.dataDir)
    const db = new DatabaseSync(databaseFile(place.dataDir), { readOnly: true })
    expect(db.prepare('pragma user_version').get()).toEqual({ user_version: 2 ** 31 - 1 })
    db.close()
  })

  test('is done where it is moved there again, and refused where it is moved elsewhere', async () => {
    await make()
    await moveTo(place.url, place.dataDir)
    expect(await migrate()).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('is sealed') })
    const other = await makePlace()
    expect(sentence(await migrateTool(['--from', place.dataDir, '--to', other.url]))).toMatch(moved)
    other.remove()
  })

  test('is let go of by the database where the tool ended between the two', async () => {
    await make()
    const { epoch } = await moveTo(place.url, place.dataDir)
    await inDatabase(place.url, `insert into meta (name, value) values ('copy_of', '${epoch} compared')`)
    expect(sentence(await server(onDatabase()))).toContain('npm run migrate')
    expect((await migrate()).code).toBe(0)
    const node = await start(onDatabase())
    expect((await fetch(`${node.url}/health/ready`)).status).toBe(200)
  })

  test('is not let in where something else was copied there since, and broken off', async () => {
    await make()
    const { epoch } = await moveTo(place.url, place.dataDir)
    await inDatabase(place.url, `insert into meta (name, value) values ('copy_of', '${epoch}')`)
    await expect(moveTo(place.url, place.dataDir)).rejects.toThrow(moved)
    expect(sentence(await server(onDatabase()))).toContain('npm run migrate')
  })

  test('of which there is an older copy, is not replaced by that', async () => {
    await make()
    const copy = join(place.dataDir, 'backup')
    mkdirSync(copy)
    copyFileSync(databaseFile(place.dataDir), databaseFile(copy))
    await moveTo(place.url, place.dataDir)
    await expect(moveTo(place.url, copy)).rejects.toThrow('The store was moved into the database already')
    rmSync(copy, { recursive: true })
  })
})
