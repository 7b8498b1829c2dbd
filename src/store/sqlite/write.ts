/** Writes what a batch has come to, within its transaction. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { SYSTEM_CHANNEL } from '../../rules/rulesets.ts'
import type { Changes } from '../core/changes.ts'
import { lanes, type EntryRecord, type LogState } from '../core/records.ts'
import type { TableName, Tables } from '../core/source.ts'
import { numbersOf, partsOf } from './rows.ts'
import { prepareAll, type Statements } from './statements.ts'

/** Ids that a caller gave are nobody's ever again; those of the service's own cannot be given (src/rules/identifiers.ts). */
const callersEventId = 'event_id not like \'________-____-8___-____-____________\''

export const writeSql = {
  putMeta: 'insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
  putUser: `insert into users (user_key, user_id, profile, created_at, updated_at, deleted_at, leaving) values (?, ?, ?, ?, ?, ?, ?)
    on conflict (user_key) do update set profile = excluded.profile, updated_at = excluded.updated_at,
      deleted_at = excluded.deleted_at, leaving = excluded.leaving`,
  putToken: `insert into tokens (token_id, user_key, parent_id, created_at, expires_at, revoked_at) values (?, ?, ?, ?, ?, ?)
    on conflict (token_id) do update set revoked_at = excluded.revoked_at`,
  deleteToken: 'delete from tokens where token_id = ?',
  insertChannel: `insert into channels (channel_key, channel_id, ruleset, group_type, system_channel, created_at, created_position, updated_at,
      deleted_position, truncated_position, last_position, erasing, closing, admin_vacant, receiving_count, active_admin_count, message_count)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  changeChannel: `update channels set updated_at = ?, deleted_position = ?, truncated_position = ?, last_position = ?, erasing = ?, closing = ?,
      admin_vacant = ?, receiving_count = ?, active_admin_count = ?, message_count = ? where channel_key = ?`,
  putCreation: 'insert into channel_creations (channel_key, events, subjects) values (?, ?, ?)',
  putMember: `insert into participations (channel_key, user_key, participation_id, status, held, admin, joined_at, since_position,
      active_position, closed_position, created_at, updated_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    on conflict (channel_key, user_key) do update set participation_id = excluded.participation_id, status = excluded.status,
      held = excluded.held, admin = excluded.admin, joined_at = excluded.joined_at, since_position = excluded.since_position,
      active_position = excluded.active_position, closed_position = excluded.closed_position,
      created_at = excluded.created_at, updated_at = excluded.updated_at`,
  deleteMember: 'delete from participations where channel_key = ? and user_key = ?',
  closeInterval: 'update intervals set until_position = ? where user_key = ? and channel_key = ? and until_position is null',
  openInterval: 'insert into intervals (user_key, channel_key, from_position, until_position, status, admin) values (?, ?, ?, ?, ?, ?)',
  countMembership: `insert into memberships (user_key, ruleset, count) values (?, ?, ?)
    on conflict (user_key, ruleset) do update set count = count + excluded.count`,
  count: 'update counters set value = value + ? where name = ?',
  insertEntry: `insert into entries (position, tag, at, kind, lane, channel_key, sender_key, about_key, message_id, message_position,
      event_id, timeline_type, subjects, members, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  setNewestEdit: 'update entries set edit_position = ? where position = ?',
  eraseMessage: `update entries set body = null, lane = ${lanes.erased} where position = ?`,
  emptyEntry: `update entries set body = null, lane = ${lanes.nothing} where position = ?`,
  keepEventId: `insert or ignore into created_events (event_id) select event_id from entries where position = ? and ${callersEventId}`,
  deleteEntry: 'delete from entries where position = ?',
  recordEvent: 'insert into created_events (event_id) values (?)',
  putNonce: 'insert or replace into nonces (nonce, at) values (?, ?)',
  deleteNonce: 'delete from nonces where nonce = ?',
  putReply: 'insert or replace into idempotency (actor, key, fingerprint, outcome, at) values (?, ?, ?, ?, ?)',
  deleteReply: 'delete from idempotency where actor = ? and key = ?',
  deleteEndedIntervals: `delete from intervals where (user_key, channel_key, from_position) in
    (select user_key, channel_key, from_position from intervals where until_position is not null and until_position <= ? limit ?)`,
  deleteIntervalsOf: 'delete from intervals where user_key = ? and channel_key = ?',
  deleteCreation: 'delete from channel_creations where channel_key = ?',
  deleteChannel: 'delete from channels where channel_key = ?'
}

const orNull = (value: SQLInputValue | undefined): SQLInputValue => value ?? null
const jsonOrNull = (value: object | undefined): string | null => value === undefined ? null : JSON.stringify(value)

export class BatchWriter {
  readonly #sql: Statements<typeof writeSql>
  readonly #tables: { [T in TableName]?: (record: Tables[T], key: string) => unknown }
  readonly #removals: { [T in TableName]?: (key: string) => unknown }

  constructor (db: DatabaseSync) {
    const sql = this.#sql = prepareAll(db, writeSql)
    // A message is its entry, and which channel has an id now follows from the channels: neither has rows of its own.
    this.#tables = {
      user: user => sql.putUser.run(user.userKey, user.userId, user.profile, user.createdAt, user.updatedAt, orNull(user.deletedAt), Number(user.leaving)),
      token: token => sql.putToken.run(token.tokenId, token.userKey, orNull(token.parentId), token.createdAt, orNull(token.expiresAt), orNull(token.revokedAt)),
      channel: channel => this.#putChannel(channel),
      creation: ({ channelKey, events, subjects }) => sql.putCreation.run(channelKey, events, subjects.length === 0 ? null : JSON.stringify(subjects)),
      member: member => sql.putMember.run(member.channelKey, member.userKey, member.participationId, orNull(member.status), member.held, Number(member.admin),
        member.joinedAt, member.sincePosition, orNull(member.activePosition), orNull(member.closedPosition), member.createdAt, member.updatedAt),
      event: ({ eventId, entry }) => { if (!entry) sql.recordEvent.run(eventId) },
      nonce: ({ nonce, at }) => sql.putNonce.run(nonce, at),
      reply: ({ actor, key, fingerprint, remembered, at }) => sql.putReply.run(actor, key, fingerprint, remembered, at)
    }
    this.#removals = {
      token: key => sql.deleteToken.run(key),
      member: key => sql.deleteMember.run(...numbersOf(key)),
      nonce: key => sql.deleteNonce.run(key),
      reply: key => sql.deleteReply.run(...partsOf(key))
    }
  }

  /** @param before the log as the transaction found it */
  write (changes: Changes, before: LogState, after: LogState): void {
    const sql = this.#sql
    for (const entry of changes.entries) this.#insertEntry(entry)
    for (const [table, rows] of Object.entries(changes.rows) as Array<[TableName, Map<string, never>]>) {
      for (const [key, record] of rows) {
        if (record === null) this.#removals[table]?.(key)
        else (this.#tables[table] as ((record: never, key: string) => unknown) | undefined)?.(record, key)
      }
    }
    for (const { userKey, channelKey, untilPosition } of changes.closed) sql.closeInterval.run(untilPosition, userKey, channelKey)
    for (const { userKey, channelKey, fromPosition, untilPosition, status, admin } of changes.opened) {
      sql.openInterval.run(userKey, channelKey, fromPosition, orNull(untilPosition), status, Number(admin))
    }
    for (const { userKey, ruleset, by } of changes.memberships.values()) sql.countMembership.run(userKey, ruleset, by)
    for (const [total, by] of changes.totals) sql.count.run(by, total)
    for (const [position, edit] of changes.newestEdits) sql.setNewestEdit.run(edit, position)
    for (const position of changes.erased) sql.eraseMessage.run(position)
    for (const position of changes.emptied) sql.emptyEntry.run(position)
    for (const position of changes.removed) {
      sql.keepEventId.run(position)
      sql.deleteEntry.run(position)
    }
    this.#forget(changes)
    this.#putLog(before, after)
  }

  #putChannel (channel: Tables['channel']): void {
    const changing = [
      channel.updatedAt, orNull(channel.deletedPosition), channel.truncatedPosition, channel.lastPosition, Number(channel.erasing), Number(channel.closing),
      Number(channel.adminVacant), channel.receivingCount, channel.activeAdminCount, channel.messageCount
    ]
    const { channelKey, channelId, ruleset, groupType, createdAt, createdPosition } = channel
    if (this.#sql.changeChannel.run(...changing, channelKey).changes === 1) return
    this.#sql.insertChannel.run(channelKey, channelId, ruleset, groupType, Number(ruleset === SYSTEM_CHANNEL), createdAt, createdPosition, ...changing)
  }

  #insertEntry (entry: EntryRecord): void {
    this.#sql.insertEntry.run(entry.position, entry.tag, entry.at, entry.kind, entry.lane, orNull(entry.channelKey), orNull(entry.senderKey),
      orNull(entry.aboutKey), orNull(entry.messageId), orNull(entry.messagePosition), orNull(entry.eventId), orNull(entry.eventType),
      jsonOrNull(entry.subjects), jsonOrNull(entry.members), orNull(entry.body))
  }

  #forget ({ endedIntervals, forgottenMembers, forgottenChannels }: Changes): void {
    if (endedIntervals !== undefined) this.#sql.deleteEndedIntervals.run(endedIntervals.upTo, endedIntervals.limit)
    for (const { channelKey, userKey } of forgottenMembers) {
      this.#sql.deleteIntervalsOf.run(userKey, channelKey)
      this.#sql.deleteMember.run(channelKey, userKey)
    }
    for (const channelKey of forgottenChannels) {
      this.#sql.deleteCreation.run(channelKey)
      this.#sql.deleteChannel.run(channelKey)
    }
  }

  #putLog (before: LogState, after: LogState): void {
    const put = (name: string, was: number, is: number) => { if (was !== is) this.#sql.putMeta.run(name, String(is)) }
    put('floor_position', before.floor.position, after.floor.position)
    put('floor_tag', before.floor.tag, after.floor.tag)
    put('removed_position', before.removedPosition, after.removedPosition)
    put('last_user_key', before.lastUserKey, after.lastUserKey)
    put('last_channel_key', before.lastChannelKey, after.lastChannelKey)
  }
}
