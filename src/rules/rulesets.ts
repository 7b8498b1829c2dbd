/** Rulesets (protocol 3): who may be in a channel, and whether that may change. */
import { refuse } from '../errors.ts'
import { SYSTEM } from './identifiers.ts'
import type { GroupType, RelayStatus, Role, Ruleset } from './relay.ts'

interface RulesetRule {
  /** Whether participants may be added, removed, join, leave, or be accepted. */
  fixed: boolean
  /** How many participants are named at creation; undefined: any number. */
  participants?: number
  /** The first is the default. */
  groupTypes: readonly [GroupType, ...GroupType[]]
}

export const rulesetTable: Record<Ruleset, RulesetRule> = {
  'io.mitter.ruleset.chats.DirectMessage': { fixed: true, participants: 2, groupTypes: ['private'] },
  'io.mitter.ruleset.chats.GroupChat': { fixed: false, groupTypes: ['public', 'private', 'strict_private'] },
  'io.mitter.ruleset.chats.SystemChannel': { fixed: true, participants: 1, groupTypes: ['strict_private'] },
  'io.mitter.ruleset.chats.SingleParticipantChannel': { fixed: true, participants: 1, groupTypes: ['private'] }
}

export const SYSTEM_CHANNEL: Ruleset = 'io.mitter.ruleset.chats.SystemChannel'

/** Names from mitter's own samples, stored as GroupChat. */
const rulesetAliases: Record<string, Ruleset> = {
  'io.mitter.chats.GroupChat': 'io.mitter.ruleset.chats.GroupChat',
  'io.mitter.chats.GroupChannel': 'io.mitter.ruleset.chats.GroupChat'
}

/** The ruleset that a name stands for, or undefined where it stands for none. */
export function rulesetOf (name: string): Ruleset | undefined {
  if (Object.hasOwn(rulesetTable, name)) return name as Ruleset
  return Object.hasOwn(rulesetAliases, name) ? rulesetAliases[name] : undefined
}

/** The group type of a new channel. Throws `creationRuleset` where the ruleset does not allow the one asked for. */
export function groupTypeOf (ruleset: Ruleset, asked: GroupType | undefined): GroupType {
  const { groupTypes } = rulesetTable[ruleset]
  if (asked === undefined) return groupTypes[0]
  if (!groupTypes.includes(asked)) {
    throw refuse('creationRuleset', `A ${ruleset} channel cannot be ${asked}: leave groupType out, or send ${groupTypes.join(', ')}`)
  }
  return asked
}

export interface NewParticipant {
  userId: string
  status: RelayStatus
  roles: Role[]
}

/**
 * Who is in a new channel, in what standing, from whom the creator lists (each once).
 * Throws `creationRuleset` (400) where the ruleset does not allow these, `missingPrivilege` where a user
 * gives others a standing that only the application may give.
 */
export function membersAtCreation (ruleset: Ruleset, creator: string, listed: NewParticipant[]): NewParticipant[] {
  const others = listed.filter(({ userId }) => userId !== creator)
  if (creator !== SYSTEM && others.some(({ status, roles }) => status !== 'active' || roles.length > 0)) {
    throw refuse('missingPrivilege', 'Only the application may give participants another status than Active, or roles: leave both out')
  }
  const rule = rulesetTable[ruleset]
  if (rule.participants === undefined) {
    return creator === SYSTEM ? listed : [{ userId: creator, status: 'active', roles: ['admin'] }, ...others]
  }
  const named = listed.filter(({ userId }) => userId !== SYSTEM)
  if (named.length !== rule.participants) {
    throw refuse('creationRuleset', `A ${ruleset} channel has exactly ${rule.participants} distinct participants: ${named.length} are named`)
  }
  if (creator !== SYSTEM && !named.some(({ userId }) => userId === creator)) {
    throw refuse('creationRuleset', `A user who creates a ${ruleset} channel is a participant of it: name yourself in participation`)
  }
  if (named.some(({ status, roles }) => roles.length > 0 || status === 'disabled')) {
    throw refuse('creationRuleset', `Participants of a ${ruleset} channel are Active or ReadOnly and have no roles`)
  }
  const members = named.map(member => member.userId === creator ? { ...member, status: 'active' as const } : member)
  return ruleset === SYSTEM_CHANNEL ? [{ userId: SYSTEM, status: 'active', roles: ['admin'] }, ...members] : members
}

/** Throws `rulesetViolation` where the participants of a channel of this ruleset never change. */
export function mustAllowMembershipChange (channel: { channelId: string, ruleset: Ruleset }): void {
  if (rulesetTable[channel.ruleset].fixed) {
    throw refuse('rulesetViolation', `The participants of a ${channel.ruleset} channel never change; only a GroupChat's do`)
  }
}
