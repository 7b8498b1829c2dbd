/** The tool, killed at any moment, again and again: at each of them exactly one side has the store, or may have it when the tool was run again. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { databaseFile } from '../../src/store/sqlite/database.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { randomsOf } from '../support/delayed-reads.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { projectDir } from '../support/process.ts'
import { inDatabase, makePlace, migrateTool, type Place } from './moving.ts'

const ROUNDS = 12
const KILLS = 6
const MESSAGES = 4_000

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000)

async function makeSource (dataDir: string): Promise<void> {
  const store = await openSqliteStore({ dataDir })
  await store.append(createUser('amy'))
  await store.append(createChannel('amy', 'room'))
  await Promise.all(Array.from({ length: MESSAGES }, (_, nth) => store.append(send('amy', 'room', `text ${nth} ${'x'.repeat(300)}`))))
  await store.close()
}

/** @returns whether it had ended by itself, and well */
async function killAfter ({ dataDir, url }: Place, ms: number): Promise<boolean> {
  const tool = spawn(process.execPath, ['src/migrate.ts', '--from', dataDir, '--to', url], {
    cwd: projectDir, stdio: 'ignore', env: { PATH: process.env.PATH, DATABASE_ALLOW_UNSAFE: 'true' }
  })
  const ended = once(tool, 'exit')
  await Promise.race([ended, sleep(ms)])
  tool.kill('SIGKILL')
  const [code] = await ended
  await inDatabase(url, 'select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = \'channel-relay moves\' and datname = current_database()')
  return code === 0
}

const isEmbedded = async ({ dataDir }: Place): Promise<boolean> => await openSqliteStore({ dataDir }).then(
  async store => { await store.close(); return true },
  err => { if ((err as Error).message.includes('is sealed')) return false; throw err })

/** What a node that is started on the database finds there. */
async function onDatabase ({ url }: Place): Promise<'all' | 'nothing' | 'refused'> {
  try {
    await (await openPostgresStore({ url, allowUnsafe: true })).close()
  } catch (err) {
    if ((err as Error).message.includes('npm run migrate')) return 'refused'
    throw err
  }
  const [{ rows }] = await inDatabase(url, 'select count(*)::int as rows from entries') as [{ rows: number }]
  expect([0, MESSAGES + 1]).toContain(rows)
  return rows === 0 ? 'nothing' : 'all'
}

it(`the store is in one place, whole, whenever the tool is killed (SEED=${seed})`, async () => {
  const randoms = randomsOf(seed)
  const original = await makePlace()
  await makeSource(original.dataDir)
  const seen: Record<string, number> = {}
  for (let round = 0; round < ROUNDS; round++) {
    const place = await makePlace()
    copyFileSync(databaseFile(original.dataDir), databaseFile(place.dataDir))
    let done = false
    for (let kills = 0; kills < KILLS && !done; kills++) {
      done = await killAfter(place, 300 + 2_500 * randoms())
      const [embedded, database] = [await isEmbedded(place), await onDatabase(place)]
      const state = `${embedded ? 'open' : 'sealed'}, ${database}`
      seen[state] = (seen[state] ?? 0) + 1
      expect(['open, nothing', 'open, refused', 'sealed, refused', 'sealed, all']).toContain(state)
      if (done) expect(state).toBe('sealed, all')
    }
    expect(await migrateTool(['--from', place.dataDir, '--to', place.url])).toMatchObject({ code: 0, stderr: '' })
    expect([await isEmbedded(place), await onDatabase(place)]).toEqual([false, 'all'])
    place.remove()
  }
  original.remove()
  expect(seen['open, refused']).toBeGreaterThan(0)
})
