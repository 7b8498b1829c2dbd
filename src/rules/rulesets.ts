/** Rulesets (contract 3): who may be in a channel, and whether that may change. */
import { refuse } from '../errors.ts'
import type { GroupType, Ruleset } from './relay.ts'

interface RulesetRule {
  /** Whether participants may be added, removed, join, leave, or be accepted. */
  fixed: boolean
  /** The first is the default. */
  groupTypes: readonly [GroupType, ...GroupType[]]
}

export const rulesetTable: Record<Ruleset, RulesetRule> = {
  'io.mitter.ruleset.chats.DirectMessage': { fixed: true, groupTypes: ['private'] },
  'io.mitter.ruleset.chats.GroupChat': { fixed: false, groupTypes: ['public', 'private', 'strict_private'] },
  'io.mitter.ruleset.chats.SystemChannel': { fixed: true, groupTypes: ['strict_private'] },
  'io.mitter.ruleset.chats.SingleParticipantChannel': { fixed: true, groupTypes: ['private'] }
}

/** Names from mitter's own samples, stored as GroupChat. */
export const rulesetAliases: Record<string, Ruleset> = {
  'io.mitter.chats.GroupChat': 'io.mitter.ruleset.chats.GroupChat',
  'io.mitter.chats.GroupChannel': 'io.mitter.ruleset.chats.GroupChat'
}

/** Throws `rulesetViolation` where the participants of a channel of this ruleset never change. */
export function mustAllowMembershipChange (channel: { channelId: string, ruleset: Ruleset }): void {
  if (rulesetTable[channel.ruleset].fixed) {
    throw refuse('rulesetViolation', `The participants of a ${channel.ruleset} channel never change; only a GroupChat's do`)
  }
}
