/** A member's standing changes: its row, its interval, the channel's counts, the entry that tells of it, and succession. */
import { randomUUID } from 'node:crypto'
import { heldAfterLeaving, receives, statusTable, type Held, type RelayStatus } from '../../../rules/relay.ts'
import type { Draft } from '../draft.ts'
import { lanes, type ChannelRecord, type MemberRecord, type UserRecord, type UserReference } from '../records.ts'
import type { ParticipationBody } from '../render/entry.ts'

/** A row of one who is in the channel, not of one who has left and is held. */
export type Member = MemberRecord & { status: RelayStatus }

export interface NewStanding {
  status: RelayStatus
  held: Held
  admin: boolean
}

export function isMember (member: MemberRecord | undefined): member is Member {
  return member?.status !== undefined
}

/** Puts a user into a channel, in the standing given, with an entry. */
export function addMember (draft: Draft, channel: ChannelRecord, user: UserRecord, standing: NewStanding): Member {
  const member = newMember(draft, channel, user, takesOffice(channel, standing))
  writeParticipation(draft, channel.channelKey, user, member, undefined)
  return member
}

/** The rows of a new member, without an entry: that is the caller's. `next` is the position that it will have. */
export function newMember (draft: Draft, channel: ChannelRecord, { userKey, userId }: UserRecord, { status, held, admin }: NewStanding): Member {
  const member: Member = {
    channelKey: channel.channelKey,
    userKey,
    userId,
    participationId: randomUUID(),
    status,
    held,
    admin,
    joinedAt: draft.at,
    sincePosition: draft.next,
    ...(status === 'active' ? { activePosition: draft.next } : {}),
    createdAt: draft.at,
    updatedAt: draft.at
  }
  draft.putMember(member)
  draft.openInterval(userKey, channel.channelKey, member)
  draft.countMembership(userKey, channel.ruleset, 1)
  count(draft, channel.channelKey, undefined, member)
  return member
}

/** Gives a member another standing, with an entry; where nothing changes, none. Succession follows. */
export function changeMember (draft: Draft, channel: ChannelRecord, member: Member, standing: NewStanding): Member {
  const { status, held, admin } = takesOffice(channel, standing)
  if (member.status === status && member.held === held && member.admin === admin) return member
  const { activePosition, ...rest } = member
  const changed: Member = {
    ...rest, status, held, admin, updatedAt: draft.at, ...(status === 'active' ? { activePosition: activePosition ?? draft.next } : {})
  }
  draft.putMember(changed)
  draft.closeInterval(member.userKey, channel.channelKey)
  draft.openInterval(member.userKey, channel.channelKey, changed)
  count(draft, channel.channelKey, member, changed)
  writeParticipation(draft, channel.channelKey, member, changed, member)
  succeed(draft, channel, member)
  return changed
}

/** Takes a member out of a channel, with an entry. What it was held from is remembered. Succession follows. */
export function removeMember (draft: Draft, channel: ChannelRecord, member: Member): void {
  const { channelKey, ruleset } = channel
  const { userKey, userId } = member
  const held = heldAfterLeaving(member.status, member.held)
  if (held === 'none') {
    draft.deleteMember(channelKey, userKey)
  } else {
    const { status, activePosition, ...rest } = member
    draft.putMember({ ...rest, held, admin: false, updatedAt: draft.at })
  }
  draft.closeInterval(userKey, channelKey)
  draft.countMembership(userKey, ruleset, -1)
  count(draft, channelKey, member, undefined)
  const body: ParticipationBody = { participantId: { identifier: userId } }
  draft.write({ kind: 'participation-deleted', lane: lanes.event, aboutKey: userKey, body: JSON.stringify(body) }, {
    channel: draft.channelByKey(channelKey), about: referenceTo(draft, member)
  })
  succeed(draft, channel, member)
}

/** Where a channel has no active admin, whoever becomes active becomes admin. */
function takesOffice ({ adminVacant }: ChannelRecord, standing: NewStanding): NewStanding {
  return standing.status === 'active' && adminVacant ? { ...standing, admin: true } : standing
}

/** Whatever takes away the last active admin makes the member who has been active longest admin (relay.md, "leave"). */
function succeed (draft: Draft, { channelKey, activeAdminCount }: ChannelRecord, before: Member): void {
  if (!isActiveAdmin(before) || activeAdminCount !== 1 || draft.channelByKey(channelKey).activeAdminCount > 0) return
  const [successor] = draft.longestActive(channelKey, 1)
  if (!isMember(successor)) return draft.changeChannel(channelKey, { adminVacant: true })
  const { status, held } = successor
  changeMember(draft, draft.channelByKey(channelKey), successor, { status, held, admin: true })
}

function isActiveAdmin (member: Member | undefined): boolean {
  return member?.status === 'active' && member.admin
}

function count (draft: Draft, channelKey: number, before: Member | undefined, after: Member | undefined): void {
  const difference = (holds: (member: Member | undefined) => boolean) => Number(holds(after)) - Number(holds(before))
  const ofStatus = (status: RelayStatus) => difference(member => member?.status === status)
  const { receivingCount, mutedCount, pendingCount, disabledCount, activeAdminCount, adminVacant } = draft.channelByKey(channelKey)
  draft.changeChannel(channelKey, {
    receivingCount: receivingCount + difference(member => receives(member?.status)),
    mutedCount: mutedCount + ofStatus('muted'),
    pendingCount: pendingCount + ofStatus('pending'),
    disabledCount: disabledCount + ofStatus('disabled'),
    activeAdminCount: activeAdminCount + difference(isActiveAdmin),
    adminVacant: adminVacant && !isActiveAdmin(after)
  })
}

function writeParticipation (draft: Draft, channelKey: number, { userKey, userId }: { userKey: number, userId: string }, member: Member, before: Member | undefined): void {
  const body: ParticipationBody = {
    participantId: { identifier: userId },
    newStatus: statusTable[member.status].participationStatus,
    ...(before === undefined ? {} : { oldStatus: statusTable[before.status].participationStatus }),
    relayStatus: member.status,
    roles: member.admin ? ['admin'] : []
  }
  draft.write({ kind: 'participation', lane: lanes.event, aboutKey: userKey, body: JSON.stringify(body) }, {
    channel: draft.channelByKey(channelKey), about: referenceTo(draft, member)
  })
}

function referenceTo (draft: Draft, { userKey, userId }: MemberRecord): UserReference {
  return { userKey, userId, deleted: draft.user(userId)?.deletedAt !== undefined }
}
