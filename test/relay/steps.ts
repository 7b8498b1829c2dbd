/** What people do, as plain data: the model takes it (test/model), and so does the service (world.ts). */

export const SYSTEM = '.system'

/** In the place of a deleted user's name. */
export const DELETED = '.deleted'

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

/** A timeline event. */
export interface Happening {
  type: string
  subject: string
}

/** One step of one person, or of `.system`. `user` is whom it is done to; messages go by names, as people and channels do. */
export type Step =
  /** `direct`: a DirectMessage channel of the two that are listed; a GroupChat otherwise. */
  | { do: 'create', by: string, channel: string, group: GroupType, direct?: boolean, listed?: Listed[], event?: Happening }
  | { do: 'join' | 'leave', by: string, channel: string }
  | { do: 'add', by: string, user: string, channel: string, status: ParticipationStatus }
  | { do: 'remove', by: string, user: string, channel: string }
  | { do: 'accept' | 'reject', by: string, user: string, channel: string }
  | { do: 'mute' | 'unmute', by: string, user: string, channel: string }
  | { do: 'set status', by: string, user: string, channel: string, status: ParticipationStatus }
  | { do: 'set roles', by: string, user: string, channel: string, admin: boolean }
  /** Without a name, the message is one that nobody speaks of again. `as`: in whose name `.system` sends. */
  | { do: 'send', by: string, channel: string, text: string, message?: string, as?: string, event?: Happening }
  | { do: 'edit', by: string, channel: string, message: string, text: string }
  | { do: 'delete messages', by: string, channel: string, messages: string[] }
  | { do: 'truncate' | 'delete', by: string, channel: string }
  | { do: 'add channel event', by: string, channel: string, event: Happening }
  | { do: 'add message event', by: string, channel: string, messages: string[], event: Happening }
  | { do: 'get channel' | 'list participants' | 'list messages' | 'list channel events' | 'stream', by: string, channel: string }
  | { do: 'list message events', by: string, channel: string, messages: string[] }
  | { do: 'get message', by: string, message: string }
  | { do: 'create user' | 'delete user', by: string, user: string }

/** The steps of these names. */
export type On<Do extends Step['do'], One extends Step = Step> = One extends Step ? ([Extract<One['do'], Do>] extends [never] ? never : One) : never

/** What mitter calls each status (protocol 4). */
export const mitterStatus: Record<Status, ParticipationStatus> = {
  active: 'Active', muted: 'ReadOnly', pending: 'Disabled', disabled: 'Disabled'
}

/** The status that a participation status asks for. */
export const statusOf: Record<ParticipationStatus, Status> = { Active: 'active', ReadOnly: 'muted', Disabled: 'disabled' }
