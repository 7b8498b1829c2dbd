/** Databases as their administrators hand them over. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { startPostgres, unsafeSettings, type PostgresServer } from '../support/postgres.ts'
import { promptClock } from '../support/stores.ts'

let server: PostgresServer
beforeAll(async () => { server = await startPostgres({ settings: unsafeSettings }) }, 60_000)
afterAll(() => server.stop())

const open = async (url: string): Promise<Store> => await openPostgresStore({ url, clock: promptClock, allowUnsafe: true })

async function sends (store: Store, text: string): Promise<void> {
  try {
    await store.append(createUser('anna'))
    await store.append(createChannel('anna', 'the-channel'))
    await store.append(send('anna', 'the-channel', text))
    expect((await store.listMessages('anna', 'the-channel', { limit: 1, offset: 0 })).value.items.map(text => JSON.parse(text).textPayload)).toEqual([text])
  } finally {
    await store.close()
  }
}

it.each(['LATIN1', 'SQL_ASCII'])('one in the encoding %s, which cannot hold what people write, is refused in a sentence', async encoding => {
  await server.query(`create database in_${encoding} template template0 encoding '${encoding}' locale 'C'`)
  const opened = open(server.url(`in_${encoding.toLowerCase()}`)).then(async store => { await sends(store, 'smile 😀') }, (err: Error) => err.message)
  expect(await opened).toMatch(/encoding/)
})

it('one whose schema was made beforehand, for a role that may make none', async () => {
  const database = await server.createDatabase()
  await server.query('create role relay login password \'relay\'')
  await server.query('create schema channel_relay authorization relay', database)
  await sends(await open(`postgres://relay:relay@127.0.0.1:${server.port}/${database}`), 'hello')
}, 60_000)

it('one with tables of others, by the same names, in public', async () => {
  const database = await server.createDatabase()
  for (const table of ['users', 'channels', 'entries', 'meta']) await server.query(`create table ${table} (id integer)`, database)
  await sends(await open(server.url(database)), 'hello')
})

it.each([
  ['synchronous_commit', 'off'], ['default_transaction_isolation', 'serializable'], ['search_path', 'nowhere'], ['default_transaction_deferrable', 'on'],
  ['idle_session_timeout', '200ms'], ['standard_conforming_strings', 'off'], ['client_encoding', 'LATIN1'], ['lc_messages', 'C'], ['client_min_messages', 'error']
])('one with %s = %s', async (name, value) => {
  const database = await server.createDatabase()
  await server.query(`alter database ${database} set ${name} = '${value}'`)
  const store = await open(server.url(database))
  await new Promise(resolve => { setTimeout(resolve, 500) })
  await sends(store, 'smile 😀 \\ \' " { } , NULL \0 \uffff \u{10ffff} \ud800')
})
