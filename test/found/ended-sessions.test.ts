/** A session that ends in the middle of a batch takes all of the batch with it: nothing that waited to be sent goes elsewhere. */
import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect, it } from 'vitest'
import { addressesOf, Session } from '../../src/store/postgres/session.ts'
import { send } from '../support/commands.ts'
import { useOwnPostgres } from '../support/own-postgres.ts'

const own = useOwnPostgres()

const writers = async () => await own.server.query<{ pid: number, wait: string | null }>(`select pid, wait_event_type as wait from pg_stat_activity
  where application_name = 'channel-relay writes' and datname = '${own.database}'`)
const counted = async () => (await own.server.query(`select last_position, message_count, (select count(*) from channel_relay.replies) as replies
  from channel_relay.channels`, own.database))[0]
const endAll = async (pids: number[]) => { for (const pid of pids) await own.server.query(`select pg_terminate_backend(${pid})`) }

/** Its session is new, and ends while the first of what is to be written waits for a table. */
async function sendWhileItEnds (text: string): Promise<unknown> {
  await endAll((await writers()).map(({ pid }) => pid))
  await sleep(100)
  const blocker = postgres(own.server.url(own.database), { max: 1, fetch_types: false })
  let sent: Promise<unknown>
  await blocker.begin(async sql => {
    await sql`lock table channel_relay.entries in share mode`
    sent = own.store.append(send('anna', 'the-channel', text, { idempotency: { key: text, fingerprint: text } })).then(() => 'sent', err => err.refusal)
    for (let waiting: number[] = []; waiting.length === 0; await sleep(20)) {
      waiting = (await writers()).flatMap(({ pid, wait }) => wait === 'Lock' ? [pid] : [])
      await endAll(waiting)
    }
  })
  await blocker.end()
  return await sent!
}

it('nothing of a batch is there whose session has ended before the commit, and its repeat is carried out', async () => {
  const before = await counted()
  expect(await sendWhileItEnds('one')).toBe('unavailable')
  await sleep(500)
  expect(await counted()).toEqual(before)
  const { message } = await own.store.append(send('anna', 'the-channel', 'one', { idempotency: { key: 'one', fingerprint: 'one' } }))
  expect((JSON.parse(message) as { textPayload: string }).textPayload).toBe('one')
})

it('no session is left over where one has ended', async () => {
  for (let round = 0; round < 5; round++) await sendWhileItEnds(`round ${round}`)
  await own.store.append(send('anna', 'the-channel', 'after it'))
  await sleep(500)
  expect((await writers()).length).toBe(1)
})

it('a transaction that has ended with its session is not gone on with in another', async () => {
  const session = await Session.open(addressesOf(own.server.url(own.database))[0]!, { name: 'channel-relay tests' })
  await own.server.query('create table numbers (number integer)', own.database)
  const [{ pid }] = await session.run('select pg_backend_pid() as pid') as [{ pid: number }]
  const sent = Promise.allSettled([session.exec('begin'), session.run('select pg_sleep(1)'),
    ...[1, 2, 3].map(number => session.run('insert into public.numbers values ($1)', [number])), session.exec('commit')])
  await sleep(200)
  await endAll([pid])
  expect((await sent).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'rejected', 'rejected'])
  expect(await own.server.query('select number from numbers', own.database)).toEqual([])
  expect(await own.server.query('select 1 from pg_stat_activity where application_name = \'channel-relay tests\'')).toEqual([])
})
