/** Who is in a channel, in what standing: decided by relay.md's tables (src/rules). */
import { refuse } from '../../../errors.ts'
import { decide, type Caller } from '../../../rules/access.ts'
import { accept, change, mute, reject, unmute, type Case, type Standing } from '../../../rules/moderation.ts'
import { mustBeAllowed } from '../../../rules/access-refusals.ts'
import { joinTable } from '../../../rules/relay.ts'
import { mustAllowMembershipChange } from '../../../rules/rulesets.ts'
import { SYSTEM, type Actor, type AddParticipant, type ChangeParticipant, type ModerateParticipant, type RemoveParticipant } from '../../contract/commands.ts'
import type { Draft } from '../draft.ts'
import type { ChannelRecord, MemberRecord } from '../records.ts'
import { addMember, changeMember, isMember, removeMember, type Member } from './standing.ts'

export function addParticipant (draft: Draft, { actor, channelId, userId, status: asked }: AddParticipant): Member {
  const channel = draft.channel(channelId)
  mustAllowMembershipChange(channel)
  mustBeAllowed(actor === userId ? 'join_channel' : 'add_participant_to_channel', channel, callerIn(draft, channel, actor))
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
  const caller = callerIn(draft, channel, actor)
  if (actor !== userId) mustBeAllowed('remove_participant', channel, caller)
  const member = memberOf(draft, channel, userId)
  if (!isMember(member)) throw refuse('targetNotInGroup', userId, channelId)
  if (actor === userId) mustBeAllowed('remove_self', channel, caller)
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

/** Whoever acts, as access control lists see it. */
export function callerIn (draft: Draft, channel: ChannelRecord, actor: Actor): Caller {
  return { userId: actor, standing: actor === SYSTEM ? undefined : standingOf(draft, channel, actor) }
}

function caseOf (draft: Draft, channel: ChannelRecord, actor: string, targetId: string, target: MemberRecord | undefined): Case {
  return {
    channel,
    actor: actor === SYSTEM ? 'application' : standingOf(draft, channel, actor),
    targetId,
    target: isMember(target) ? target : undefined,
    oneself: actor === targetId,
    // Upon others: no list lets anybody accept itself.
    asAdmin: actor !== SYSTEM && actor !== targetId && decide('modify_channel_participation', channel.acls, callerIn(draft, channel, actor)).allowed
  }
}
