/** Which ids of timeline events are kept for ever. */

/** Ids that a caller gave are nobody's ever again; those of the service's own cannot be given (src/rules/identifiers.ts). */
export const callersEventId = 'event_id not like \'________-____-8___-____-____________\''
