/** A commit that waits for a standby, and is told not to. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Store } from '../../src/store/contract/store.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { createStandby } from '../support/standby.ts'
import { promptClock } from '../support/stores.ts'

let server: PostgresServer
let standby: PostgresServer
let store: Store
let database: string
beforeAll(async () => {
  server = await startPostgres()
  standby = await createStandby(server, { synchronous: true })
  database = await server.createDatabase()
  await server.query(`alter database ${database} set synchronous_commit = 'local'`)
  await server.query(`alter database ${database} set client_min_messages = 'error'`)
  store = await openPostgresStore({ url: server.url(database), clock: promptClock })
  await store.append(createUser('anna'))
  await store.append(createChannel('anna', 'the-channel'))
}, 60_000)
afterAll(async () => {
  standby.resume()
  await store.close()
  await standby.stop()
  await server.stop()
})

it.each(['pg_cancel_backend', 'pg_terminate_backend'])('is not answered 200 after %s, and settled by its repeat', async how => {
  const command = (nth: number) => send('anna', 'the-channel', `${how} ${nth}`, { idempotency: { key: `${how} ${nth}`, fingerprint: 'same' } })
  standby.pause()
  const sent = store.append(command(1)).then(() => 'sent', err => err.refusal)
  for (let ended = 0; ended === 0; await sleep(50)) {
    ended = (await server.query(`select ${how}(pid) from pg_stat_activity where application_name = 'channel-relay writes' and wait_event = 'SyncRep'`)).length
  }
  expect(await Promise.race([sent, sleep(3_000, 'waits')])).toBe('unavailable')
  expect(await Promise.race([store.head().then(() => 'read'), sleep(1_000, 'waits')])).toBe('read')
  standby.resume()
  await sleep(500)
  const { message } = await store.append(command(1))
  expect(JSON.parse(message).textPayload).toBe(`${how} 1`)
  const texts = (await store.listMessages('anna', 'the-channel', { limit: 50, offset: 0 })).value.items.map(text => JSON.parse(text).textPayload)
  expect(texts.filter(text => text === `${how} 1`).length).toBe(1)
}, 60_000)

it.each(['its repeat', 'another with its id'])('is not confirmed by %s either, as long as no standby has it', async what => {
  const command = (key: string) => send('anna', 'the-channel', what, { messageId: `id-of-${what.length}-letters`, idempotency: { key, fingerprint: 'same' } })
  const again = async () => await Promise.race([store.append(command(what === 'its repeat' ? `first of ${what}` : `second of ${what}`)).then(() => 'sent', err => err.refusal), sleep(3_000, 'waits')])
  standby.pause()
  const sent = store.append(command(`first of ${what}`)).then(() => 'sent', err => err.refusal)
  for (let ended = 0; ended === 0; await sleep(50)) {
    ended = (await server.query('select pg_terminate_backend(pid) from pg_stat_activity where application_name = \'channel-relay writes\' and wait_event = \'SyncRep\'')).length
  }
  expect(await sent).toBe('unavailable')
  expect(await again()).toBe('waits')
  standby.resume()
  await sleep(500)
  expect(await again()).toBe(what === 'its repeat' ? 'sent' : 'messageExists')
}, 60_000)

it('callers are answered while a standby is away', async () => {
  standby.pause()
  const begun = performance.now()
  const sent = Promise.race([store.append(send('anna', 'the-channel', 'alone')).then(() => 'sent', err => err.refusal), sleep(15_000, 'waits')])
  const isReady = async () => await store.check().then(() => true, () => false)
  expect(await isReady()).toBe(true)
  await sleep(2_500)
  expect(await isReady()).toBe(false)
  expect([await sent, performance.now() - begun < 7_000]).toEqual(['unavailable', true])
  expect(await isReady()).toBe(false)
  expect(await Promise.race([store.head().then(() => 'read'), sleep(1_000, 'waits')])).toBe('read')
  standby.resume()
  await sleep(1_000)
  expect(await Promise.race([store.append(send('anna', 'the-channel', 'again')).then(() => 'sent', err => err.refusal), sleep(15_000, 'waits')])).toBe('sent')
  expect(await isReady()).toBe(true)
}, 60_000)
