/**
 * What each stream carries of a history (protocol 8, promises 4 and 5): pure functions over it, for a reader
 * who is live when something happens and for one who reads of it at any moment later. A moment is the number
 * of entries that had happened.
 */
import { DELETED, type Happening, type Status } from '../relay/steps.ts'
import type { Frame } from '../support/sse.ts'

/** One life of a channel: one that is made again under the id of a deleted one is another. */
export interface Life {
  readonly name: string
  /** Index of the entry that made it, and of the one that deleted it. */
  readonly created: number
  deletedAt?: number
}

export interface Said {
  sender: string
  text: string
  edited: boolean
  /** What its timeline began with. */
  events: Happening[]
}

export interface Entry {
  kind: 'channel' | 'channel-deleted' | 'channel-timeline' | 'participation' | 'participation-deleted' |
    'message' | 'message-updated' | 'message-deleted' | 'message-timeline' | 'messages-truncated' | 'channel-acls-changed' | 'user-deleted'
  /** All but `user-deleted`, which no stream carries. */
  channel?: Life
  /** Whom it concerns. */
  about?: string
  /** Who was in the channel right after it, and since which entry; of a deletion: right before. */
  members: Map<string, { status: Status, admin: boolean, cameWith: number }>
  /** participation: what it is now, and was. */
  change?: { old?: Status, status: Status, admin: boolean }
  message?: { readonly name: string, goneAt?: number }
  said?: Said
  event?: Happening
}

/** Who reads: everything (the application), all of a user's channels, or one life of one channel. */
export type Reader = { of: 'application' } | { of: 'user', user: string } | { of: 'channel', channel: Life, user?: string }

/** What streams carry, in lines. An entry is the one at an index of the history. */
export interface Law {
  /** How a reader who is live is told of an entry as it happens; undefined: it is not. */
  live (reader: Reader, history: Entry[], index: number): string | undefined
  /** How a reader is told of it who missed it and reads of it at a moment later. */
  later (reader: Reader, history: Entry[], index: number, moment: number): string | undefined
  /** Whether a reader who missed it may be told of it, or not. */
  mayMiss? (reader: Reader, history: Entry[], index: number, moment: number): boolean
  /** Whether a stream ends after it, and as what. */
  endsWith (reader: Reader, history: Entry[], index: number): 'deleted' | 'removed' | 'expired' | undefined
  /** Whether a reader may have a stream of its own at a moment. */
  receives (reader: Reader, history: Entry[], moment: number): boolean
  /** A frame as it was read, its ids turned into names. */
  told (frame: Pick<Frame, 'event' | 'json'>, name: (id: string) => string): string
}

export const receives = (member: { status: Status } | undefined): boolean => member?.status === 'active' || member?.status === 'muted'

const had = (index: number | undefined, moment: number): boolean => index !== undefined && index < moment

/** Whether a reader who is live gets an entry as it happens. */
export function carriedLive (reader: Reader, { kind, channel, about, members }: Entry): boolean {
  if (channel === undefined) return false
  if (reader.of === 'application') return true
  if (reader.of === 'channel' && reader.channel !== channel) return false
  if (reader.user === undefined || about === reader.user) return true
  if (kind === 'channel' || kind === 'channel-deleted') return members.has(reader.user)
  return receives(members.get(reader.user))
}

/** Whether a reader who missed an entry gets it at a moment later: it was entitled then and is now, or it is about the reader. */
export function carriedLater (reader: Reader, entry: Entry, history: Entry[], moment: number): boolean {
  if (!carriedLive(reader, entry) || isGone(entry, moment)) return false
  if (reader.of === 'application' || reader.user === undefined) return true
  const { kind, channel, about, members } = entry
  if (about === reader.user || kind === 'channel-deleted') return true
  const now = membersAt(history, channel!, moment)?.get(reader.user)
  if (receives(now) && receives(members.get(reader.user))) return true
  // The entry that made it a participant, as long as it is one of that making.
  return kind === 'channel' && now?.cameWith === channel!.created
}

/** Whether the content that an entry speaks of was deleted by then. */
function isGone ({ kind, message }: Entry, moment: number): boolean {
  return message !== undefined && kind !== 'message-deleted' && had(message.goneAt, moment)
}

/** Who is in a channel at a moment; undefined where it is deleted. */
export function membersAt (history: Entry[], channel: Life, moment: number): Entry['members'] | undefined {
  if (had(channel.deletedAt, moment)) return undefined
  for (let index = moment - 1; index >= channel.created; index--) {
    if (history[index]!.channel === channel) return history[index]!.members
  }
  return undefined
}

/** Whether a stream ends after an entry, and as what: its reader receives the channel no more, or is no more. */
export function endsWith (reader: Reader, { kind, channel, about, members }: Entry): 'deleted' | 'removed' | 'expired' | undefined {
  if (reader.of === 'application') return undefined
  if (kind === 'user-deleted') return about === reader.user ? 'expired' : undefined
  if (reader.of !== 'channel' || reader.channel !== channel) return undefined
  if (kind === 'channel-deleted') return 'deleted'
  return about !== undefined && about === reader.user && !receives(members.get(reader.user)) ? 'removed' : undefined
}

/** How people are called at a moment. */
export function callingAt (history: Entry[], moment: number): (user: string) => string {
  const deleted = new Set(history.slice(0, moment).filter(({ kind }) => kind === 'user-deleted').map(({ about }) => about))
  return user => deleted.has(user) ? DELETED : user
}
