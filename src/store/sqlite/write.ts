/** Writes what a batch has come to, within its transaction. */
import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { SYSTEM_CHANNEL } from '../../rules/rulesets.ts'
import type { Changes } from '../core/changes.ts'
import { lanes, type EntryRecord, type LogState } from '../core/records.ts'
import type { Source, TableName, Tables } from '../core/source.ts'
import { classNumbers } from '../sql/audience-classes.ts'
import { callersEventId } from '../sql/event-ids.ts'
import { lookupOf } from '../sql/lookup.ts'
import { numbersOf, partsOf } from '../sql/rows.ts'
import { prepareAll, type Statements } from './statements.ts'

export const writeSql = {
  putMeta: 'insert into meta (name, value) values (?, ?) on conflict (name) do update set value = excluded.value',
  putUser: `insert into users (user_key, user_id, profile, created_at, updated_at, deleted_at, leaving) values (?, ?, ?, ?, ?, ?, ?)
    on conflict (user_key) do update set profile = excluded.profile, updated_at = excluded.updated_at,
      deleted_at = excluded.deleted_at, leaving = excluded.leaving`,
  putToken: `insert into tokens (token_id, user_key, parent_id, created_at, expires_at, revoked_at) values (?, ?, ?, ?, ?, ?)
    on conflict (token_id) do update set user_key = excluded.user_key, parent_id = excluded.parent_id, created_at = excluded.created_at,
      expires_at = excluded.expires_at, revoked_at = excluded.revoked_at`,
  deleteToken: 'delete from tokens where token_id = ?',
  insertChannel: `insert into channels (channel_key, channel_id, ruleset, group_type, system_channel, created_at, created_position,
      deleted_position, erasing, closing, updated_at, truncated_position, last_position, admin_vacant, receiving_count, muted_count, pending_count, disabled_count,
      active_admin_count, message_count, listed_counts)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  // No index is on these, or on some of their rows: a message moves nothing.
  changeChannel: `update channels set updated_at = ?, truncated_position = ?, last_position = ?, admin_vacant = ?, receiving_count = ?, muted_count = ?, pending_count = ?, disabled_count = ?, active_admin_count = ?, message_count = ?,
      listed_counts = ? where channel_key = ?`,
  markChannel: 'update channels set deleted_position = ?, erasing = ?, closing = ? where channel_key = ?',
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
      event_id, timeline_type, subjects, members, acls, body) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  listChannel: 'update channels set acls = ?, acls_position = ? where channel_key = ?',
  putChannelLists: 'insert into channel_acls (channel_key, from_position, acls) values (?, ?, ?)',
  putMessageLists: 'insert into message_acls (message_position, from_position, acls) values (?, ?, ?)',
  relist: 'update entries set acls = ?, acls_position = ?, lane = ? where position = ?',
  address: 'insert or ignore into audiences (channel_key, class, user_key, position) values (?, ?, ?, ?)',
  noteNamed: 'insert or ignore into named_channels (user_key, channel_key) values (?, ?)',
  unaddress: 'delete from audiences where channel_key = ? and class = ? and user_key = ? and position = ?',
  unaddressClasses: 'delete from audiences where position = ? and user_key = 0',
  unaddressAll: 'delete from audiences where position = ?',
  forgetChannelLists: 'delete from channel_acls where channel_key = (select channel_key from entries where position = ? and kind = \'channel-acls-changed\') and from_position < ?',
  // Those that it was sent with stay: a repeat of the request is answered from them.
  forgetMessageLists: `delete from message_acls where message_position = (select message_position from entries where position = ? and kind = 'message-acls-changed')
    and from_position < ? and from_position > message_position`,
  forgetAudiencesOf: `delete from audiences where (channel_key, class, user_key, position) in
    (select channel_key, class, user_key, position from audiences where channel_key = ? limit ?)`,
  forgetNamedOf: 'delete from named_channels where (user_key, channel_key) in (select user_key, channel_key from named_channels where channel_key = ? limit ?)',
  forgetHistoryOf: `delete from message_acls where message_position in
    (select position from entries where channel_key = ? and kind = 'message' and acls is not null order by position limit ?)`,
  forgetListsOf: 'delete from channel_acls where (channel_key, from_position) in (select channel_key, from_position from channel_acls where channel_key = ? limit ?)',
  setNewestEdit: 'update entries set edit_position = ? where position = ?',
  eraseMessage: `update entries set body = null, lane = ${lanes.erased} where position = ?`,
  emptyEntry: `update entries set body = null, lane = ${lanes.nothing} where position = ?`,
  forgetListsOfDeleted: `update entries set acls = null, acls_position = null
    where position = (select message_position from entries where position = ? and kind = 'message-deleted')`,
  forgetHistoryOfDeleted: 'delete from message_acls where message_position = (select message_position from entries where position = ? and kind = \'message-deleted\')',
  forgetNamedByDeleted: 'delete from audiences where position = (select message_position from entries where position = ? and kind = \'message-deleted\')',
  forgetListed: `update entries set acls = null, acls_position = null
    where position in (select position from entries where channel_key = ? and kind = 'message' and acls is not null order by position limit ?)`,
  keepEventId: `insert or ignore into created_events (event_id) select event_id from entries where position = ? and ${callersEventId}`,
  deleteEntry: 'delete from entries where position = ?',
  recordEvent: 'insert into created_events (event_id) values (?)',
  putNonce: 'insert or replace into nonces (nonce, at) values (?, ?)',
  deleteNonce: 'delete from nonces where nonce = ?',
  putReply: 'insert into replies (lookup, actor, key, fingerprint, outcome, at) values (?, ?, ?, ?, ?, ?)',
  deleteReply: 'delete from replies where lookup = ? and actor = ? and key = ?',
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

  /** @param before what the transaction found, by key: looked up by now, as whatever a command changes is */
  constructor (db: DatabaseSync, before: Pick<Source, 'get'>) {
    const sql = this.#sql = prepareAll(db, writeSql)
    // A message is its entry, and which channel has an id now follows from the channels: neither has rows of its own.
    this.#tables = {
      user: user => sql.putUser.run(user.userKey, user.userId, user.profile, user.createdAt, user.updatedAt, orNull(user.deletedAt), Number(user.leaving)),
      token: token => sql.putToken.run(token.tokenId, token.userKey, orNull(token.parentId), token.createdAt, orNull(token.expiresAt), orNull(token.revokedAt)),
      channel: (channel, key) => this.#putChannel(channel, before.get('channel', key)),
      creation: ({ channelKey, events, subjects }) => sql.putCreation.run(channelKey, events, subjects.length === 0 ? null : JSON.stringify(subjects)),
      member: member => sql.putMember.run(member.channelKey, member.userKey, member.participationId, orNull(member.status), member.held, Number(member.admin),
        member.joinedAt, member.sincePosition, orNull(member.activePosition), orNull(member.closedPosition), member.createdAt, member.updatedAt),
      event: ({ eventId, entry }) => { if (!entry) sql.recordEvent.run(eventId) },
      nonce: ({ nonce, at }) => sql.putNonce.run(nonce, at),
      application: application => sql.putMeta.run('application_acls', JSON.stringify(application)),
      reply: (reply, key) => this.#putReply(reply, before.get('reply', key))
    }
    this.#removals = {
      token: key => sql.deleteToken.run(key),
      member: key => sql.deleteMember.run(...numbersOf(key)),
      nonce: key => sql.deleteNonce.run(key),
      reply: key => {
        const [actor, own] = partsOf(key)
        sql.deleteReply.run(lookupOf(actor, own), actor, own)
      }
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
    this.#putLists(changes)
    for (const [position, edit] of changes.newestEdits) sql.setNewestEdit.run(edit, position)
    for (const position of changes.erased) {
      sql.eraseMessage.run(position)
      sql.unaddressClasses.run(position)
    }
    for (const position of changes.emptied) sql.emptyEntry.run(position)
    for (const position of changes.forgottenLists) {
      sql.forgetChannelLists.run(position, position)
      sql.forgetMessageLists.run(position, position)
    }
    for (const position of changes.removed) {
      sql.unaddressAll.run(position)
      sql.forgetHistoryOfDeleted.run(position)
      sql.forgetNamedByDeleted.run(position)
      sql.forgetListsOfDeleted.run(position)
      sql.keepEventId.run(position)
      sql.deleteEntry.run(position)
    }
    this.#forget(changes)
    this.#putLog(before, after)
  }

  #putChannel (channel: Tables['channel'], before: Tables['channel'] | undefined): void {
    const { channelKey, channelId, ruleset, groupType, createdAt, createdPosition } = channel
    const marks = [orNull(channel.deletedPosition), Number(channel.erasing), Number(channel.closing)]
    const changing = [
      channel.updatedAt, channel.truncatedPosition, channel.lastPosition, Number(channel.adminVacant), channel.receivingCount, channel.mutedCount,
      channel.pendingCount, channel.disabledCount, channel.activeAdminCount, channel.messageCount, jsonOrNull(channel.listedCounts)
    ]
    if (before === undefined) {
      this.#sql.insertChannel.run(channelKey, channelId, ruleset, groupType, Number(ruleset === SYSTEM_CHANNEL), createdAt, createdPosition, ...marks, ...changing)
      return
    }
    this.#sql.changeChannel.run(...changing, channelKey)
    const isMarked = before.deletedPosition !== channel.deletedPosition || before.erasing !== channel.erasing || before.closing !== channel.closing
    if (isMarked) this.#sql.markChannel.run(...marks, channelKey)
  }

  /** A key that was forgotten and taken again in one batch still has its row. */
  #putReply ({ actor, key, fingerprint, remembered, at }: Tables['reply'], before: Tables['reply'] | undefined): void {
    const lookup = lookupOf(actor, key)
    if (before !== undefined) this.#sql.deleteReply.run(lookup, actor, key)
    this.#sql.putReply.run(lookup, actor, key, fingerprint, remembered, at)
  }

  #insertEntry (entry: EntryRecord): void {
    this.#sql.insertEntry.run(entry.position, entry.tag, entry.at, entry.kind, entry.lane, orNull(entry.channelKey), orNull(entry.senderKey),
      orNull(entry.aboutKey), orNull(entry.messageId), orNull(entry.messagePosition), orNull(entry.eventId), orNull(entry.eventType),
      jsonOrNull(entry.subjects), jsonOrNull(entry.members), jsonOrNull(entry.acls ?? entry.change), entry.kind === 'message-acls-changed' ? null : orNull(entry.body))
  }

  #putLists ({ channelLists, messageLists, relisted, audiences }: Changes): void {
    const sql = this.#sql
    for (const { channelKey, position, lists } of channelLists) {
      sql.listChannel.run(jsonOrNull(lists), position, channelKey)
      sql.putChannelLists.run(channelKey, position, jsonOrNull(lists))
    }
    for (const { message, position, lists } of messageLists) sql.putMessageLists.run(message, position, jsonOrNull(lists))
    for (const [position, { acls, aclsPosition, lane }] of relisted) {
      sql.relist.run(jsonOrNull(acls), orNull(aclsPosition), lane, position)
    }
    for (const { channelKey, class: name, userKey, position, gone } of audiences) {
      sql[gone === true ? 'unaddress' : 'address'].run(channelKey, classNumbers[name], userKey, position)
      if (userKey > 0 && gone !== true) sql.noteNamed.run(userKey, channelKey)
    }
  }

  #forget ({ endedIntervals, forgottenMembers, forgottenChannels, forgottenListsOf }: Changes): void {
    if (endedIntervals !== undefined) this.#sql.deleteEndedIntervals.run(endedIntervals.upTo, endedIntervals.limit)
    for (const { channelKey, userKey } of forgottenMembers) {
      this.#sql.deleteIntervalsOf.run(userKey, channelKey)
      this.#sql.deleteMember.run(channelKey, userKey)
    }
    for (const { channelKey, limit } of forgottenListsOf) {
      this.#sql.forgetAudiencesOf.run(channelKey, limit)
      this.#sql.forgetNamedOf.run(channelKey, limit)
      this.#sql.forgetListsOf.run(channelKey, limit)
      this.#sql.forgetHistoryOf.run(channelKey, limit)
      this.#sql.forgetListed.run(channelKey, limit)
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
