/** From the body of `POST /v1/channels` to a command's ruleset and participants (contract 3). */
import type { InitialParticipation } from '../../schemas/participation.ts'
import type { Principal } from '../auth/principal.ts'
import { refuse } from '../errors.ts'
import { statusOf, type Ruleset } from '../rules/relay.ts'
import { rulesetAliases, rulesetTable } from '../rules/rulesets.ts'
import type { NewParticipant } from '../store/commands.ts'
import { idOf } from './input.ts'
import { refuseField } from './validation.ts'

const GROUP_CHAT: Ruleset = 'io.mitter.ruleset.chats.GroupChat'

/** The ruleset that a name stands for. Throws `notImplemented` for those that are to come, `invalidAttribute` for others. */
export function rulesetOf (name: string): Ruleset {
  const ruleset = Object.hasOwn(rulesetAliases, name) ? rulesetAliases[name] : name
  if (ruleset === GROUP_CHAT) return GROUP_CHAT
  if (Object.hasOwn(rulesetTable, name)) throw refuse('notImplemented', `A channel with the ruleset ${name}`)
  throw refuseField('body/defaultRuleSet', `must be one of ${Object.keys(rulesetTable).join(', ')}`)
}

/** Participants beside a user who creates: that one becomes active admin, listed or not. */
export function initialParticipants (principal: Principal, listed: InitialParticipation[] = []): NewParticipant[] {
  const seen = new Set<string>()
  const participants = listed.map(({ participantId, participationStatus = 'Active', roles = [] }, index) => {
    const userId = idOf(participantId)
    if (seen.has(userId)) throw refuseField(`body/participation/${index}/participantId`, 'names a user who is in the list already: name each one once')
    seen.add(userId)
    return { userId, status: statusOf[participationStatus], roles: [...new Set(roles)] }
  })
  if (principal.kind === 'application') return participants
  const others = participants.filter(({ userId }) => userId !== principal.userId)
  if (others.some(({ status, roles }) => status !== 'active' || roles.length > 0)) {
    throw refuse('missingPrivilege', 'Only the application may give participants another status than Active, or roles: leave both out')
  }
  return others
}
