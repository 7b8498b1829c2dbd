/** What a batch has come to, as a store writes it. */
import type { AccessLists } from '../../rules/access.ts'
import type { Ruleset } from '../../rules/relay.ts'
import type { Position } from '../contract/log.ts'
import type { AudienceRecord, EntryRecord, IntervalRecord, Lane, MessageRecord, Total } from './records.ts'
import type { TableName, Tables } from './source.ts'

/** What a store is to write, all of it in one transaction. Nothing in it depends on the order of the tables. */
export interface Changes {
  /** Rows to put in the place of whatever has their key. */
  rows: { [T in TableName]?: Map<string, Tables[T] | null> }
  /** Intervals that were in force before, and end. */
  closed: Array<{ userKey: number, channelKey: number, untilPosition: Position }>
  /** New intervals, ended ones among them. */
  opened: IntervalRecord[]
  /** What to add to how many channels a user is in. */
  memberships: Map<string, { userKey: number, ruleset: Ruleset, by: number }>
  totals: Map<Total, number>
  /** New entries, in order. */
  entries: EntryRecord[]
  /** Lists of channels, each from a position on. */
  channelLists: Array<{ channelKey: number, position: Position, lists: AccessLists | undefined }>
  /** Lists of messages, by the message's position, each from a position on. */
  messageLists: Array<{ message: Position, position: Position, lists: AccessLists | undefined }>
  /** Of messages that were there before this batch, too, and that have other lists now. */
  relisted: Map<Position, Pick<MessageRecord, 'acls' | 'aclsPosition'> & { lane: Lane }>
  /** In order: rows to put, and rows to take away. */
  audiences: Array<AudienceRecord & { gone?: true }>
  /** Of messages that were there before this batch, too: the newest edit. */
  newestEdits: Map<Position, Position>
  /** Messages, by position: their content goes, and each is in the lane `erased`. */
  erased: Position[]
  /** Entries, by position, of which nothing is left: no content, and the lane `nothing`. */
  emptied: Position[]
  /** Entries, by position. */
  removed: Position[]
  /** Changes of lists, by position: what was in force before them goes. */
  forgottenLists: Position[]
  /** Intervals that ended up to a position go, some at a time. */
  endedIntervals?: { upTo: Position, limit: number }
  /** A member's row and its intervals. */
  forgottenMembers: Array<{ channelKey: number, userKey: number }>
  forgottenChannels: number[]
  /** What is kept of a channel's lists beside its row, so many rows of each kind. */
  forgottenListsOf: Array<{ channelKey: number, limit: number }>
}
