/** What people do in channels, as plain data: the model takes it, and so does the service (world.ts). */

export const SYSTEM = '.system'

export type GroupType = 'public' | 'private' | 'strict_private'
export type Status = 'active' | 'pending' | 'muted' | 'disabled'
export type ParticipationStatus = 'Active' | 'ReadOnly' | 'Disabled'

export const groupTypes: readonly GroupType[] = ['public', 'private', 'strict_private']

/** A participant of a channel from its beginning. */
export interface Listed {
  user: string
  /** Active where it is left out; another from `.system` only. */
  status?: ParticipationStatus
  admin?: boolean
}

/** One step of one person, or of `.system`, in one channel. `user` is whom it is done to. */
export type Step =
  | { do: 'create', by: string, channel: string, group: GroupType, listed?: Listed[] }
  | { do: 'join' | 'leave', by: string, channel: string }
  | { do: 'add', by: string, user: string, channel: string, status: ParticipationStatus }
  | { do: 'remove', by: string, user: string, channel: string }
  | { do: 'accept' | 'reject', by: string, user: string, channel: string }
  | { do: 'mute' | 'unmute', by: string, user: string, channel: string }
  | { do: 'set status', by: string, user: string, channel: string, status: ParticipationStatus }
  | { do: 'set roles', by: string, user: string, channel: string, admin: boolean }
  | { do: 'send', by: string, channel: string, text: string }
  | { do: 'delete', by: string, channel: string }
  | { do: 'get channel' | 'list participants' | 'list messages' | 'stream', by: string, channel: string }

/** What mitter calls each status (contract 4). */
export const mitterStatus: Record<Status, ParticipationStatus> = {
  active: 'Active', muted: 'ReadOnly', pending: 'Disabled', disabled: 'Disabled'
}
