/** Who accepts, turns away, mutes, and changes whom (relay.md, "accept" to "unmute"; protocol 4, PATCH), as tables. */
import { refuse, type RefusalName } from '../errors.ts'
import { SYSTEM } from './identifiers.ts'
import { mustAllowMembershipChange } from './rulesets.ts'
import { statusOf, type GroupType, type Held, type ParticipationStatus, type RelayStatus, type Role, type Ruleset } from './relay.ts'

export interface Standing {
  status: RelayStatus
  held: Held
  admin: boolean
}

/** One who acts, and upon whom. Standings are absent where somebody is not in the channel. */
export interface Case {
  channel: { channelId: string, ruleset: Ruleset, groupType: GroupType }
  /** `application` is above every standing. */
  actor: Standing | 'application' | undefined
  targetId: string
  target: Standing | undefined
  /** Whether the actor acts upon itself. */
  oneself: boolean
  /** Access control lists let the actor act as an active admin would. */
  asAdmin?: boolean
}

type ActorKind = 'stranger' | Exclude<RelayStatus, 'active'> | 'member' | 'admin' | 'application'

/** `target`: the target decides; otherwise the refusal. */
type ActorRule = 'target' | Extract<RefusalName, 'actorNotInGroup' | 'notAdmin'>

/** Who may accept or reject. On a public channel nobody is ever pending, so the target always ends it. */
export const acceptActorTable: Record<GroupType, Record<ActorKind, ActorRule>> = {
  public: {
    stranger: 'actorNotInGroup', pending: 'notAdmin', muted: 'notAdmin', disabled: 'notAdmin', member: 'target', admin: 'target', application: 'target'
  },
  private: {
    stranger: 'actorNotInGroup', pending: 'notAdmin', muted: 'notAdmin', disabled: 'notAdmin', member: 'target', admin: 'target', application: 'target'
  },
  strict_private: {
    stranger: 'actorNotInGroup', pending: 'notAdmin', muted: 'notAdmin', disabled: 'notAdmin', member: 'notAdmin', admin: 'target', application: 'target'
  }
}

/** What muting and unmuting make of another, by its status. */
export const muteTable: Record<RelayStatus, 'muted' | 'cannotMute'> = {
  active: 'muted', pending: 'cannotMute', disabled: 'cannotMute', muted: 'cannotMute'
}
export const unmuteTable: Record<RelayStatus, 'active' | 'notMuted'> = {
  active: 'notMuted', pending: 'notMuted', disabled: 'notMuted', muted: 'active'
}

/** The standing of a pending member that is accepted: one who left while muted is muted still. */
export function accept (given: Case): Standing {
  const { held, admin } = pendingTarget(given)
  return { status: held === 'muted' ? 'muted' : 'active', held: 'none', admin }
}

/** Throws where the target may not be turned away; it is pending otherwise. */
export function reject (given: Case): void {
  pendingTarget(given)
}

function pendingTarget (given: Case): Standing {
  const { channel, target, targetId } = given
  mustAllowMembershipChange(channel)
  const rule = acceptActorTable[channel.groupType][kindOf(given)]
  if (rule !== 'target') throw refuse(rule, channel.channelId)
  const standing = mustBeThere(given)
  if (target?.status !== 'pending') throw refuse('userNotPending', targetId, channel.channelId)
  return standing
}

export function mute (given: Case): Standing {
  const target = moderated(given)
  const status = given.oneself ? 'cannotMute' : muteTable[target.status]
  if (status === 'cannotMute') throw refuse(status, given.targetId, given.channel.channelId)
  return { ...target, status }
}

export function unmute (given: Case): Standing {
  const target = moderated(given)
  const status = given.oneself ? 'notMuted' : unmuteTable[target.status]
  if (status === 'notMuted') throw refuse(status, given.targetId, given.channel.channelId)
  return { ...target, status }
}

function moderated (given: Case): Standing {
  const { channel } = given
  if (channel.groupType !== 'strict_private') throw refuse('notStrictPrivate', channel.channelId)
  mustBeAdmin(given)
  return mustBeThere(given)
}

/**
 * The standing that a PATCH leaves. Throws where the ruleset, the actor or the target does not allow it.
 * @param activeAdmins how many active admins the channel has: the last one cannot be demoted
 */
export function change (given: Case, asked: { newStatus?: ParticipationStatus, roles?: Role[] }, activeAdmins: number): Standing {
  const { channel, actor } = given
  const { newStatus, roles } = asked
  if (newStatus === 'Disabled' || roles !== undefined || given.targetId === SYSTEM) mustAllowMembershipChange(channel)
  mustBeAdmin(given)
  if (newStatus !== undefined && actor !== 'application') {
    throw refuse('missingPrivilege', 'Only the application may set a status: an admin may accept, mute, unmute and change roles')
  }
  const target = mustBeThere(given)
  const admin = roles === undefined ? target.admin : roles.includes('admin')
  if (target.admin && target.status === 'active' && !admin && activeAdmins === 1) {
    throw refuse('rulesetViolation', `User ${JSON.stringify(given.targetId)} is the last active admin: make another one admin first`)
  }
  if (newStatus === undefined) return { ...target, admin }
  return { status: statusOf[newStatus], held: 'none', admin }
}

function mustBeAdmin (given: Case): void {
  const actor = kindOf(given)
  if (actor !== 'admin' && actor !== 'application') throw refuse('notAdmin', given.channel.channelId)
}

function mustBeThere ({ channel, target, targetId }: Case): Standing {
  if (target === undefined) throw refuse('targetNotInGroup', targetId, channel.channelId)
  return target
}

function kindOf ({ actor, asAdmin = false }: Case): ActorKind {
  if (actor === 'application') return actor
  if (asAdmin) return 'admin'
  if (actor === undefined) return 'stranger'
  if (actor.status !== 'active') return actor.status
  return actor.admin ? 'admin' : 'member'
}
