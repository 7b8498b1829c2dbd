import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../durability/conversation.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from './postgres.ts'
import { createStandby } from './standby.ts'
import { startProxy } from './tcp-proxy.ts'

const texts = async (server: PostgresServer) => (await server.query<{ text: string }>('select text from said order by text')).map(({ text }) => text)

describe('a server', () => {
  let server: PostgresServer

  beforeAll(async () => {
    server = await startPostgres()
    await server.query('create table said (text text)')
  })
  afterAll(() => server.stop())

  it('is safe unless it is told otherwise', async () => {
    expect(await server.query("select current_setting('fsync') fsync, current_setting('full_page_writes') pages, current_setting('max_connections') connections"))
      .toEqual([{ fsync: 'on', pages: 'on', connections: '200' }])
  })

  it('gives databases apart, which go with whoever is in them', async () => {
    const [one, other] = [await server.createDatabase(), await server.createDatabase()]
    await server.query('create table here (id int)', one)
    await expect(server.query('select * from here', other)).rejects.toThrow('does not exist')
    await server.dropDatabase(one)
    await expect(server.query('select 1', one)).rejects.toThrow('does not exist')
    await server.dropDatabase(other)
  })

  it.each(['fast', 'immediate'] as const)('has what was committed after a %s restart, on the same port', async mode => {
    await server.query(`insert into said values ('${mode}')`)
    await server.restart(mode)
    expect(await texts(server)).toContain(mode)
  })

  it('has what was committed after all of its processes were killed', async () => {
    await server.query("insert into said values ('killed')")
    await server.kill()
    await expect(server.query('select 1')).rejects.toThrow('ECONNREFUSED')
    await server.start()
    expect(await texts(server)).toContain('killed')
  })

  it('answers nothing while it is paused, and then what was asked', async () => {
    let answered = false
    server.pause()
    const query = server.query('select 1 one').finally(() => { answered = true })
    await delay(200)
    expect(answered).toBe(false)
    server.resume()
    expect(await query).toEqual([{ one: 1 }])
  })
})

it('ends and is removed when the process that started it is killed', async () => {
  const script = `
    import { startPostgres } from '${import.meta.dirname}/postgres.ts'
    const server = await startPostgres()
    server.pause()
    console.log(server.dataDirectory)
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [directory] = await once(createInterface(child.stdout), 'line') as [string]
  expect(existsSync(directory)).toBe(true)
  child.kill('SIGKILL')
  await until('its directory is gone', () => !existsSync(directory))
})

it('hands over to a synchronous standby what was committed, again and again', async () => {
  let primary = await startPostgres()
  const servers = [primary]
  try {
    await primary.query('create table said (text text)')
    for (const text of ['one', 'two']) {
      const standby = await createStandby(primary, { synchronous: true })
      servers.push(standby)
      await primary.query(`insert into said values ('${text}')`)
      await primary.kill()
      await expect(standby.query("insert into said values ('too early')")).rejects.toThrow('read-only')
      await standby.promote()
      await primary.stop()
      primary = standby
    }
    expect(await texts(primary)).toEqual(['one', 'two'])
  } finally {
    for (const server of servers) await server.stop()
  }
}, 60_000)

it('loses with an asynchronous standby what that did not have', async () => {
  const primary = await startPostgres({ settings: unsafeSettings })
  const way = await startProxy({ port: primary.port })
  const standby = await createStandby(primary, { primaryPort: way.port })
  try {
    way.blackHole()
    await primary.query('create table said (text text)')
    await primary.kill()
    way.close()
    await standby.promote()
    await expect(standby.query('select * from said')).rejects.toThrow('does not exist')
  } finally {
    await primary.stop()
    await standby.stop()
  }
}, 60_000)
