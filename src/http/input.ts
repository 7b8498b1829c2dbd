/** From what bodies say to what commands take. */
import type { ReferenceInput } from '../../schemas/common.ts'
import type { CheckedTimelineEvent, TimelineEventInput } from '../../schemas/timeline.ts'
import { Refusal, refuse } from '../errors.ts'
import { lengths, mustBeIdentifier, SYSTEM } from '../rules/identifiers.ts'
import { isEventType } from '../rules/timelines.ts'
import { refuseField } from './validation.ts'

/** The id that a reference names, whichever way it is written (protocol 1, rule 2). */
export function idOf (reference: ReferenceInput): string {
  return typeof reference === 'string' ? reference : reference.identifier
}

/** As `mustBeIdentifier`, and the refusal names the field: `body/channelId`. */
export function mustBeNewId (kind: keyof typeof lengths, id: string, field = `body/${kind}Id`): void {
  try {
    mustBeIdentifier(kind, id)
  } catch (err) {
    throw err instanceof Refusal ? new Refusal({ ...err.toPlain(), diagnostics: { field } }) : err
  }
}

/** Throws where a field that is not there yet has content: nothing is accepted and then ignored. */
export function mustNotUseUnsupported (body: { entityMetadata?: unknown, entityProfile?: unknown }): void {
  if (!isEmpty(body.entityMetadata)) throw refuse('notImplemented', 'entityMetadata with content')
  // mitter's model names its entity even where it has no attributes.
  const profile = body.entityProfile
  const attributes = typeof profile === 'object' && profile !== null && 'attributes' in profile ? profile.attributes : profile
  if (!isEmpty(attributes)) throw refuse('notImplemented', 'entityProfile with attributes')
}

/** Nothing, or a shell with nothing in it. */
export function isEmpty (value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  return typeof value === 'object' && Object.values(value).every(isEmpty)
}

/** Timeline events for a command. Throws what `timelineEventOf` throws, and where two have one id. */
export function timelineEventsOf (events: TimelineEventInput[] = []): CheckedTimelineEvent[] {
  const seen = new Set<string>()
  return events.map((event, index) => {
    const field = `body/timelineEvents/${index}`
    const checked = timelineEventOf(event, field)
    if (checked.eventId === undefined) return checked
    if (seen.has(checked.eventId)) throw refuseField(`${field}/eventId`, 'is the id of another event of the list: give each its own')
    seen.add(checked.eventId)
    return checked
  })
}

/** One timeline event for a command; whom it may be about is decided with the channel. `field`: where it stands, as in `body/timelineEvents/0`. */
export function timelineEventOf ({ eventId, type, eventTimeMs, subject }: TimelineEventInput, field: string): CheckedTimelineEvent {
  if (eventId !== undefined) mustBeNewId('event', eventId, `${field}/eventId`)
  if (!isEventType(type)) throw refuseField(`${field}/type`, 'may not begin with io.mitter, unless it is io.mitter.types.timeline.CreationTime')
  const subjectId = idOf(subject)
  // What cannot be a user would be stored with the event, and stay.
  if (subjectId !== SYSTEM) mustBeNewId('user', subjectId, `${field}/subject`)
  return { ...(eventId === undefined ? {} : { eventId }), type, eventTimeMs, subject: subjectId }
}
