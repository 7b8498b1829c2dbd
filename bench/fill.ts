/**
 * A database of a size that it would take hours to reach through the API. The service makes one user, one channel and one
 * message; their rows are copied, under ids, keys and positions of their own, with whatever columns the tables have.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { SCHEMA } from '../src/store/postgres/session.ts'
import type { PostgresServer } from '../test/support/postgres.ts'
import { asApplication, asUser, spawnService, tokenFor, type ServiceOptions } from '../test/support/process.ts'
import { channelOf, userOf } from './peers/ours.ts'

export interface Size {
  users: number
  channels: number
  messagesPerChannel: number
}

/** What databases spell in their own ways. */
interface Filled {
  exec (sql: string): void | Promise<unknown>
  columnsOf (table: string): string[] | Promise<string[]>
  /** A table of the numbers from 1 on: its column is `n`. */
  series (times: number): string
  /** A random number below 2 ** 31. */
  tag: string
  /** A random text of 36 characters. */
  id: string
}

/** The one member of a channel. */
export const memberOf = (channel: number, { users, channels }: Size): number => Math.floor(channel * users / channels) % users

/** Fills a directory that has no database yet. The service must not run in it. */
export async function fill (dataDir: string, size: Size): Promise<void> {
  await makeFirst({ dataDir })
  const db = new DatabaseSync(join(dataDir, 'channel-relay.db'))
  try {
    // What is lost in a crash here is made again.
    db.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -1000000; pragma temp_store = memory')
    // Indices are made when all rows are there, which is much faster.
    const indices = db.prepare('select name, sql from sqlite_master where type = \'index\' and sql is not null').all() as Array<{ name: string, sql: string }>
    for (const { name } of indices) db.exec(`drop index ${name}`)
    await copyAll({
      exec: sql => db.exec(sql),
      columnsOf: table => (db.prepare(`pragma table_info(${table})`).all() as Array<{ name: string }>).map(({ name }) => name),
      series: times => `(with recursive series (n) as (select 1 union all select n + 1 from series where n < ${times}) select n from series)`,
      tag: 'abs(random()) % 2147483648',
      id: 'lower(hex(randomblob(18)))'
    }, size)
    for (const { sql } of indices) db.exec(sql)
    db.exec('pragma journal_mode = wal')
  } finally {
    db.close()
  }
}

/** Fills a database of a server that no service has used yet. `env`: of a service on it. */
export async function fillPostgres (server: PostgresServer, database: string, env: Record<string, string>, size: Size): Promise<void> {
  await makeFirst({ env })
  // What is lost in a crash here is made again.
  await server.configure({ fsync: 'off', full_page_writes: 'off' })
  const sql = postgres(server.url(database), { max: 1, fetch_types: false, onnotice: () => {}, connection: { search_path: SCHEMA, maintenance_work_mem: '512MB', synchronous_commit: 'off' } })
  try {
    const indices = await sql.unsafe<Array<{ name: string, made: string }>>(`select c.relname as name, pg_get_indexdef(i.indexrelid) as made
      from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = '${SCHEMA}'::regnamespace and not exists (select 1 from pg_constraint where conindid = i.indexrelid)`)
    for (const { name } of indices) await sql.unsafe(`drop index ${name}`)
    await copyAll({
      exec: text => sql.unsafe(text),
      columnsOf: async table => (await sql.unsafe<Array<{ name: string }>>(`select attname as name from pg_attribute where attrelid = '${table}'::regclass and attnum > 0 and not attisdropped`)).map(({ name }) => name),
      series: times => `generate_series(1, cast(${times} as bigint)) series (n)`,
      tag: 'cast(random() * 2147483647 as bigint)',
      id: 'cast(gen_random_uuid() as text)'
    }, size)
    for (const { made } of indices) await sql.unsafe(made)
    // As it would be by now.
    await sql.unsafe('vacuum (analyze)')
  } finally {
    await sql.end()
  }
  await server.configure({ fsync: 'on', full_page_writes: 'on' })
  await server.query('checkpoint')
  await promisify(execFile)('sync')
}

/**
 * What such a database has, too, and publishing has no need of: some of all that commands can make. Of tables that are empty
 * any plan is as good as another, and one is made again when they are not.
 */
export async function addTheRest (server: PostgresServer, database: string): Promise<void> {
  const one = 'from generate_series(1, 200000) n'
  const rest = [
    'update users set deleted_at = 1 where user_key > 0 and user_key % 100 = 0',
    'update channels set acls_position = last_position where channel_key % 100 = 0',
    'update channels set closing = 1 where channel_key % 1000 = 3',
    `insert into channel_creations select n, '[]', null ${one}`,
    `insert into channel_acls select n, n, null ${one}`,
    `insert into message_acls select n, n, null ${one}`,
    `insert into audiences select 1 + n % 100000, n % 5, case when n % 5 = 0 then 1 + n % 10000 else 0 end, n ${one}`,
    `insert into named_channels select 1 + n % 10000, n ${one}`,
    `insert into created_events select 'created-' || n ${one}`,
    `insert into nonces select 'nonce-' || n, n ${one}`,
    `update entries set kind = (array['channel-timeline', 'message-timeline', 'message-updated', 'channel-acls-changed', 'messages-truncated'])[1 + position % 5], lane = 1, message_id = null,
      event_id = case when position % 5 < 2 then 'event-' || position end, timeline_type = case when position % 5 < 2 then 'type-' || position % 7 end, message_position = position - 1,
      about_key = 1 + position % 10000 where position % 97 = 7`,
    "update entries set acls = '{}', lane = 4 where kind = 'message' and position % 97 = 8",
    'update participations set closed_position = since_position where channel_key % 97 = 5',
    'update channels set deleted_position = last_position where channel_key % 97 = 5',
    'analyze'
  ]
  for (const statement of rest) await server.query(`set search_path to ${SCHEMA}; ${statement}`, database)
}

async function makeFirst (options: ServiceOptions): Promise<void> {
  const service = await spawnService({ ...options, env: { LOG_LEVEL: 'warn', ...options.env } })
  try {
    const token = await tokenFor(service, userOf(0))
    const channel = { channelId: channelOf(0), defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation: [{ participantId: userOf(0) }] }
    const made = [
      await asApplication(service, 'POST', '/v1/channels', channel),
      await asUser(service, token, 'POST', `/v1/channels/${channelOf(0)}/messages`, { textPayload: 'x'.repeat(100) })
    ]
    for (const { status, body } of made) if (status !== 200) throw new Error(`What is to be copied cannot be made: ${JSON.stringify(body)}`)
  } finally {
    await service.stop()
  }
}

/** Positions: the first channel's two entries, all other channels' creations, then their messages, one of each channel in turn. */
async function copyAll (db: Filled, size: Size): Promise<void> {
  const { users, channels, messagesPerChannel } = size
  const { tag, id } = db
  const member = `(n * ${users} / ${channels}) % ${users}`
  const created = '2 + n'
  const last = `2 + n + ${messagesPerChannel} * ${channels - 1}`
  const channelId = '\'bench-channel-\' || n'
  const rename = (column: string): string => `replace(replace(${column}, '"bench-channel-0"', '"bench-channel-' || n || '"'), '"user-0"', '"user-' || (${member}) || '"')`

  await db.exec('begin')
  await copy(db, 'users', 'user_key = 1', users - 1, { user_key: '1 + n', user_id: '\'user-\' || n' })
  await copy(db, 'channels', 'channel_key = 1', channels - 1, {
    channel_key: '1 + n', channel_id: channelId, created_position: created, last_position: last, message_count: String(messagesPerChannel)
  })
  await copy(db, 'participations', 'channel_key = 1', channels - 1, {
    channel_key: '1 + n', user_key: `1 + ${member}`, participation_id: id, since_position: created, active_position: created
  })
  await copy(db, 'intervals', 'channel_key = 1', channels - 1, { channel_key: '1 + n', user_key: `1 + ${member}`, from_position: created })
  await copy(db, 'entries', 'position = 1', channels - 1, {
    position: created, tag, channel_key: '1 + n', body: rename('t.body'), members: rename('t.members')
  })
  for (let round = 1; round <= messagesPerChannel; round++) {
    await copy(db, 'entries', 'position = 2', channels - 1, {
      position: `2 + n + ${round * (channels - 1)}`, tag, channel_key: '1 + n', sender_key: `1 + ${member}`, message_id: id, body: rename('t.body')
    })
  }
  await db.exec(`
    insert into memberships (user_key, ruleset, count)
      select p.user_key, m.ruleset, count(*) from participations p cross join (select ruleset from memberships where user_key = 1) m
      where p.user_key > 1 group by p.user_key, m.ruleset;
    update memberships set count = (select count(*) from participations where user_key = 1) where user_key = 1;
    update counters set value = ${users} where name = 'users';
    update counters set value = ${channels} where name = 'channels';
    update meta set value = '${users}' where name = 'last_user_key';
    update meta set value = '${channels}' where name = 'last_channel_key';
    commit
  `)
}

/** Copies the row that the condition names so many times: `t` the row, `n` from 1 on. */
async function copy (db: Filled, table: string, condition: string, times: number, changed: Record<string, string>): Promise<void> {
  const columns = await db.columnsOf(table)
  const values = columns.map(name => changed[name] ?? `t.${name}`)
  await db.exec(`insert into ${table} (${columns.join(', ')})
    select ${values.join(', ')} from ${db.series(times)} cross join (select * from ${table} where ${condition} limit 1) t`)
}
