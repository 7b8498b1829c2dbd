/** Batches follow one another without a pause on one session: what becomes of one is nothing to the next (src/store/postgres/transactions.ts). */
import { expect, it } from 'vitest'
import { send } from '../support/commands.ts'
import { useOwnPostgres } from '../support/own-postgres.ts'

const own = useOwnPostgres()

const texts = async (): Promise<Array<{ position: number, body: string }>> =>
  await own.server.query('select position::int as position, body from channel_relay.entries where kind = \'message\' order by position', own.database)
const open = async (): Promise<number> => (await own.server.query(`select 1 from pg_stat_activity where datname = '${own.database}' and state like 'idle in transaction%'`)).length

it('while others are on their way, what the database will not take is refused by itself, and all else is there once, in order', async () => {
  await own.server.query(`create function channel_relay.refuse() returns trigger language plpgsql as $$ begin raise exception 'not this one'; end $$;
    create trigger refuse before insert on channel_relay.entries for each row when (new.body like '%poison%') execute function channel_relay.refuse()`, own.database)
  const asked: Array<Promise<string>> = []
  let answered = 0
  for (let number = 0; number < 3_000; number++) {
    const text = number % 700 === 350 ? `poison ${number}` : `text ${number}`
    asked.push(own.store.append(send('anna', 'the-channel', text, { idempotency: { key: `key-${number}`, fingerprint: text } })).then(() => text, err => err.refusal as string).finally(() => { answered++ }))
    // Some at a time: there is always more to take while a batch is on its way.
    while (asked.length - answered > 600) await new Promise(resolve => setImmediate(resolve))
  }
  const answers = await Promise.all(asked)
  expect(answers.filter(answer => answer === 'unknownError')).toHaveLength(4)
  expect(own.errors.map(({ message }) => message)).toEqual(Array.from({ length: 4 }, () => 'not this one'))
  const kept = await texts()
  expect(kept.map(({ position }, index) => position - index)).toEqual(kept.map(() => kept[0]!.position))
  const sent = Array.from({ length: 3_000 }, (_, number) => `text ${number}`).filter((_, number) => number % 700 !== 350)
  const stored = kept.map(({ body }) => (/text \d+/.exec(body) ?? [''])[0])
  expect([...stored].sort()).toEqual([...sent].sort())
  expect(await open()).toBe(0)
  const [{ messages }] = await own.server.query('select message_count::int as messages from channel_relay.channels', own.database) as [{ messages: number }]
  expect(messages).toBe(sent.length)
})

it('one session does it all', async () => {
  await Promise.all(Array.from({ length: 1_000 }, async (_, number) => await own.store.append(send('anna', 'the-channel', `more ${number}`))))
  const sessions = await own.server.query(`select pid from pg_stat_activity where datname = '${own.database}' and application_name = 'channel-relay writes'`)
  expect(sessions).toHaveLength(1)
  expect((await texts()).filter(({ body }) => body.includes('more '))).toHaveLength(1_000)
})
