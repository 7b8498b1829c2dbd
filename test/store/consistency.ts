/** Whether what a database keeps beside its rows fits them: read from the file of a store that was stopped. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

type Row = Record<string, unknown>

/** A member of a channel that was not deleted. */
const MEMBERS = `participations p join channels c on c.channel_key = p.channel_key
  where p.status is not null and c.deleted_position is null`

/** What each query finds is wrong. */
const queries: Record<string, string> = {
  'channels.receiving_count': kept('receiving_count', "select count(*) from participations p where p.channel_key = c.channel_key and p.status in ('active', 'muted')"),
  'channels.active_admin_count': kept('active_admin_count', "select count(*) from participations p where p.channel_key = c.channel_key and p.status = 'active' and p.admin = 1"),
  'channels.message_count': kept('message_count', `select count(*) from entries e
    where e.channel_key = c.channel_key and e.kind = 'message' and e.lane = 0 and e.position > c.truncated_position`),
  'channels.last_position': `select channel_id, last_position from channels c
    where last_position < (select coalesce(max(position), 0) from entries e where e.channel_key = c.channel_key)`,
  'channels.admin_vacant': 'select channel_id from channels where admin_vacant = 1 and active_admin_count > 0 and deleted_position is null',
  memberships: `
    with counted as (select p.user_key, c.ruleset, count(*) as real from ${MEMBERS} group by p.user_key, c.ruleset)
    select coalesce(m.user_key, counted.user_key) as user_key, coalesce(m.ruleset, counted.ruleset) as ruleset, m.count as kept, counted.real
    from memberships m full join counted on counted.user_key = m.user_key and counted.ruleset = m.ruleset
    where coalesce(m.count, 0) <> coalesce(counted.real, 0)`,
  counters: `
    with counted (name, real) as (
      select 'users', count(*) from users where deleted_at is null and user_key > 0
      union all select 'channels', count(*) from channels where deleted_position is null
      union all select 'system-channels', count(*) from channels where deleted_position is null and system_channel = 1)
    select counted.name, value as kept, real from counted left join counters on counters.name = counted.name where value is not real`,
  'participations.active_position': `select channel_key, user_key, status, active_position from participations
    where (status is 'active') <> (active_position is not null)`,
  'participations of nobody, or of no channel': `select channel_key, user_key from participations
    where user_key not in (select user_key from users) or channel_key not in (select channel_key from channels)`,
  'members who were deleted': `select p.channel_key, p.user_key from ${MEMBERS} and c.ruleset like '%.GroupChat'
    and p.user_key in (select user_key from users where deleted_at is not null and leaving = 0)`,
  'tokens of nobody': 'select token_id from tokens where user_key not in (select user_key from users)',
  'entries of nobody': `select position from entries
    where sender_key not in (select user_key from users) or about_key not in (select user_key from users)`,
  'edits of no message': `select position from entries where message_position not in (select position from entries) and lane <> 2
    and kind = 'message-updated'`,
  'messages whose newest edit is gone': `select position from entries where kind = 'message' and lane = 0
    and edit_position not in (select position from entries)`,
  'event ids that are taken twice': 'select event_id from created_events where event_id in (select event_id from entries)'
}

/** Rows of channels whose kept number is not the real one. */
function kept (column: string, real: string): string {
  return `select channel_id, ${column} as kept, (${real}) as real from channels c where deleted_position is null and kept <> real`
}

/** What is wrong, by what it is wrong in; nothing in a sound database. */
export function faultsOf (db: DatabaseSync): Record<string, Row[]> {
  const faults: Record<string, Row[]> = {}
  const note = (what: string, rows: Row[]) => { if (rows.length > 0) faults[what] = rows.map(row => ({ ...row })) }
  note('the file', db.prepare('pragma integrity_check').all().filter(row => row.integrity_check !== 'ok'))
  note('foreign keys', db.prepare('pragma foreign_key_check').all())
  for (const [what, sql] of Object.entries(queries)) note(what, db.prepare(sql).all())
  return faults
}

/** All rows of a database, by table, and what is wrong with them: a store may run on it. */
export function stateOf (dataDir: string): { rows: Record<string, Row[]>, faults: unknown[] } {
  const db = new DatabaseSync(join(dataDir, 'channel-relay.db'), { readOnly: true })
  try {
    const tables = db.prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name").all() as Array<{ name: string }>
    const rows = Object.fromEntries(tables.map(({ name }) => [name, db.prepare(`select * from ${name}`).all().map(row => ({ ...row }))]))
    return { rows, faults: [...Object.entries(faultsOf(db)), ...faultsOfIntervals(db)] }
  } finally {
    db.close()
  }
}

export const schemaOf = (db: DatabaseSync): number => (db.prepare('pragma user_version').get() as { user_version: number }).user_version

export function hasTable (db: DatabaseSync, name: string): boolean {
  return db.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(name) !== undefined
}

/** Every table and index as it was made, by name. */
export const shapeOf = (db: DatabaseSync): Row[] =>
  db.prepare('select name, type, tbl_name, sql from sqlite_schema order by name').all().map(row => ({ ...row }))

interface Interval {
  from: number
  until: number | null
  status: string
  admin: number
}

/** A user in a channel, as `user in channel`, by what is held of it. */
function intervalsOf (db: DatabaseSync): Map<string, Interval[]> {
  const rows = db.prepare(`select user_key || ' in ' || channel_key as whose, from_position as "from", until_position as until, status, admin
    from intervals order by user_key, channel_key, from_position`).all() as unknown as Array<Interval & { whose: string }>
  return Map.groupBy(rows, ({ whose }) => whose)
}

/** What is wrong with the intervals of members' standings: nothing in a sound database. */
export function faultsOfIntervals (db: DatabaseSync): string[] {
  const intervals = intervalsOf(db)
  return [...faultsOfOrder(intervals), ...faultsOfPresence(db, intervals), ...faultsOfHistory(db, intervals)]
}

function faultsOfOrder (intervals: Map<string, Interval[]>): string[] {
  const faults: string[] = []
  for (const [whose, list] of intervals) {
    for (const [index, { from, until }] of list.entries()) {
      const next = list[index + 1]
      if (until !== null && until <= from) faults.push(`${whose}: ends at ${until}, where it began at ${from}`)
      if (next !== undefined && (until === null || next.from < until)) faults.push(`${whose}: ${next.from} lies within the one from ${from} to ${until}`)
    }
  }
  return faults
}

/** Exactly the members have an open one, and it says what they are now. */
function faultsOfPresence (db: DatabaseSync, intervals: Map<string, Interval[]>): string[] {
  const faults: string[] = []
  const members = new Map((db.prepare(`select p.user_key || ' in ' || p.channel_key as whose, p.status, p.admin from ${MEMBERS}`).all() as
    Array<{ whose: string, status: string, admin: number }>).map(row => [row.whose, row]))
  for (const [whose, { status, admin }] of members) {
    const open = intervals.get(whose)?.find(({ until }) => until === null)
    if (open === undefined) faults.push(`${whose}: a member without an open one`)
    else if (open.status !== status || open.admin !== admin) faults.push(`${whose}: ${open.status} ${open.admin} is open of a member who is ${status} ${admin}`)
  }
  const deleted = new Set((db.prepare('select channel_key from channels where deleted_position is not null').all() as Array<{ channel_key: number }>)
    .map(({ channel_key: key }) => String(key)))
  for (const [whose, list] of intervals) {
    const there = members.has(whose) || deleted.has(whose.split(' in ')[1]!)
    if (!there && list.some(({ until }) => until === null)) faults.push(`${whose}: open, and no member`)
  }
  return faults
}

/** At each entry of the log that tells of a standing, that standing begins, or none is left. */
function faultsOfHistory (db: DatabaseSync, intervals: Map<string, Interval[]>): string[] {
  const told = db.prepare(`select e.position, e.about_key || ' in ' || e.channel_key as whose, e.body ->> 'relayStatus' as status,
      instr(coalesce(e.body ->> 'roles', ''), 'admin') > 0 as admin
    from entries e join channels c on c.channel_key = e.channel_key and c.deleted_position is null
      join users u on u.user_key = e.about_key and u.deleted_at is null
    where e.kind in ('participation', 'participation-deleted')`).all() as Array<{ position: number, whose: string, status: string | null, admin: number }>
  return told.flatMap(({ position, whose, status, admin }) => {
    const there = intervals.get(whose)?.find(({ from, until }) => from <= position && (until === null || until > position))
    if (there === undefined && status === null) return []
    if (there?.status === status && there.admin === admin) return []
    return [`${whose}: ${there?.status ?? 'nothing'} ${there?.admin ?? ''} at ${position}, where it became ${status ?? 'nothing'} ${admin}`]
  })
}

/**
 * When who received what, in the part of the log that can be replayed: ranges of positions, of channels that
 * were not deleted, by `user in channel`. From the table that the database has for it.
 */
export function receivedIn (db: DatabaseSync): Record<string, Array<[from: number, until: number | null]>> {
  const { value: floor } = db.prepare("select cast(value as integer) as value from meta where name = 'floor_position'").get() as { value: number }
  const source = hasTable(db, 'intervals') ? "intervals i where status in ('active', 'muted')" : 'entitlements i where true'
  const rows = db.prepare(`select user_key || ' in ' || channel_key as whose, from_position as "from", until_position as until from ${source}
    and channel_key in (select channel_key from channels where deleted_position is null)
    order by user_key, channel_key, from_position`).all() as Array<{ whose: string, from: number, until: number | null }>
  const received: ReturnType<typeof receivedIn> = {}
  for (const { whose, from, until } of rows) {
    if (until !== null && until <= floor + 1) continue
    const ranges = received[whose] ??= []
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === from) last[1] = until
    else ranges.push([Math.max(from, floor + 1), until])
  }
  return received
}
