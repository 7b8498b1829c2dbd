/**
 * The relay's decisions as tables (relay.md, "The tables"), over plain data: no I/O, no clock.
 */
import type { GroupType } from '../../schemas/channel.ts'
import type { ParticipationStatus, RelayStatus, Role } from '../../schemas/participation.ts'

/**
 * `GroupType` is PhoenixGenApi's: who may join how, who accepts, who mutes. `RelayStatus` is a member's standing,
 * of which `disabled` is set by the application only; `ParticipationStatus` mitter's rendering of the same field,
 * which cannot tell pending from disabled.
 */
export type { GroupType, ParticipationStatus, RelayStatus, Role }

export type Ruleset =
  | 'io.mitter.ruleset.chats.DirectMessage'
  | 'io.mitter.ruleset.chats.GroupChat'
  | 'io.mitter.ruleset.chats.SystemChannel'
  | 'io.mitter.ruleset.chats.SingleParticipantChannel'

/** What a status is in mitter's terms, and whether it receives (protocol 4). Who may do what by default: `privilegeTable` (access.ts). */
export const statusTable: Record<RelayStatus, { participationStatus: ParticipationStatus, receives: boolean }> = {
  active: { participationStatus: 'Active', receives: true },
  muted: { participationStatus: 'ReadOnly', receives: true },
  pending: { participationStatus: 'Disabled', receives: false },
  disabled: { participationStatus: 'Disabled', receives: false }
}

/** Whether somebody of this status receives a channel; without one it is not in it. */
export function receives (status: RelayStatus | undefined): boolean {
  return status !== undefined && statusTable[status].receives
}

/** The status that a participation status asks for. */
export const statusOf: Record<ParticipationStatus, RelayStatus> = {
  Active: 'active', ReadOnly: 'muted', Disabled: 'disabled'
}

/** What a member was kept from when it left: a mute or a disabling survives leaving and joining again. */
export type Held = 'none' | 'muted' | 'disabled'

/** What a user becomes who joins (relay.md, "join"); where it is `pending`, what it was held from stays held. */
export const joinTable: Record<GroupType, Record<Held, RelayStatus>> = {
  public: { none: 'active', muted: 'muted', disabled: 'disabled' },
  private: { none: 'pending', muted: 'pending', disabled: 'disabled' },
  strict_private: { none: 'pending', muted: 'pending', disabled: 'disabled' }
}

/** What survives a member's leaving: what its status, or a mute from before its acceptance, kept it from. */
export function heldAfterLeaving (status: RelayStatus, held: Held): Held {
  if (status === 'muted') return 'muted'
  if (status === 'disabled') return 'disabled'
  return status === 'pending' ? held : 'none'
}
