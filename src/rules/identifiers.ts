/** Identifiers (protocol 1, rule 1). */
import { LONGEST_ID } from '../../schemas/common.ts'
import { refuse } from '../errors.ts'

/** Anchored; no dots, so that nothing reserved can be made. */
export const IDENTIFIER_PATTERN = '^[a-zA-Z0-9@#][a-zA-Z0-9\\-_@$#]*$'
const identifier = new RegExp(IDENTIFIER_PATTERN)

/** The application itself (protocol 2): above every rule of membership, and a member of nothing but SystemChannels. */
export const SYSTEM = '.system'

/** Lengths in characters. Users may be as short as mitter's own tutorials have them (`@amy`). */
export const lengths = {
  user: { least: 1, most: LONGEST_ID },
  channel: { least: 8, most: LONGEST_ID },
  message: { least: 8, most: LONGEST_ID },
  event: { least: 8, most: LONGEST_ID }
} as const

/**
 * Ids of timeline events that the service gives itself: UUIDs of version 8, which RFC 9562 leaves to whoever makes
 * them. No caller may give one, so that no such id is given twice, though those of messages are kept nowhere but in them.
 */
const ownEventIds = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/i

export const isOwnEventId = (id: string): boolean => ownEventIds.test(id)

/** @param uuid a random UUID of another version */
export const ownEventId = (uuid: string): string => `${uuid.slice(0, 14)}8${uuid.slice(15)}`

const reserved = new Set(['.broadcast', '.control', '.system', '.anonymous', '.deleted', '.typing-indicator-stream'])

/**
 * Throws `invalidIdentifier` or `reservedIdentifier` where `id` cannot be the id of a new entity.
 * `me` is no user's id: paths use it for whoever asks.
 */
export function mustBeIdentifier (kind: keyof typeof lengths, id: string): void {
  const { least, most } = lengths[kind]
  const name = kind[0]!.toUpperCase() + kind.slice(1)
  if (reserved.has(id) || (kind === 'user' && id === 'me')) throw refuse('reservedIdentifier', `${name} id`, id)
  if (id.length < least || id.length > most || !identifier.test(id)) {
    throw refuse('invalidIdentifier', `${name} id`, id,
      `it must have ${least} to ${most} characters, begin with a letter, a digit, @ or #, and go on with letters, digits, - _ @ $ #`)
  }
  if (kind === 'event' && isOwnEventId(id)) {
    throw refuse('invalidIdentifier', `${name} id`, id, 'UUIDs of version 8 are the ids that the service gives: leave it out, or choose one of another kind')
  }
}
