/** From rows of the log to records: entries, the messages and timeline events that some of them are, and what is kept beside them. */
import type { AccessLists } from '../../rules/access.ts'
import type { Position, Standing } from '../contract/log.ts'
import type { MessageDetails, StoredEvent } from '../core/read/queries.ts'
import {
  lanes, type EntryRecord, type EntryView, type Lane, type ListsChange, type LogState, type MessageRecord, type RecordKind, type UserReference
} from '../core/records.ts'
import { goneAmong, goneOfRow } from './columns.ts'
import { yields, type Dialect } from './dialect.ts'
import { given, parsed, type Flag } from './rows.ts'

/** What is kept of the log beside its entries. */
export const metaNames = '\'epoch\', \'floor_position\', \'floor_tag\', \'removed_position\', \'last_user_key\', \'last_channel_key\''
export const metaSql = yields<MetaRow>(`select name, value from meta where name in (${metaNames})`)

export interface MetaRow {
  name: string
  value: string
}

export function metaOfRows (rows: MetaRow[]): Omit<LogState, 'position' | 'tag' | 'at'> {
  const meta = Object.fromEntries(rows.map(({ name, value }) => [name, value]))
  return {
    epoch: meta.epoch!,
    floor: { position: Number(meta.floor_position), tag: Number(meta.floor_tag) },
    removedPosition: Number(meta.removed_position),
    lastUserKey: Number(meta.last_user_key),
    lastChannelKey: Number(meta.last_channel_key)
  }
}

/** An entry; `null` is, too, what is not there of all that was joined to it. */
export interface EntryRow {
  position: Position
  tag: number
  at: number
  kind: RecordKind
  lane: Lane
  channel_key: number | null
  sender_key: number | null
  about_key: number | null
  message_id: string | null
  message_position: Position | null
  event_id: string | null
  timeline_type: string | null
  /** Of the tail alone: a replay has no use for it, and it may be long. */
  members?: string | null
  body: string | null
  gone: string | null
  channel_id: string | null
  truncated_position: Position | null
  deleted_position: Position | null
  sender_id: string | null
  sender_deleted_at: number | null
  about_id: string | null
  about_deleted_at: number | null
  original_at: number | null
  original_lane: Lane | null
  /** Of changes of lists. */
  change: string | null
  /** Of the message that it is, or is about: its lists now, and as of the entry; `listed`: it has some, or had. */
  listed: Flag
  acls_now: string | null
  acls_then: string | null
  /** Of those whom these name. */
  gone_named: string | null
  channel_acls_then: string | null
}

const isListed = `case e.kind when 'message' then e.acls is not null or e.acls_position is not null
  else original.acls is not null or original.acls_position is not null end`

const listsThen = ({ member }: Dialect): string => `
  case when e.kind in ('message-acls-changed', 'channel-acls-changed') then ${member('e.acls', 'after')}
    when e.kind = 'message' then
      case when e.acls_position is null then e.acls
        else (select h.acls from message_acls h where h.message_position = e.position order by h.from_position limit 1) end
    when original.acls_position is null or original.acls_position <= e.position then original.acls
    else (select h.acls from message_acls h where h.message_position = e.message_position and h.from_position <= e.position order by h.from_position desc limit 1)
  end
`

/** Which of the users whom lists (JSON text) name were deleted: a JSON array of their ids. */
const goneNamedIn = ({ userIdsIn, arrayOf }: Dialect, lists: string): string => `
  case when ${lists} is null then null else (select ${arrayOf('named.value')} from ${userIdsIn(lists)} named
    where (select deleted_at from users where user_id = named.value) is not null) end`

/** Lists of the message that an entry is, or is about, and, where they decide, of its channel. What they were is looked up only where they have changed since. */
const listColumns = (dialect: Dialect): string => `
  case when e.kind in ('channel-acls-changed', 'message-acls-changed') then e.acls end as change,
  cast(${isListed} as integer) as listed,
  case e.kind when 'message' then e.acls else original.acls end as acls_now,
  ${listsThen(dialect)} as acls_then, ${goneNamedIn(dialect, listsThen(dialect))} as gone_named,
  case when c.acls_position is null or not (${isListed} or e.about_key is not null or e.kind = 'channel') then null
    when c.acls_position <= e.position then c.acls
    else (select h.acls from channel_acls h where h.channel_key = c.channel_key and h.from_position <= e.position order by h.from_position desc limit 1)
  end as channel_acls_then
`

/** Of a change of a message's lists: the edit that there was then, or the one that has taken its place behind retention, or the message. */
const contentThen = ({ numberIn }: Dialect): string => `coalesce(
  (select edit.body from entries edit where edit.position = ${numberIn('e.acls', 'edit')}),
  case when ${numberIn('e.acls', 'edit')} is not null then (select edit.body from entries edit where edit.position = original.edit_position) end,
  original.body)`

/** `e` an entry, its channel, its sender, whom it is about, and the message that it is about. */
export const entryColumns = (dialect: Dialect): string => `
  e.position, e.tag, e.at, e.kind, e.lane, e.channel_key, e.sender_key, e.about_key, e.message_id, e.message_position,
  e.event_id, e.timeline_type, case e.kind when 'message-acls-changed' then ${contentThen(dialect)} else e.body end as body, ${goneAmong(dialect, 'e.subjects')} as gone,
  c.channel_id, c.truncated_position, c.deleted_position,
  sender.user_id as sender_id, sender.deleted_at as sender_deleted_at,
  about.user_id as about_id, about.deleted_at as about_deleted_at,
  original.at as original_at, original.lane as original_lane, ${listColumns(dialect)}
`
export const entryJoins = `
  left join channels c on c.channel_key = e.channel_key
  left join users sender on sender.user_key = e.sender_key
  left join users about on about.user_key = e.about_key
  left join entries original on original.position = e.message_position
`

export function viewOfRow (row: EntryRow): EntryView {
  const record: EntryRecord = {
    position: row.position,
    tag: row.tag,
    at: row.at,
    kind: row.kind,
    lane: row.lane,
    ...given('channelKey', row.channel_key),
    ...given('senderKey', row.sender_key),
    ...given('aboutKey', row.about_key),
    ...given('messageId', row.message_id),
    ...given('messagePosition', row.message_position),
    ...given('eventId', row.event_id),
    ...given('eventType', row.timeline_type),
    ...(row.members === undefined || row.members === null ? {} : { members: JSON.parse(row.members) as Standing[] }),
    ...parsed<'change', ListsChange>('change', row.change),
    ...given('body', row.body)
  }
  return {
    record,
    ...given('channel', channelOfEntry(row)),
    ...given('sender', userReference(row.sender_key, row.sender_id, row.sender_deleted_at)),
    ...given('about', userReference(row.about_key, row.about_id, row.about_deleted_at)),
    ...(row.original_at === null ? {} : { message: { at: row.original_at, present: isThere(row.original_lane) } }),
    ...(row.listed === 1 ? { lists: { ...parsed<'then', AccessLists>('then', row.acls_then), ...parsed<'now', AccessLists>('now', row.acls_now) } } : {}),
    ...parsed<'channelLists', AccessLists>('channelLists', row.channel_acls_then),
    gone: [...goneOfRow(row.gone), ...goneOfRow(row.gone_named)]
  }
}

function channelOfEntry (row: EntryRow): NonNullable<EntryView['channel']> | null {
  if (row.channel_id === null || row.truncated_position === null) return null
  return {
    channelId: row.channel_id,
    truncatedPosition: row.truncated_position,
    ...given('deletedPosition', row.deleted_position)
  }
}

function userReference (userKey: number | null, userId: string | null, deletedAt: number | null): UserReference | null {
  return userKey === null || userId === null ? null : { userKey, userId, deleted: deletedAt !== null }
}

export interface MessageRow {
  position: Position
  message_id: string
  channel_key: number
  at: number
  lane: Lane
  edit_position: Position | null
  sender_key: number
  sender_id: string
  sender_deleted_at: number | null
  acls: string | null
  acls_position: Position | null
}

/** `e` a message's entry, `sender` its sender. */
export const messageColumns = `
  e.position, e.message_id, e.channel_key, e.at, e.lane, e.edit_position, e.sender_key, e.acls, e.acls_position,
  sender.user_id as sender_id, sender.deleted_at as sender_deleted_at
`

export function messageOfRow (row: MessageRow): MessageRecord {
  return {
    position: row.position,
    messageId: row.message_id,
    channelKey: row.channel_key,
    sender: { userKey: row.sender_key, userId: row.sender_id, deleted: row.sender_deleted_at !== null },
    at: row.at,
    present: isThere(row.lane),
    ...given('editPosition', row.edit_position),
    ...parsed<'acls', AccessLists>('acls', row.acls),
    ...given('aclsPosition', row.acls_position)
  }
}

/** Of a message: it has not been deleted. */
export const isThere = (lane: Lane | null): boolean => lane === lanes.message || lane === lanes.listed
export const thereSql = (column: string): string => `${column} in (${lanes.message}, ${lanes.listed})`

/** A message that is there, so with content. */
export interface MessageDetailsRow extends MessageRow {
  channel_id: string
  content: string
  edited_at: number | null
  gone: string | null
  gone_named: string | null
}

export const messageDetailsColumns = (dialect: Dialect): string => `
  ${messageColumns}, c.channel_id, coalesce(edit.body, e.body) as content, edit.at as edited_at, ${goneNamedIn(dialect, 'e.acls')} as gone_named,
  ${goneAmong(dialect, 'e.subjects')} as gone
`
export const messageDetailsJoins = `
  join channels c on c.channel_key = e.channel_key
  left join users sender on sender.user_key = e.sender_key
  left join entries edit on edit.position = e.edit_position
`

export function messageDetailsOfRow (row: MessageDetailsRow): MessageDetails {
  return {
    ...messageOfRow(row),
    channelId: row.channel_id,
    content: row.content,
    ...given('editedAt', row.edited_at),
    gone: [...goneOfRow(row.gone), ...goneOfRow(row.gone_named)]
  }
}

export interface EventRow {
  position: Position
  body: string
  gone: Flag
}

/** `e` a timeline event's entry, `subject` whom it is about. */
export const eventColumns = 'e.position, e.body, cast(subject.deleted_at is not null as integer) as gone'
export const eventJoin = 'left join users subject on subject.user_key = e.sender_key'

export function eventOfRow (row: EventRow): StoredEvent {
  return { position: row.position, body: row.body, gone: row.gone === 1 }
}
