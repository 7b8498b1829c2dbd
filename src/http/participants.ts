/** What a caller wants to see of participants (protocol 4). */
import { ParticipationStatus, RelayStatus } from '../../schemas/participation.ts'
import { statusTable } from '../rules/relay.ts'
import { refuseField, splitList } from './validation.ts'

/** Statuses of which lists show participants: those of either query, Active where there is none. */
export function statusesAskedFor (query: { participationStatus?: string, relayStatus?: string }): RelayStatus[] {
  const byMitter = valuesOf('query/participationStatus', query.participationStatus, ParticipationStatus.enum)
  const byRelay = valuesOf('query/relayStatus', query.relayStatus, RelayStatus.enum)
  if (byMitter.length + byRelay.length === 0) return ['active']
  return RelayStatus.enum.filter(status => byRelay.includes(status) || byMitter.includes(statusTable[status].participationStatus))
}

/** Whether `Prefer` (RFC 7240) asks for the entity in the answer. */
export function wantsRepresentation (prefer: string | undefined): boolean {
  return (prefer ?? '').split(',').some(preference => /^\s*return\s*=\s*"?representation"?\s*(;|$)/i.test(preference))
}

function valuesOf (field: string, text: string | undefined, allowed: readonly string[]): string[] {
  if (text === undefined) return []
  const values = splitList(text, LONGEST_STATUS_LIST)
  if (!values.every(value => allowed.includes(value))) throw refuseField(field, `must be one or more of ${allowed.join(', ')}, with commas between them`)
  return values
}

/** There are four statuses: a longer list is a mistake. */
const LONGEST_STATUS_LIST = 4
