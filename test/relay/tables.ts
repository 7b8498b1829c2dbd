/**
 * relay.md's tables, as they stand there, and nothing of the service's code. A cell is an answer's status and
 * reason; `?` stands where the specification names no reason, `4xx` where it only says that it cannot be.
 */
import type { GroupType, Status } from './steps.ts'

/** What somebody is in a channel. An admin who is not active is what its status says. */
export type State = 'stranger' | Status | 'admin' | '.system'

/** Goes on to the next check. */
export const passes = undefined
type Check<Key extends string> = Record<Key, string | typeof passes>

/** How somebody comes in who was, when it left, muted or disabled; or neither. */
export type Past = 'clean' | 'muted' | 'disabled'
export const joining: Record<Past, Record<GroupType, Status>> = {
  clean: { public: 'active', private: 'pending', strict_private: 'pending' },
  muted: { public: 'muted', private: 'pending', strict_private: 'pending' },
  disabled: { public: 'disabled', private: 'disabled', strict_private: 'disabled' }
}

const anyMember: Check<State> = {
  stranger: '403 user_not_in_group', pending: '403 not_admin', muted: '403 not_admin', disabled: '403 not_admin', active: passes, admin: passes, '.system': passes
}

/** accept and reject: who may. */
export const acceptActor: Record<GroupType, Check<State>> = {
  public: anyMember,
  private: anyMember,
  strict_private: { ...anyMember, active: '403 not_admin' }
}

/** accept and reject: whom. */
export const acceptTarget: Check<'stranger' | Status> = {
  stranger: '404 user_not_in_group', pending: passes, active: '409 user_not_pending', muted: '409 user_not_pending', disabled: '409 user_not_pending'
}

export const muteType: Check<GroupType> = { public: '409 not_strict_private', private: '409 not_strict_private', strict_private: passes }

export const muteActor: Check<State> = {
  stranger: '403 not_admin', pending: '403 not_admin', active: '403 not_admin', muted: '403 not_admin', disabled: '403 not_admin', admin: passes, '.system': passes
}

export const muteTarget: Record<'mute' | 'unmute', Check<'stranger' | 'oneself' | Status>> = {
  mute: {
    stranger: '404 user_not_in_group', oneself: '409 cannot_mute', active: passes, pending: '409 cannot_mute', disabled: '409 cannot_mute', muted: '409 cannot_mute'
  },
  unmute: {
    stranger: '404 user_not_in_group', oneself: '409 not_muted', active: '409 not_muted', pending: '409 not_muted', disabled: '409 not_muted', muted: passes
  }
}

export const sending: Check<State> = {
  stranger: '403 user_not_in_group', pending: '403 pending', muted: '403 muted', disabled: '403 disabled', active: passes, admin: passes, '.system': passes
}

/** Lists of participants and messages, and streams: members that receive, `.system` (protocol 4, 6, 8). */
export const receiving: Check<State> = {
  stranger: '403 user_not_in_group', pending: '403 pending', muted: passes, disabled: '403 disabled', active: passes, admin: passes, '.system': passes
}

const member: Check<State> = {
  stranger: '403 user_not_in_group', pending: passes, muted: passes, disabled: passes, active: passes, admin: passes, '.system': passes
}

/** Reading the channel itself (protocol 3). */
export const reading: Record<GroupType, Check<State>> = { public: { ...member, stranger: passes }, private: member, strict_private: member }

/** A change of roles: `.system`, an admin (protocol 4). */
export const rolesActor: Check<State> = { ...muteActor, stranger: '403 ?' }

/** The error code of each reason (relay.md, "Status codes"). */
export const errorCodes: Record<string, string> = {
  '404 not_found': 'entity_not_found',
  '404 user_not_in_group': 'entity_not_found',
  '409 already_exists': 'duplicate_entity',
  '409 already_member': 'duplicate_entity',
  '403 user_not_in_group': 'missing_privilege',
  '403 not_admin': 'missing_privilege',
  '403 pending': 'missing_privilege',
  '403 muted': 'missing_privilege',
  '403 disabled': 'missing_privilege',
  '409 user_not_pending': 'channel_ruleset_violation',
  '409 cannot_mute': 'channel_ruleset_violation',
  '409 not_muted': 'channel_ruleset_violation',
  '409 not_strict_private': 'channel_ruleset_violation'
}

/** Whether an answer is what a cell says. */
export function agrees (cell: string, said: string): boolean {
  const [status, reason] = cell.split(' ')
  const [saidStatus, saidReason] = said.split(' ')
  const sameStatus = status === '4xx' ? saidStatus!.startsWith('4') : status === saidStatus
  return sameStatus && (reason === '?' || reason === saidReason)
}
