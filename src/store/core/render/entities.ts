/** Channels, participations and users as they go over the wire. */
import type { Channel } from '../../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../../schemas/participation.ts'
import type { TimelineEvent } from '../../../../schemas/timeline.ts'
import type { User } from '../../../../schemas/user.ts'
import type { CheckedTimelineEvent } from '../../../../schemas/timeline.ts'
import { statusTable, type RelayStatus } from '../../../rules/relay.ts'
import { SYSTEM_CHANNEL } from '../../../rules/rulesets.ts'
import type { ChannelRecord, MemberRecord, UserRecord } from '../records.ts'
import { appliedAcls } from './lists.ts'
import { DELETED_USER, nameGone } from './message.ts'

/** What a user is beside its id: a stored profile. */
export interface Profile {
  screenName?: string
  userLocators?: User['userLocators']
  systemUser?: boolean
}

export type ChannelFacts = Pick<ChannelRecord, 'channelId' | 'ruleset' | 'groupType' | 'createdAt' | 'updatedAt' | 'acls'>

/**
 * @param events what it was created with, subjects who are gone named `.deleted`
 * @param gone of those whom its access control lists name
 */
export function channelOf ({ channelId, ruleset, groupType, createdAt, updatedAt, acls }: ChannelFacts, events: TimelineEvent[], gone: string[] = []): Channel {
  const audit = { createdAt, updatedAt }
  return {
    identifier: channelId,
    channelId,
    defaultRuleSet: ruleset,
    groupType,
    participation: [],
    systemChannel: ruleset === SYSTEM_CHANNEL,
    timelineEvents: events,
    ...(acls === undefined ? {} : { appliedAcls: appliedAcls(acls, channelId, gone) }),
    audit,
    auditInfo: audit
  }
}

/** Stored events of a channel's creation as clients see them. */
export function creationEvents (stored: { events: string, gone: string[] } | undefined): TimelineEvent[] {
  if (stored === undefined) return []
  const events = JSON.parse(stored.events) as TimelineEvent[]
  if (stored.gone.length > 0) events.forEach(event => nameGone(event, stored.gone))
  return events
}

export type MemberFacts = Pick<MemberRecord, 'participationId' | 'admin' | 'joinedAt' | 'createdAt' | 'updatedAt'> & { status: RelayStatus }

/** What a participation shows of its user. */
export type Participant = Pick<UserRecord, 'userId' | 'deletedAt'> & Pick<Profile, 'screenName'>

/** From a user that is loaded whole; a list takes the name alone out of the profiles, which may be large. */
export function participantOf ({ profile, ...user }: UserRecord): Participant {
  const { screenName } = JSON.parse(profile) as Profile
  return screenName === undefined ? user : { ...user, screenName }
}

export function participationOf (member: MemberFacts, { screenName, ...user }: Participant, channelId: string): ChannelParticipation {
  const userId = user.deletedAt === undefined ? user.userId : DELETED_USER
  const audit = { createdAt: member.createdAt, updatedAt: member.updatedAt }
  return {
    channelParticipationId: member.participationId,
    participantId: { identifier: userId },
    participant: { userId, identifier: userId, ...(screenName === undefined ? {} : { screenName: { screenName } }) },
    participationStatus: statusTable[member.status].participationStatus,
    relayStatus: member.status,
    roles: member.admin ? ['admin'] : [],
    joinedAt: member.joinedAt,
    channelId: { identifier: channelId },
    audit,
    auditInfo: audit
  }
}

export function userOf ({ userId, profile, createdAt, updatedAt }: Pick<UserRecord, 'userId' | 'profile' | 'createdAt' | 'updatedAt'>): User {
  const { screenName, userLocators = [], systemUser = false } = JSON.parse(profile) as Profile
  const audit = { createdAt, updatedAt }
  return {
    userId,
    identifier: userId,
    ...(screenName === undefined ? {} : { screenName: { screenName } }),
    userLocators,
    systemUser,
    synthetic: false,
    audit,
    auditInfo: audit
  }
}

export function timelineEventOf (input: CheckedTimelineEvent & { eventId: string }, at: number): TimelineEvent {
  const { eventId, type, eventTimeMs, subject } = input
  const audit = { createdAt: at, updatedAt: at }
  return { eventId, identifier: eventId, type, eventTimeMs, subject: { identifier: subject }, audit, auditInfo: audit }
}
