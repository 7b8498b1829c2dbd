/**
 * A database of a size that it would take hours to reach through the API. The service makes one user, one channel and one
 * message; their rows are copied, under ids, keys and positions of their own, with whatever columns the tables have.
 */
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { asApplication, asUser, spawnService, tokenFor } from '../test/support/process.ts'
import { channelOf, userOf } from './peers/ours.ts'

export interface Size {
  users: number
  channels: number
  messagesPerChannel: number
}

/** The one member of a channel. */
export const memberOf = (channel: number, { users, channels }: Size): number => Math.floor(channel * users / channels) % users

/** Fills a directory that has no database yet. The service must not run in it. */
export async function fill (dataDir: string, size: Size): Promise<void> {
  await makeFirst(dataDir)
  const db = new DatabaseSync(join(dataDir, 'channel-relay.db'))
  try {
    // What is lost in a crash here is made again.
    db.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -1000000; pragma temp_store = memory')
    const indices = takeIndices(db)
    copyAll(db, size)
    for (const sql of indices) db.exec(sql)
    db.exec('pragma journal_mode = wal')
  } finally {
    db.close()
  }
}

async function makeFirst (dataDir: string): Promise<void> {
  const service = await spawnService({ dataDir, env: { LOG_LEVEL: 'warn' } })
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

/** Indices are made when all rows are there, which is much faster. */
function takeIndices (db: DatabaseSync): string[] {
  const indices = db.prepare('select name, sql from sqlite_master where type = \'index\' and sql is not null').all() as Array<{ name: string, sql: string }>
  for (const { name } of indices) db.exec(`drop index ${name}`)
  return indices.map(({ sql }) => sql)
}

/** Positions: the first channel's two entries, all other channels' creations, then their messages, one of each channel in turn. */
function copyAll (db: DatabaseSync, size: Size): void {
  const { users, channels, messagesPerChannel } = size
  const member = `(n * ${users} / ${channels}) % ${users}`
  const created = '2 + n'
  const last = `2 + n + ${messagesPerChannel} * ${channels - 1}`
  const tag = 'abs(random()) % 2147483648'
  const id = 'lower(hex(randomblob(18)))'
  const channelId = '\'bench-channel-\' || n'
  const rename = (column: string): string => `replace(replace(${column}, '"bench-channel-0"', '"bench-channel-' || n || '"'), '"user-0"', '"user-' || (${member}) || '"')`

  db.exec('begin')
  copy(db, 'users', 'user_key = 1', users - 1, { user_key: '1 + n', user_id: '\'user-\' || n' })
  copy(db, 'channels', 'channel_key = 1', channels - 1, {
    channel_key: '1 + n', channel_id: channelId, created_position: created, last_position: last, message_count: String(messagesPerChannel)
  })
  copy(db, 'participations', 'channel_key = 1', channels - 1, {
    channel_key: '1 + n', user_key: `1 + ${member}`, participation_id: id, since_position: created, active_position: created
  })
  copy(db, 'intervals', 'channel_key = 1', channels - 1, { channel_key: '1 + n', user_key: `1 + ${member}`, from_position: created })
  copy(db, 'entries', 'position = 1', channels - 1, {
    position: created, tag, channel_key: '1 + n', body: rename('t.body'), members: rename('t.members')
  })
  for (let round = 1; round <= messagesPerChannel; round++) {
    copy(db, 'entries', 'position = 2', channels - 1, {
      position: `2 + n + ${round * (channels - 1)}`, tag, channel_key: '1 + n', sender_key: `1 + ${member}`, message_id: id, body: rename('t.body')
    })
  }
  db.exec(`
    insert or replace into memberships (user_key, ruleset, count)
      select user_key, (select ruleset from memberships where user_key = 1), count(*) from participations group by user_key;
    update counters set value = ${users} where name = 'users';
    update counters set value = ${channels} where name = 'channels';
    update meta set value = '${users}' where name = 'last_user_key';
    update meta set value = '${channels}' where name = 'last_channel_key';
    commit
  `)
}

/** Copies the row that the condition names so many times: `t` the row, `n` from 1 on. */
function copy (db: DatabaseSync, table: string, condition: string, times: number, changed: Record<string, string>): void {
  const columns = (db.prepare(`pragma table_info(${table})`).all() as Array<{ name: string }>).map(({ name }) => name)
  const values = columns.map(name => changed[name] ?? `t.${name}`)
  db.exec(`
    with recursive series (n) as (select 1 union all select n + 1 from series where n < ${times})
    insert into ${table} (${columns.join(', ')})
      select ${values.join(', ')} from series cross join (select * from ${table} where ${condition} limit 1) t
  `)
}
