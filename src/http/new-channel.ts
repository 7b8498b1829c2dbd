/** From the body of `POST /v1/channels` to a command's ruleset and participants (protocol 3). */
import type { InitialParticipation } from '../../schemas/participation.ts'
import { refuse } from '../errors.ts'
import { statusOf, type Ruleset } from '../rules/relay.ts'
import { rulesetOf, rulesetTable, SYSTEM_CHANNEL, type NewParticipant } from '../rules/rulesets.ts'
import { idOf } from './input.ts'
import { refuseField } from './validation.ts'

/** The ruleset that a field names. Throws `invalidAttribute` where it names none. */
export function namedRuleset (field: string, name: string): Ruleset {
  const ruleset = rulesetOf(name)
  if (ruleset === undefined) throw refuseField(field, `must be one of ${Object.keys(rulesetTable).join(', ')}`)
  return ruleset
}

/** Throws where a channel is to be a system channel without being a SystemChannel. */
export function mustNotClaimSystem (ruleset: Ruleset, systemChannel: boolean | undefined): void {
  if (systemChannel === true && ruleset !== SYSTEM_CHANNEL) {
    throw refuse('creationRuleset', `Only a ${SYSTEM_CHANNEL} channel is a system channel: leave systemChannel out`)
  }
}

/** Participants as listed. Throws where one is listed twice. */
export function listedParticipants (listed: InitialParticipation[] = []): NewParticipant[] {
  const seen = new Set<string>()
  return listed.map(({ participantId, participationStatus = 'Active', roles = [] }, index) => {
    const userId = idOf(participantId)
    if (seen.has(userId)) throw refuseField(`body/participation/${index}/participantId`, 'names a user who is in the list already: name each one once')
    seen.add(userId)
    return { userId, status: statusOf[participationStatus], roles: [...new Set(roles)] }
  })
}
