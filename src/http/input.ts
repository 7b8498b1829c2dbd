/** From what bodies say to what commands take. */
import type { ReferenceInput } from '../../schemas/common.ts'
import type { NewTimelineEvent, TimelineEventInput } from '../../schemas/timeline.ts'
import { actorOf, type Principal } from '../auth/principal.ts'
import { refuse } from '../errors.ts'
import { mustBeIdentifier } from '../rules/identifiers.ts'
import { refuseField } from './validation.ts'

/** The id that a reference names, whichever way it is written (contract 1, rule 2). */
export function idOf (reference: ReferenceInput): string {
  return typeof reference === 'string' ? reference : reference.identifier
}

/** Throws where a field that is not there yet has content: nothing is accepted and then ignored. */
export function mustNotUseUnsupported (body: { appliedAcls?: unknown, entityMetadata?: unknown, entityProfile?: unknown }): void {
  if (!isEmpty(body.appliedAcls)) throw refuseField('body/appliedAcls', 'is not supported yet: there are no access control lists; leave it out')
  if (!isEmpty(body.entityMetadata)) throw refuse('notImplemented', 'entityMetadata with content')
  // mitter's model names its entity even where it has no attributes.
  const profile = body.entityProfile
  const attributes = typeof profile === 'object' && profile !== null && 'attributes' in profile ? profile.attributes : profile
  if (!isEmpty(attributes)) throw refuse('notImplemented', 'entityProfile with attributes')
}

/** Nothing, or a shell with nothing in it: mitter's models send `{"plusAppliedAcls": [], "minusAppliedAcls": []}`. */
function isEmpty (value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.values(value).every(isEmpty)
}

const standardTypes = new Set(['io.mitter.types.timeline.CreationTime'])

/**
 * Timeline events for a command. Throws where a user names another as subject (receipts could be forged),
 * where an id is none, and where a type takes mitter's own name (contract 5).
 */
export function timelineEventsOf (principal: Principal, events: NewTimelineEvent[] = []): TimelineEventInput[] {
  return events.map(({ eventId, type, eventTimeMs, subject }, index) => {
    if (eventId !== undefined) mustBeIdentifier('event', eventId)
    if (type.startsWith('io.mitter') && !standardTypes.has(type)) {
      throw refuseField(`body/timelineEvents/${index}/type`, 'may not begin with io.mitter, unless it is io.mitter.types.timeline.CreationTime')
    }
    const subjectId = idOf(subject)
    if (principal.kind === 'user' && subjectId !== actorOf(principal)) {
      throw refuse('missingPrivilege', 'The subject of a user\'s timeline event is the user itself: name yourself')
    }
    return { ...(eventId === undefined ? {} : { eventId }), type, eventTimeMs, subject: subjectId }
  })
}
