/** What each stream carries of a history (contract 8, promise 4). */
import type { Channel } from './model.ts'
import type { ParticipationStatus, Status } from './steps.ts'

export interface Entry {
  kind: 'channel' | 'channel-deleted' | 'participation' | 'participation-deleted' | 'message'
  /** The whole of it in a line, as `gistOf` in world.ts reads it from a frame. */
  gist: string
  channel: Channel
  /** Whom it concerns. */
  about?: string
  /** Who was in the channel right after it; of a deletion: right before. */
  statuses: Map<string, Status>
}

/** Who reads: everything (the application), all of a user's channels, or one life of one channel. */
export type Reader = { of: 'application' } | { of: 'user', user: string } | { of: 'channel', user: string, channel: Channel }

export const participationGist = (channel: string, user: string, now: ParticipationStatus, old: ParticipationStatus | undefined, relay: Status, admin: boolean): string =>
  `participation ${channel} ${user} ${old ?? 'new'} to ${now}, ${relay}${admin ? ' admin' : ''}`

const receives = (status: Status | undefined): boolean => status === 'active' || status === 'muted'

/** Whether a reader who is live gets an entry as it happens. */
export function carriedLive (reader: Reader, { kind, channel, about, statuses }: Entry): boolean {
  if (reader.of === 'application') return true
  if (reader.of === 'channel' && reader.channel !== channel) return false
  if (about === reader.user) return true
  if (kind === 'channel' || kind === 'channel-deleted') return statuses.has(reader.user)
  return receives(statuses.get(reader.user))
}

/** Whether a reader who missed an entry gets it now: it was entitled then and is now, or it is about the reader. */
export function carriedLater (reader: Reader, entry: Entry): boolean {
  if (!carriedLive(reader, entry) || reader.of === 'application') return carriedLive(reader, entry)
  const { kind, channel, about, statuses } = entry
  if (about === reader.user || kind === 'channel-deleted') return true
  const now = channel.deleted ? undefined : channel.members.get(reader.user)
  if (receives(now?.status) && receives(statuses.get(reader.user))) return true
  // The entry that made it a participant, as long as it is one of that making.
  return kind === 'channel' && now !== undefined && now.cameWith === channel.created
}

/** Whether a channel stream ends after an entry, and as what: its reader receives the channel no more. */
export function endsWith (reader: Reader, { kind, channel, about, statuses }: Entry): 'deleted' | 'removed' | undefined {
  if (reader.of !== 'channel' || reader.channel !== channel) return undefined
  if (kind === 'channel-deleted') return 'deleted'
  return about === reader.user && !receives(statuses.get(reader.user)) ? 'removed' : undefined
}
