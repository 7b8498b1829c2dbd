import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadCredentials } from '../../src/auth/credentials.ts'
import { readSettings } from '../../src/settings.ts'
import { runScript } from '../support/process.ts'

let parent: string
let dataDir: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'channel-relay-'))
  dataDir = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true, force: true }))

const load = (env: Record<string, string> = {}) => loadCredentials(readSettings({ DATA_DIR: dataDir, ...env }))
const file = () => join(dataDir, 'credentials.json')

const given = {
  APPLICATION_ID: 'app',
  ACCESS_KEY: 'key',
  ACCESS_SECRET: Buffer.alloc(32, 7).toString('base64'),
  TOKEN_SECRET: 's'.repeat(64)
}

test('the first start makes credentials that the settings themselves would accept, and later ones find them again', () => {
  const made = load()
  expect(load()).toEqual(made)
  expect(() => readSettings({
    APPLICATION_ID: made.applicationId, ACCESS_KEY: made.accessKey, ACCESS_SECRET: made.accessSecret, TOKEN_SECRET: made.tokenSecret
  })).not.toThrow()
})

test('no two installations share a credential', () => {
  const one = load()
  rmSync(dataDir, { recursive: true })
  const other = load()
  for (const name of ['applicationId', 'accessKey', 'accessSecret', 'tokenSecret'] as const) expect(one[name]).not.toBe(other[name])
})

test('only the owner can read the file and its directory, and no draft is left beside it', () => {
  load()
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
  expect(readdirSync(dataDir)).toEqual(['credentials.json'])
})

test('the environment goes before the file', () => {
  const made = load()
  expect(load({ ACCESS_KEY: 'key' })).toEqual({ ...made, accessKey: 'key' })
  expect(load(given)).toEqual({ applicationId: 'app', accessKey: 'key', accessSecret: given.ACCESS_SECRET, tokenSecret: given.TOKEN_SECRET })
})

test('where the environment gives all, nothing is written', () => {
  load(given)
  expect(() => statSync(file())).toThrow('ENOENT')
})

test('with a database all of them must be given: which are missing is said, and nothing is made', () => {
  const DATABASE_URL = 'postgres://user:hush@host/relay'
  expect(load({ DATABASE_URL, ...given })).toMatchObject({ applicationId: 'app', accessKey: 'key' })
  expect(() => load({ DATABASE_URL, ACCESS_KEY: 'key', ACCESS_SECRET: given.ACCESS_SECRET }))
    .toThrow(/^DATABASE_URL is set, and APPLICATION_ID, TOKEN_SECRET not: all nodes must be given the same credentials/)
  expect(readdirSync(parent)).toEqual([])
})

test('with a database, what is kept in the directory does not count', () => {
  load()
  expect(() => load({ DATABASE_URL: 'postgres://user:hush@host/relay' })).toThrow('APPLICATION_ID, ACCESS_KEY, ACCESS_SECRET, TOKEN_SECRET not')
})

test.each(['', '{"applicationId": "a', '[]', '{"applicationId":"a"}'])('a file that holds %j is named in the error and left as it is', (content) => {
  load()
  writeFileSync(file(), content)
  expect(() => load()).toThrow(file())
  expect(readFileSync(file(), 'utf8')).toBe(content)
})

test('an error about a corrupt file does not repeat it', () => {
  load()
  writeFileSync(file(), 'oops SECRET')
  expect(() => load()).toThrow(expect.not.objectContaining({ message: expect.stringContaining('SECRET') }))
})

test('a directory that cannot be made is named in the error', () => {
  writeFileSync(dataDir, 'a file')
  expect(() => load()).toThrow(dataDir)
})

test('processes that start at the same moment end up with the same credentials', async () => {
  // Each process goes through the same directories, all of them at one on the tick of a common clock.
  const script = `
    import { loadCredentials } from './src/auth/credentials.ts'
    for (let round = 0; round < 50; round++) {
      while (Date.now() < Number(process.env.START_AT) + round * 10);
      console.log(JSON.stringify(loadCredentials({ dataDir: process.env.DATA_DIR + '/' + round })))
    }
  `
  const env = { DATA_DIR: dataDir, START_AT: String(Date.now() + 2000) }
  const results = await Promise.all(Array.from({ length: 4 }, async () =>
    await runScript(['--input-type=module-typescript', '-e', script], env)))
  expect(results.map(({ stderr }) => stderr).join('')).toBe('')
  expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1)
  expect(results[0]!.stdout.trim().split('\n')).toHaveLength(50)
})
