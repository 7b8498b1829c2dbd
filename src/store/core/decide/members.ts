/** Who is in a channel, in what standing: decided by relay.md's tables (src/rules). */
import { refuse } from '../../../errors.ts'
import { accept, change, mute, reject, unmute, type Case, type Standing } from '../../../rules/moderation.ts'
import { joinTable } from '../../../rules/relay.ts'
import { mustAllowMembershipChange } from '../../../rules/rulesets.ts'
import { SYSTEM, type AddParticipant, type ChangeParticipant, type ModerateParticipant, type RemoveParticipant } from '../../contract/commands.ts'
import type { Draft } from '../draft.ts'
import type { ChannelRecord, MemberRecord } from '../records.ts'
import { addMember, changeMember, isMember, removeMember, type Member } from './standing.ts'

export function addParticipant (draft: Draft, { actor, channelId, userId, status: asked }: AddParticipant): Member {
  const channel = draft.channel(channelId)
  mustAllowMembershipChange(channel)
  if (actor !== SYSTEM && actor !== userId) {
    throw refuse('missingPrivilege', 'A user may add only itself to a channel; the application may add anyone')
  }
  const user = draft.existingUser(userId)
  const before = draft.member(channel.channelKey, user.userKey)
  if (isMember(before)) throw refuse('alreadyMember', userId, channelId)
  const held = before?.held ?? 'none'
  const status = actor === SYSTEM ? asked : joinTable[channel.groupType][held]
  return addMember(draft, channel, user, { status, held: status === 'pending' ? held : 'none', admin: false })
}

export function removeParticipant (draft: Draft, { actor, channelId, userId }: RemoveParticipant): void {
  const channel = draft.channel(channelId)
  mustAllowMembershipChange(channel)
  if (actor !== SYSTEM && actor !== userId) throw refuse('missingPrivilege', 'A user may take only itself out of a channel')
  const member = memberOf(draft, channel, userId)
  if (!isMember(member)) throw refuse('targetNotInGroup', userId, channelId)
  removeMember(draft, channel, member)
}

export function moderateParticipant (draft: Draft, { actor, operation, channelId, userId }: ModerateParticipant): void {
  const channel = draft.channel(channelId)
  const target = memberOf(draft, channel, userId)
  const given = caseOf(draft, channel, actor, userId, target)
  if (operation === 'reject') {
    reject(given)
    removeMember(draft, channel, target as Member)
  } else {
    const standing = { accept, mute, unmute }[operation](given)
    changeMember(draft, channel, target as Member, standing)
  }
}

/** The standings before and after. */
export function changeParticipant (draft: Draft, command: ChangeParticipant): { before: Member, after: Member } {
  const { actor, channelId, userId } = command
  const channel = draft.channel(channelId)
  const before = memberOf(draft, channel, userId) as Member
  const standing = change(caseOf(draft, channel, actor, userId, before), command, channel.activeAdminCount)
  return { before, after: changeMember(draft, channel, before, standing) }
}

/** A row of a user in a channel, whatever became of either. */
function memberOf (draft: Draft, channel: ChannelRecord, userId: string): MemberRecord | undefined {
  const user = draft.user(userId)
  return user && draft.member(channel.channelKey, user.userKey)
}

/** A user's standing in a channel, if it is in it. */
export function standingOf (draft: Draft, channel: ChannelRecord, userId: string): Standing & { status: Member['status'] } | undefined {
  const member = memberOf(draft, channel, userId)
  return isMember(member) ? member : undefined
}

function caseOf (draft: Draft, channel: ChannelRecord, actor: string, targetId: string, target: MemberRecord | undefined): Case {
  return {
    channel,
    actor: actor === SYSTEM ? 'application' : standingOf(draft, channel, actor),
    targetId,
    target: isMember(target) ? target : undefined,
    oneself: actor === targetId
  }
}
