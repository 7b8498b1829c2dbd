/** Decisions about who is in a channel, in what standing: the part of decide.ts that relay.md is about. */
import { refuse } from '../errors.ts'
import { accept, change, mute, reject, unmute, type Case, type Standing } from '../rules/moderation.ts'
import { heldAfterLeaving, joinTable, type Held, type RelayStatus } from '../rules/relay.ts'
import { mustAllowMembershipChange } from '../rules/rulesets.ts'
import { SYSTEM, type Actor, type ChangeParticipant, type ModerateParticipant } from './commands.ts'
import type { Change, ChannelState, MemberState, State } from './state.ts'

export function addParticipant (channel: ChannelState, actor: Actor, userId: string, asked: RelayStatus, state: State): Change[] {
  mustAllowMembershipChange(channel)
  if (actor !== SYSTEM && actor !== userId) {
    throw refuse('missingPrivilege', 'A user may add only itself to a channel; the application may add anyone')
  }
  if (!state.userExists(userId)) throw refuse('userNotFound', userId)
  const before = state.member(channel.channelKey, userId)
  if (isMember(before)) throw refuse('alreadyMember', userId, channel.channelId)
  const held = before?.held ?? 'none'
  const status = actor === SYSTEM ? asked : joinTable[channel.groupType][held]
  const takesOffice = status === 'active' && channel.adminVacant
  const after = { userId, status, held: status === 'pending' ? held : 'none' as Held, admin: takesOffice }
  return [{ change: 'member', channel, userId, ...(before === undefined ? {} : { before }), after, held: after.held }]
}

export function removeParticipant (channel: ChannelState, actor: Actor, userId: string, state: State): Change[] {
  mustAllowMembershipChange(channel)
  if (actor !== SYSTEM && actor !== userId) throw refuse('missingPrivilege', 'A user may take only itself out of a channel')
  const member = state.member(channel.channelKey, userId)
  if (!isMember(member)) throw refuse('targetNotInGroup', userId, channel.channelId)
  return removeMember(channel, member, state)
}

export function moderateParticipant (channel: ChannelState, { operation, actor, userId }: ModerateParticipant, state: State): Change[] {
  const given = caseOf(channel, actor, userId, state)
  if (operation === 'reject') {
    reject(given)
    return removeMember(channel, { userId, ...given.target! }, state)
  }
  return changeMember(channel, userId, given.target, { accept, mute, unmute }[operation](given), state)
}

export function changeParticipant (channel: ChannelState, command: ChangeParticipant, state: State): Change[] {
  const { actor, userId } = command
  const given = caseOf(channel, actor, userId, state)
  return changeMember(channel, userId, given.target, change(given, command, channel.activeAdminCount), state)
}

function caseOf (channel: ChannelState, actor: Actor, targetId: string, state: State): Case {
  const standing = (userId: string): Standing | undefined => {
    const member = state.member(channel.channelKey, userId)
    return isMember(member) ? member : undefined
  }
  return {
    channel,
    actor: actor === SYSTEM ? 'application' : standing(actor),
    targetId,
    target: standing(targetId),
    oneself: actor === targetId
  }
}

/** A member whose standing changes; where nothing does, nothing is written. */
function changeMember (channel: ChannelState, userId: string, was: Standing | undefined, is: Standing, state: State): Change[] {
  const before = { userId, ...was! }
  const after = { userId, ...is, admin: is.admin || (is.status === 'active' && channel.adminVacant) }
  if (before.status === after.status && before.admin === after.admin && before.held === after.held) return []
  const changed: Change = { change: 'member', channel, userId, before, after, held: after.held }
  return after.status === 'active' && after.admin ? [changed] : [changed, ...succeed(channel, before, state)]
}

/** A member that goes, and whoever takes over what only it could do (relay.md, "leave"). */
export function removeMember (channel: ChannelState, member: MemberState & { status: RelayStatus }, state: State): Change[] {
  const leaves: Change = {
    change: 'member', channel, userId: member.userId, before: member, held: heldAfterLeaving(member.status, member.held)
  }
  return [leaves, ...succeed(channel, member, state)]
}

export function isMember (member: MemberState | undefined): member is MemberState & { status: RelayStatus } {
  return member?.status !== undefined
}

/** Whatever takes away the last active admin makes the member who has been active longest admin. */
function succeed (channel: ChannelState, gone: MemberState, state: State): Change[] {
  if (!(gone.admin && gone.status === 'active' && channel.activeAdminCount === 1)) return []
  const successor = state.longestActive(channel.channelKey, gone.userId)
  if (!isMember(successor)) return [{ change: 'vacate-admin', channel }]
  return [{
    change: 'member', channel, userId: successor.userId, before: successor, after: { ...successor, admin: true }, held: successor.held
  }]
}
