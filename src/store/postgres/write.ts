/** Writes what a batch has come to, in bulk: a statement for each kind of change, all on their way together. */
import { SYSTEM_CHANNEL } from '../../rules/rulesets.ts'
import type { Changes } from '../core/changes.ts'
import type { Loaded } from '../core/loaded.ts'
import { lanes, type AudienceRecord, type LogState } from '../core/records.ts'
import type { TableName, Tables } from '../core/source.ts'
import { classNumbers } from '../sql/audience-classes.ts'
import { callersEventId } from '../sql/event-ids.ts'
import { lookupOf } from '../sql/lookup.ts'
import { numbersOf, partsOf } from '../sql/rows.ts'
import { numbered } from './dialect.ts'
import { arrayOf, escaped, type Parameter } from './parameters.ts'
import type { Session } from './session.ts'

/** A bulk of rows: for each column an array. */
type Columns<Names extends string> = Record<Names, 'bigint' | 'smallint' | 'text'>

const unnested = (columns: Columns<string>): string => `unnest(${Object.values(columns).map(type => `cast(? as ${type}[])`).join(', ')})`
const namesOf = (columns: Columns<string>): string => Object.keys(columns).join(', ')

const inserted = (table: string, columns: Columns<string>, rest = ''): string =>
  `insert into ${table} (${namesOf(columns)}) select * from ${unnested(columns)} ${rest}`

/** Puts rows in the place of those that have their key. */
const put = (table: string, key: string, columns: Columns<string>): string =>
  inserted(table, columns, `on conflict (${key}) do update set ${Object.keys(columns).map(name => `${name} = excluded.${name}`).join(', ')}`)

/** Changes rows that are there, by the first of the columns. */
const changed = (table: string, columns: Columns<string>, changes: string): string =>
  `update ${table} set ${changes} from ${unnested(columns)} given (${namesOf(columns)}) where ${table}.${Object.keys(columns)[0]} = given.${Object.keys(columns)[0]}`

const assigned = (columns: Columns<string>): string => Object.keys(columns).slice(1).map(name => `${name} = given.${name}`).join(', ')

const userColumns = {
  user_key: 'bigint', user_id: 'text', profile: 'text', screen_name: 'text', created_at: 'bigint', updated_at: 'bigint', deleted_at: 'bigint', leaving: 'smallint'
} as const
const tokenColumns = { token_id: 'text', user_key: 'bigint', parent_id: 'text', created_at: 'bigint', expires_at: 'bigint', revoked_at: 'bigint' } as const
/** What commands change of a channel, but for its marks and its lists. No index is on these: the row's next version stays on its page. */
const changingColumns = {
  channel_key: 'bigint',
  updated_at: 'bigint',
  truncated_position: 'bigint',
  last_position: 'bigint',
  admin_vacant: 'smallint',
  receiving_count: 'bigint',
  muted_count: 'bigint',
  pending_count: 'bigint',
  disabled_count: 'bigint',
  active_admin_count: 'bigint',
  message_count: 'bigint',
  listed_counts: 'text'
} as const
const markColumns = { channel_key: 'bigint', deleted_position: 'bigint', erasing: 'smallint', closing: 'smallint' } as const
const channelColumns = {
  ...changingColumns,
  ...markColumns,
  channel_id: 'text',
  ruleset: 'text',
  group_type: 'text',
  system_channel: 'smallint',
  created_at: 'bigint',
  created_position: 'bigint'
} as const
const memberColumns = {
  channel_key: 'bigint',
  user_key: 'bigint',
  participation_id: 'text',
  status: 'text',
  held: 'text',
  admin: 'smallint',
  joined_at: 'bigint',
  since_position: 'bigint',
  active_position: 'bigint',
  closed_position: 'bigint',
  created_at: 'bigint',
  updated_at: 'bigint'
} as const
const intervalColumns = { user_key: 'bigint', channel_key: 'bigint', from_position: 'bigint', until_position: 'bigint', status: 'text', admin: 'smallint' } as const
const entryColumns = {
  position: 'bigint',
  tag: 'bigint',
  at: 'bigint',
  kind: 'text',
  lane: 'smallint',
  channel_key: 'bigint',
  sender_key: 'bigint',
  about_key: 'bigint',
  message_id: 'text',
  message_position: 'bigint',
  event_id: 'text',
  timeline_type: 'text',
  subjects: 'text',
  members: 'text',
  acls: 'text',
  body: 'text'
} as const
const listingColumns = { position: 'bigint', acls: 'text', acls_position: 'bigint', lane: 'smallint' } as const
const audienceColumns = { channel_key: 'bigint', class: 'smallint', user_key: 'bigint', position: 'bigint' } as const
const replyColumns = { lookup: 'bigint', actor: 'text', key: 'text', fingerprint: 'text', outcome: 'text', at: 'bigint' } as const

const positions = 'any(cast(? as bigint[]))'
/** Of `e`, one of several entries. */
const deletions = `e.position = ${positions} and e.kind = 'message-deleted'`

export const writeSql = numbered({
  putMeta: put('meta', 'name', { name: 'text', value: 'text' }),
  putUsers: put('users', 'user_key', userColumns),
  putTokens: put('tokens', 'token_id', tokenColumns),
  deleteTokens: 'delete from tokens where token_id = any(cast(? as text[]))',
  insertChannels: inserted('channels', channelColumns),
  changeChannels: changed('channels', changingColumns, assigned(changingColumns)),
  markChannels: changed('channels', markColumns, assigned(markColumns)),
  insertCreations: inserted('channel_creations', { channel_key: 'bigint', events: 'text', subjects: 'text' }),
  putMembers: put('participations', 'channel_key, user_key', memberColumns),
  deleteMembers: `delete from participations p using unnest(cast(? as bigint[]), cast(? as bigint[])) given (channel_key, user_key)
    where p.channel_key = given.channel_key and p.user_key = given.user_key`,
  closeIntervals: `update intervals i set until_position = given.until_position
    from unnest(cast(? as bigint[]), cast(? as bigint[]), cast(? as bigint[])) given (user_key, channel_key, until_position)
    where i.user_key = given.user_key and i.channel_key = given.channel_key and i.until_position is null`,
  openIntervals: inserted('intervals', intervalColumns),
  countMemberships: inserted('memberships', { user_key: 'bigint', ruleset: 'text', count: 'bigint' },
    'on conflict (user_key, ruleset) do update set count = memberships.count + excluded.count'),
  count: changed('counters', { name: 'text', value: 'bigint' }, 'value = counters.value + given.value'),
  insertEntries: inserted('entries', entryColumns),
  listChannels: changed('channels', { channel_key: 'bigint', acls: 'text', acls_position: 'bigint' }, 'acls = given.acls, acls_position = given.acls_position'),
  putChannelLists: inserted('channel_acls', { channel_key: 'bigint', from_position: 'bigint', acls: 'text' }),
  putMessageLists: inserted('message_acls', { message_position: 'bigint', from_position: 'bigint', acls: 'text' }),
  relist: changed('entries', listingColumns, assigned(listingColumns)),
  address: inserted('audiences', audienceColumns, 'on conflict do nothing'),
  unaddress: `delete from audiences a using ${unnested(audienceColumns)} given (${namesOf(audienceColumns)})
    where a.channel_key = given.channel_key and a.class = given.class and a.user_key = given.user_key and a.position = given.position`,
  noteNamed: inserted('named_channels', { user_key: 'bigint', channel_key: 'bigint' }, 'on conflict do nothing'),
  setNewestEdits: changed('entries', { position: 'bigint', edit_position: 'bigint' }, 'edit_position = given.edit_position'),
  eraseMessages: `update entries set body = null, lane = ${lanes.erased} where position = ${positions}`,
  unaddressClasses: `delete from audiences where position = ${positions} and user_key = 0`,
  emptyEntries: `update entries set body = null, lane = ${lanes.nothing} where position = ${positions}`,
  forgetChannelLists: `delete from channel_acls a using entries e
    where e.position = ${positions} and e.kind = 'channel-acls-changed' and a.channel_key = e.channel_key and a.from_position < e.position`,
  // Those that it was sent with stay: a repeat of the request is answered from them.
  forgetMessageLists: `delete from message_acls a using entries e where e.position = ${positions} and e.kind = 'message-acls-changed'
    and a.message_position = e.message_position and a.from_position < e.position and a.from_position > a.message_position`,
  unaddressAll: `delete from audiences where position = ${positions}`,
  forgetHistoryOfDeleted: `delete from message_acls a using entries e where ${deletions} and a.message_position = e.message_position`,
  forgetNamedByDeleted: `delete from audiences a using entries e where ${deletions} and a.position = e.message_position`,
  forgetListsOfDeleted: `update entries m set acls = null, acls_position = null from entries e where ${deletions} and m.position = e.message_position`,
  keepEventIds: `insert into created_events (event_id) select event_id from entries where position = ${positions} and ${callersEventId} on conflict do nothing`,
  deleteEntries: `delete from entries where position = ${positions}`,
  recordEvents: inserted('created_events', { event_id: 'text' }),
  putNonces: put('nonces', 'nonce', { nonce: 'text', at: 'bigint' }),
  deleteNonces: 'delete from nonces where nonce = any(cast(? as text[]))',
  putReplies: inserted('replies', replyColumns),
  deleteReplies: `delete from replies r using unnest(cast(? as bigint[]), cast(? as text[]), cast(? as text[])) given (lookup, actor, key)
    where r.lookup = given.lookup and r.actor = given.actor and r.key = given.key`,
  deleteEndedIntervals: `delete from intervals where (user_key, channel_key, from_position) in
    (select user_key, channel_key, from_position from intervals where until_position is not null and until_position <= ? limit ?)`,
  deleteIntervalsOf: `delete from intervals i using unnest(cast(? as bigint[]), cast(? as bigint[])) given (channel_key, user_key)
    where i.channel_key = given.channel_key and i.user_key = given.user_key`,
  // Nobody else writes meanwhile: rows are where they were found.
  forgetAudiencesOf: 'delete from audiences where ctid = any(array(select ctid from audiences where channel_key = ? limit ?))',
  forgetNamedOf: 'delete from named_channels where ctid = any(array(select ctid from named_channels where channel_key = ? limit ?))',
  forgetHistoryOf: `delete from message_acls where message_position in
    (select position from entries where channel_key = ? and kind = 'message' and acls is not null order by position limit ?)`,
  forgetListsOf: 'delete from channel_acls where (channel_key, from_position) in (select channel_key, from_position from channel_acls where channel_key = ? limit ?)',
  forgetListed: `update entries set acls = null, acls_position = null
    where position in (select position from entries where channel_key = ? and kind = 'message' and acls is not null order by position limit ?)`,
  deleteCreations: 'delete from channel_creations where channel_key = any(cast(? as bigint[]))',
  deleteChannels: 'delete from channels where channel_key = any(cast(? as bigint[]))'
})

const orNull = (value: Parameter | undefined): Parameter => value ?? null
const jsonOrNull = (value: object | undefined): string | null => value === undefined ? null : JSON.stringify(value)

/**
 * Sends all that is to be written, in an order in which each finds what those before it have written.
 * @param found what the transaction has loaded: of a channel, and of a reply, whether it was there before
 * @returns what is to be waited for: each, and all of them are rejected where one fails
 */
export function write (session: Session, changes: Changes, found: Pick<Loaded, 'has' | 'get'>, before: LogState, after: LogState): Array<Promise<unknown>> {
  const writing = new Writing(session)
  writing.rows(changes, found)
  writing.standings(changes)
  writing.lists(changes)
  writing.contents(changes)
  writing.removals(changes)
  writing.log(before, after)
  return writing.sent
}

class Writing {
  readonly sent: Array<Promise<unknown>> = []
  readonly #session: Session

  constructor (session: Session) {
    this.#session = session
  }

  /** One statement for all rows; none where there are none. */
  #bulk (sql: string, rows: Parameter[][]): void {
    const [first] = rows
    if (first !== undefined) this.sent.push(this.#session.run(sql, first.map((_, column) => arrayOf(rows.map(row => row[column]!)))))
  }

  #of (sql: string, keys: readonly Parameter[]): void {
    this.#bulk(sql, keys.map(key => [key]))
  }

  rows ({ rows, entries }: Changes, found: Pick<Loaded, 'has' | 'get'>): void {
    const put = <T extends TableName>(table: T): Array<[string, Tables[T]]> => [...rows[table] ?? []].filter((row): row is [string, Tables[T]] => row[1] !== null)
    const gone = (table: TableName): string[] => [...rows[table] ?? []].flatMap(([key, record]) => record === null ? [key] : [])

    this.#bulk(writeSql.insertEntries, entries.map(entry => [
      entry.position, entry.tag, entry.at, entry.kind, entry.lane, orNull(entry.channelKey), orNull(entry.senderKey), orNull(entry.aboutKey), orNull(entry.messageId),
      orNull(entry.messagePosition), orNull(entry.eventId), entry.eventType === undefined ? null : escaped(entry.eventType), jsonOrNull(entry.subjects),
      jsonOrNull(entry.members), jsonOrNull(entry.acls ?? entry.change), entry.kind === 'message-acls-changed' ? null : orNull(entry.body)
    ]))
    this.#bulk(writeSql.putUsers, put('user').map(([, user]) => [
      user.userKey, user.userId, user.profile, screenNameOf(user.profile), user.createdAt, user.updatedAt, orNull(user.deletedAt), Number(user.leaving)
    ]))
    this.#bulk(writeSql.putTokens, put('token').map(([, token]) => [
      token.tokenId, token.userKey, orNull(token.parentId), token.createdAt, orNull(token.expiresAt), orNull(token.revokedAt)
    ]))
    this.#of(writeSql.deleteTokens, gone('token'))
    this.#channels(put('channel'), found)
    this.#bulk(writeSql.insertCreations, put('creation').map(([, { channelKey, events, subjects }]) => [channelKey, events, subjects.length === 0 ? null : JSON.stringify(subjects)]))
    this.#bulk(writeSql.putMembers, put('member').map(([, member]) => [
      member.channelKey, member.userKey, member.participationId, orNull(member.status), member.held, Number(member.admin), member.joinedAt, member.sincePosition,
      orNull(member.activePosition), orNull(member.closedPosition), member.createdAt, member.updatedAt
    ]))
    this.#bulk(writeSql.deleteMembers, gone('member').map(numbersOf))
    this.#of(writeSql.recordEvents, put('event').flatMap(([, { eventId, entry }]) => entry ? [] : [eventId]))
    this.#bulk(writeSql.putNonces, put('nonce').map(([, { nonce, at }]) => [nonce, at]))
    this.#of(writeSql.deleteNonces, gone('nonce'))
    this.#bulk(writeSql.putMeta, put('application').map(([, application]) => ['application_acls', JSON.stringify(application)]))
    // A key that was forgotten and taken again in one batch still has its row.
    const again = put('reply').flatMap(([key]) => found.has('reply', key) ? [key] : [])
    this.#bulk(writeSql.deleteReplies, [...gone('reply'), ...again].map(key => [lookupOf(...partsOf(key)), ...partsOf(key)]))
    this.#bulk(writeSql.putReplies, put('reply').map(([, { actor, key, fingerprint, remembered, at }]) => [lookupOf(actor, key), actor, key, fingerprint, remembered, at]))
  }

  #channels (rows: Array<[string, Tables['channel']]>, found: Pick<Loaded, 'has' | 'get'>): void {
    const changing = (channel: Tables['channel']): Parameter[] => [
      channel.channelKey, channel.updatedAt, channel.truncatedPosition, channel.lastPosition, Number(channel.adminVacant), channel.receivingCount, channel.mutedCount,
      channel.pendingCount, channel.disabledCount, channel.activeAdminCount, channel.messageCount, jsonOrNull(channel.listedCounts)
    ]
    const marks = (channel: Tables['channel']): Parameter[] => [orNull(channel.deletedPosition), Number(channel.erasing), Number(channel.closing)]
    const isMarked = (channel: Tables['channel'], before: Tables['channel']): boolean =>
      before.deletedPosition !== channel.deletedPosition || before.erasing !== channel.erasing || before.closing !== channel.closing
    const known = rows.filter(([key]) => found.has('channel', key)).map(([key, channel]) => ({ channel, before: found.get('channel', key)! }))
    this.#bulk(writeSql.insertChannels, rows.filter(([key]) => !found.has('channel', key)).map(([, channel]) => [
      ...changing(channel), ...marks(channel), channel.channelId, channel.ruleset, channel.groupType, Number(channel.ruleset === SYSTEM_CHANNEL), channel.createdAt,
      channel.createdPosition
    ]))
    this.#bulk(writeSql.changeChannels, known.map(({ channel }) => changing(channel)))
    this.#bulk(writeSql.markChannels, known.filter(({ channel, before }) => isMarked(channel, before)).map(({ channel }) => [channel.channelKey, ...marks(channel)]))
  }

  standings ({ closed, opened, memberships, totals }: Changes): void {
    this.#bulk(writeSql.closeIntervals, closed.map(({ userKey, channelKey, untilPosition }) => [userKey, channelKey, untilPosition]))
    this.#bulk(writeSql.openIntervals, opened.map(({ userKey, channelKey, fromPosition, untilPosition, status, admin }) =>
      [userKey, channelKey, fromPosition, orNull(untilPosition), status, Number(admin)]))
    this.#bulk(writeSql.countMemberships, [...memberships.values()].map(({ userKey, ruleset, by }) => [userKey, ruleset, by]))
    this.#bulk(writeSql.count, [...totals].map(([total, by]) => [total, by]))
  }

  lists ({ channelLists, messageLists, relisted, audiences }: Changes): void {
    const newest = new Map(channelLists.map(({ channelKey, position, lists }) => [channelKey, [channelKey, jsonOrNull(lists), position]]))
    this.#bulk(writeSql.listChannels, [...newest.values()])
    this.#bulk(writeSql.putChannelLists, channelLists.map(({ channelKey, position, lists }) => [channelKey, position, jsonOrNull(lists)]))
    this.#bulk(writeSql.putMessageLists, messageLists.map(({ message, position, lists }) => [message, position, jsonOrNull(lists)]))
    this.#bulk(writeSql.relist, [...relisted].map(([position, { acls, aclsPosition, lane }]) => [position, jsonOrNull(acls), orNull(aclsPosition), lane]))
    // In order: the last word on a row is the one that counts.
    const last = new Map(audiences.map(row => [audienceOf(row).join(' '), row]))
    const isGone = (row: typeof audiences[number]): boolean => row.gone === true
    this.#bulk(writeSql.unaddress, [...last.values()].filter(isGone).map(audienceOf))
    this.#bulk(writeSql.address, [...last.values()].filter(row => !isGone(row)).map(audienceOf))
    const named = audiences.filter(row => row.userKey > 0 && !isGone(row)).map(({ userKey, channelKey }): [string, Parameter[]] => [`${userKey} ${channelKey}`, [userKey, channelKey]])
    this.#bulk(writeSql.noteNamed, [...new Map(named).values()])
  }

  contents ({ newestEdits, erased, emptied }: Changes): void {
    this.#bulk(writeSql.setNewestEdits, [...newestEdits].map(([position, edit]) => [position, edit]))
    this.#of(writeSql.eraseMessages, erased)
    this.#of(writeSql.unaddressClasses, erased)
    this.#of(writeSql.emptyEntries, emptied)
  }

  removals ({ forgottenLists, removed, endedIntervals, forgottenMembers, forgottenListsOf, forgottenChannels }: Changes): void {
    this.#of(writeSql.forgetChannelLists, forgottenLists)
    this.#of(writeSql.forgetMessageLists, forgottenLists)
    this.#of(writeSql.unaddressAll, removed)
    this.#of(writeSql.forgetHistoryOfDeleted, removed)
    this.#of(writeSql.forgetNamedByDeleted, removed)
    this.#of(writeSql.forgetListsOfDeleted, removed)
    this.#of(writeSql.keepEventIds, removed)
    this.#of(writeSql.deleteEntries, removed)
    if (endedIntervals !== undefined) this.sent.push(this.#session.run(writeSql.deleteEndedIntervals, [endedIntervals.upTo, endedIntervals.limit]))
    const members = forgottenMembers.map(({ channelKey, userKey }) => [channelKey, userKey])
    this.#bulk(writeSql.deleteIntervalsOf, members)
    this.#bulk(writeSql.deleteMembers, members)
    for (const { channelKey, limit } of forgottenListsOf) {
      for (const sql of [writeSql.forgetAudiencesOf, writeSql.forgetNamedOf, writeSql.forgetListsOf, writeSql.forgetHistoryOf, writeSql.forgetListed]) {
        this.sent.push(this.#session.run(sql, [channelKey, limit]))
      }
    }
    this.#of(writeSql.deleteCreations, forgottenChannels)
    this.#of(writeSql.deleteChannels, forgottenChannels)
  }

  log (before: LogState, after: LogState): void {
    const rows = ([
      ['floor_position', before.floor.position, after.floor.position],
      ['floor_tag', before.floor.tag, after.floor.tag],
      ['removed_position', before.removedPosition, after.removedPosition],
      ['last_user_key', before.lastUserKey, after.lastUserKey],
      ['last_channel_key', before.lastChannelKey, after.lastChannelKey]
    ] as const).filter(([, was, is]) => was !== is)
    this.#bulk(writeSql.putMeta, rows.map(([name, , is]) => [name, String(is)]))
  }
}

const audienceOf = ({ channelKey, class: name, userKey, position }: AudienceRecord): number[] => [channelKey, classNumbers[name], userKey, position]

/** Of a user's profile, as JSON text: it may hold what no text of the database can. */
export function screenNameOf (profile: string): string | null {
  const { screenName } = JSON.parse(profile) as { screenName?: string }
  return screenName === undefined ? null : JSON.stringify(screenName)
}
