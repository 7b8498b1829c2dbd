/**
 * The cost of a command does not depend on how much there is, on PostgreSQL either: every statement finds its rows by an
 * index, in the order in which it wants them. Looked at over tables that have two or three hundred thousand rows in all.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { addressesOf, Session } from '../../src/store/postgres/session.ts'
import { Plans, statements } from '../support/postgres-plans.ts'
import { sharedDatabase } from '../support/shared-postgres.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'channel-relay-plans-'))
let plans: Plans

/** Rows of which some are in every partial index. `n`: from 1 on. */
const rows = (count: number, into: string, values: string): string => `insert into ${into} select ${values} from generate_series(1, ${count}) n;`
const LOADED = [
  rows(10_000, 'users (user_key, user_id, profile, created_at, updated_at, deleted_at, leaving)', "n, 'user-' || n, '{}', n, n, case when n % 50 = 0 then n end, (n % 1000 = 0)::int"),
  rows(10_000, 'tokens', "'token-' || n, n, null, n, n + 1000, case when n % 10 = 0 then n end"),
  rows(10_000, `channels (channel_key, channel_id, ruleset, group_type, system_channel, created_at, updated_at, created_position, deleted_position, truncated_position,
    last_position, erasing, closing, admin_vacant, receiving_count, muted_count, pending_count, disabled_count, active_admin_count, message_count, acls_position)`,
  "n, 'channel-' || n, 'r', 'g', (n % 100 = 0)::int, n, n, n, case when n % 50 = 0 then n + 50000 end, 0, n + 90000, (n % 500 = 0)::int, (n % 700 = 0)::int, 0, 3, 0, 0, 0, 0, 9, case when n % 20 = 0 then n end"),
  rows(10_000, 'channel_creations', "n, '[]', null"),
  rows(30_000, 'participations', "1 + n / 3, 1 + n * 7 % 10000, 'p-' || n, case when n % 20 > 0 then 'Active' end, 'none', 0, n, n, case when n % 20 > 0 then n end, case when n % 150 < 3 then n end, n, n"),
  rows(30_000, 'intervals', "1 + n * 7 % 10000, 1 + n / 3, n, case when n % 10 = 0 then n + 5 end, 'Active', 0"),
  rows(10_000, 'memberships', "n, 'r', 3"),
  rows(100_000, 'entries (position, tag, at, kind, lane, channel_key, sender_key, about_key, message_id, message_position, event_id, timeline_type, acls, body)',
    `n, 1, n, (array['message', 'message', 'message', 'message', 'message', 'message-updated', 'message-timeline', 'channel-timeline', 'channel-acls-changed', 'messages-truncated'])[1 + n % 10],
    case when n % 10 < 5 then (array[0, 0, 0, 3, 2])[1 + n % 5] else 1 end, 1 + n % 10000, 1 + n % 10000, case when n % 10 = 9 then 1 + n % 10000 end, case when n % 10 < 5 then 'm-' || n end,
    case when n % 10 in (5, 6) then n - 5 end, case when n % 10 in (6, 7) then 'e-' || n end, case when n % 10 in (6, 7) then 't' end, case when n % 10 = 4 then '{}' end, repeat('x', 100)`),
  rows(10_000, 'created_events', "'c-' || n"),
  rows(10_000, 'channel_acls', 'n, n, null'),
  rows(10_000, 'message_acls', 'n, n, null'),
  rows(30_000, 'audiences', '1 + n % 10000, n % 5, (n % 5 = 0)::int * (1 + n % 10000), n'),
  rows(10_000, 'named_channels', '1 + n * 7 % 10000, n'),
  rows(30_000, 'replies (lookup, actor, key, fingerprint, outcome, at)', "n, 'a', 'k-' || n, 'f', '{}', n"),
  rows(10_000, 'nonces', "'n-' || n, n"),
  'analyze;'
].join('\n')

beforeAll(async () => {
  const url = await sharedDatabase(dataDir)
  await (await openPostgresStore({ url, allowUnsafe: true })).close()
  const session = await Session.open(addressesOf(url)[0]!, { name: 'fills' })
  await session.exec(LOADED)
  await session.close()
  plans = await Plans.open(url)
})
afterAll(async () => {
  await plans.close()
  rmSync(dataDir, { recursive: true })
})

describe('every statement of the store on PostgreSQL seeks', () => {
  it.each(Object.entries(statements))('%s', async (_name, sql) => {
    const { faults, lines } = await plans.look(sql)
    expect(faults, lines.join('\n')).toEqual([])
  })
})

describe('what does not', () => {
  it.each([
    ['a scan', 'select count(*) from entries where body = $1', /reads all of/],
    ['a scan of an index', 'select position from entries order by position', /reads all of entries_pkey/],
    ['a scan of an index from somewhere on', 'select position from entries where position > $1 and body = $2 order by position limit 1', /passes over/],
    ['a sort', 'select body from entries where channel_key = $1 and lane = 0 order by body limit 1', /sorts by body/],
    ['a sort of what is joined', 'select e.position from unnest($1::bigint[]) asked join entries e on e.channel_key = asked and e.lane = 0 order by e.position', /sorts by e\."position"/],
    ['one row out of many', 'select p.status from participations p join users u on u.user_key = p.user_key where p.channel_key = $1 and u.user_id = $2 offset 0', /joins what is not/],
    ['a join by hash', 'select 1 from entries e join channels c on c.channel_id = e.body', /reads all of|hash/]
  ])('%s would be seen', async (_what, sql, fault) => {
    expect((await plans.look(sql)).faults.join()).toMatch(fault)
  })

  it('is not a sort of what was asked for', async () => {
    expect((await plans.look('select e.body from unnest($1::bigint[]) asked join entries e on e.position = asked order by e.body')).faults).toEqual([])
  })
})
