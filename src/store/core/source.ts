/** What a batch is decided on, as a store gives it: records by their keys, loaded within the batch's own transaction. */
import type { Position } from '../contract/log.ts'
import type { PageBounds } from './read/queries.ts'
import type {
  ApplicationRecord, ChannelRecord, CreationEvents, EntryView, EventIdRecord, LivingChannel, MemberRecord, MessageRecord, NonceRecord, Remains, ReplyRecord, TokenRecord, UserRecord
} from './records.ts'

/** What is looked up by a key, and which. A key of two parts is joined with a space. */
export interface Tables {
  /** By user id. */
  user: UserRecord
  /** By token id. */
  token: TokenRecord
  /** By channel id: the channel that has it now. */
  living: LivingChannel
  /** By channel key. */
  channel: ChannelRecord
  /** By channel key and user key. */
  member: MemberRecord
  /** By message id, also where it was deleted: its id is never given again. */
  message: MessageRecord
  /** By event id. */
  event: EventIdRecord
  /** By nonce. */
  nonce: NonceRecord
  /** By actor and idempotency key. */
  reply: ReplyRecord
  /** By channel key. */
  creation: CreationEvents
  /** By an empty key: there is one. */
  application: ApplicationRecord
}
export type TableName = keyof Tables

/** What is done of something long in one step: it takes some milliseconds, and other commands wait no longer. */
export const STEP = { rows: 200, bytes: 1024 * 1024 } satisfies PageBounds

/**
 * What a store has loaded of its own transaction. It may look things up when they are asked for, or have
 * loaded what the batch needs (`needsOf`) beforehand, and throw `Unloaded` for the rest.
 */
export interface Source {
  get<T extends TableName> (table: T, key: string): Tables[T] | undefined
  /** The members of a channel who are active, those who have been so longest first; at most `limit`. */
  longestActive (channelKey: number, limit: number): MemberRecord[]
  /** A message's content as it is now: JSON text. */
  content (message: MessageRecord): string | undefined
  /** An entry, as it was stored before this batch. */
  view (position: Position): EntryView | undefined
  /** What hangs on a message, its events up to `floor`; as much as a step allows, or what is left of one. */
  remains (message: Position, floor: Position, left: PageBounds): Remains
}

/** A command needs something that was not loaded: the batch is cut short before it, and what it needs is loaded. */
export class Unloaded extends Error {
  readonly need: { table: TableName | 'longest-active' | 'content' | 'view' | 'remains', key: string }

  constructor (need: Unloaded['need']) {
    super(`not loaded: ${need.table} ${need.key}`)
    this.name = 'Unloaded'
    this.need = need
  }
}
