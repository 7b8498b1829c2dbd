/**
 * Every refusal of the service, declared once: its code (mitter's names, protocol 1), its status,
 * and a message that says what was wrong and what would be right.
 *
 * Codes are API: they are never renamed and never reused.
 */

/** What a refusal carries besides its name. All of it is plain data, so that it can cross threads. */
export interface RefusalDetail {
  /** The relay's atom (relay.md, "Status codes"). */
  reason?: string
  /** Names what was at fault, for example `{ field: 'body/defaultRuleSet' }`. */
  diagnostics?: Record<string, unknown>
}

interface Declaration {
  status: number
  /** mitter's error code. */
  code: string
  /** The relay atom that goes with it, where there is one. */
  reason?: string
}

const declare = <Args extends unknown[]>(
  status: number,
  code: string,
  message: (...args: Args) => string,
  reason?: string
) => ({ status, code, message, ...(reason === undefined ? {} : { reason }) })

export const declarations = {
  // 400
  badRequest: declare(400, 'bad_request', (what: string) => what),
  invalidInputSyntax: declare(400, 'invalid_input_syntax', (what: string) => what),
  invalidAttribute: declare(400, 'invalid_domain_attribute', (what: string) => what),
  invalidIdentifier: declare(400, 'invalid_domain_attribute',
    (what: string, id: string, rule: string) => `${what} ${show(id)} is not a valid identifier: ${rule}`),
  reservedIdentifier: declare(400, 'invalid_domain_attribute',
    (what: string, id: string) => `${what} ${show(id)} is reserved: choose another`),
  missingContext: declare(400, 'missing_context', (what: string) => what),
  creationRuleset: declare(400, 'channel_ruleset_violation', (what: string) => what),
  // 401
  noCredentials: declare(401, 'claim_rejected',
    () => 'This call needs credentials: send "Authorization: Bearer <user token>", Basic with the access key and its secret, or a signature'),
  claimRejected: declare(401, 'claim_rejected', (what: string) => what),
  // 403
  missingPrivilege: declare(403, 'missing_privilege', (what: string) => what),
  actorNotInGroup: declare(403, 'missing_privilege',
    (channel: string) => `You are not a participant of channel ${show(channel)}: join it first`, 'user_not_in_group'),
  notAdmin: declare(403, 'missing_privilege',
    (channel: string) => `Only an active admin of channel ${show(channel)} may do this`, 'not_admin'),
  pending: declare(403, 'missing_privilege',
    (channel: string) => `Your request to join channel ${show(channel)} has not been accepted yet`, 'pending'),
  muted: declare(403, 'missing_privilege',
    (channel: string) => `You are muted in channel ${show(channel)}: you may read, but not send`, 'muted'),
  disabled: declare(403, 'missing_privilege',
    (channel: string) => `Your participation in channel ${show(channel)} is disabled`, 'disabled'),
  // 404
  notFound: declare(404, 'entity_not_found', (what: string) => what),
  channelNotFound: declare(404, 'entity_not_found', (id: string) => `There is no channel ${show(id)}${unlessList(id, '')}`, 'not_found'),
  userNotFound: declare(404, 'entity_not_found', (id: string) => `There is no user ${show(id)}${unlessList(id, ': name one that there is, POST /v1/users makes them')}`),
  messageNotFound: declare(404, 'entity_not_found', (id: string) => `There is no message ${show(id)}${unlessList(id, '')}`),
  eventNotFound: declare(404, 'entity_not_found', (id: string) => `There is no such event on this timeline: ${show(id)}`),
  tokenNotFound: declare(404, 'entity_not_found', (id: string) => `There is no token ${show(id)}`),
  targetNotInGroup: declare(404, 'entity_not_found',
    (user: string, channel: string) => `User ${show(user)} is not a participant of channel ${show(channel)}`, 'user_not_in_group'),
  // 405, 406, 409
  methodNotAllowed: declare(405, 'method_not_allowed',
    (method: string, path: string, allowed: string) => `${method} is not possible on ${show(path)}: use ${allowed}`),
  notAcceptable: declare(406, 'not_acceptable', (what: string) => what),
  channelExists: declare(409, 'duplicate_entity', (id: string) => `Channel ${show(id)} exists already: choose another id`, 'already_exists'),
  userExists: declare(409, 'duplicate_entity', (id: string) => `User id ${show(id)} is taken, or was: choose another`),
  messageExists: declare(409, 'duplicate_entity', (id: string) => `Message id ${show(id)} is taken, or was: choose another`),
  eventExists: declare(409, 'duplicate_entity', (id: string) => `Timeline event id ${show(id)} is taken: choose another`),
  alreadyMember: declare(409, 'duplicate_entity',
    (user: string, channel: string) => `User ${show(user)} is a participant of channel ${show(channel)} already`, 'already_member'),
  rulesetViolation: declare(409, 'channel_ruleset_violation', (what: string) => what),
  userNotPending: declare(409, 'channel_ruleset_violation',
    (user: string, channel: string) => `User ${show(user)} is not waiting to join channel ${show(channel)}`, 'user_not_pending'),
  cannotMute: declare(409, 'channel_ruleset_violation',
    (user: string, channel: string) => `User ${show(user)} cannot be muted in channel ${show(channel)}`, 'cannot_mute'),
  notMuted: declare(409, 'channel_ruleset_violation',
    (user: string, channel: string) => `User ${show(user)} is not muted in channel ${show(channel)}`, 'not_muted'),
  notStrictPrivate: declare(409, 'channel_ruleset_violation',
    (channel: string) => `Channel ${show(channel)} is not strict_private: only there can one be muted`, 'not_strict_private'),
  // 413, 414, 415, 417, 422
  limitExceeded: declare(413, 'limit_exceeded', (what: string) => what),
  uriTooLong: declare(414, 'uri_too_long', (what: string) => what),
  unsupportedMediaType: declare(415, 'unsupported_media_type', (what: string) => what),
  expectationFailed: declare(417, 'bad_request', (what: string) => what),
  idempotencyMismatch: declare(422, 'idempotency_mismatch',
    () => 'This Idempotency-Key was used for another request: take a new key for a new request'),
  // 5xx
  unknownError: declare(500, 'unknown_error', () => 'Something went wrong in the service; the instanceId finds it in its log'),
  notImplemented: declare(501, 'not_implemented', (what: string) => `${what} is not there yet`),
  unavailable: declare(503, 'unavailable', () => 'The store cannot answer now: try again shortly'),
  overloaded: declare(503, 'unavailable', () => 'Too many answers wait to be read: read those that you have asked for, and try again shortly')
} satisfies Record<string, Declaration & { message: (...args: never[]) => string }>

export type RefusalName = keyof typeof declarations
type ArgsOf<Name extends RefusalName> = Parameters<(typeof declarations)[Name]['message']>

/** A refusal as plain data: what crosses from the store's thread. */
export interface PlainRefusal extends RefusalDetail {
  name: RefusalName
  message: string
}

/** The one error that the domain throws. `app.ts` turns it into the envelope of protocol 1, rule 6. */
export class Refusal extends Error {
  readonly refusal: RefusalName
  readonly status: number
  readonly code: string
  readonly reason: string | undefined
  readonly diagnostics: Record<string, unknown> | undefined

  constructor (plain: PlainRefusal) {
    super(plain.message)
    const declaration: Declaration = declarations[plain.name]
    this.name = 'Refusal'
    this.refusal = plain.name
    this.status = declaration.status
    this.code = declaration.code
    this.reason = plain.reason ?? declaration.reason
    this.diagnostics = plain.diagnostics
  }

  /** This refusal as plain data; `new Refusal(plain)` is its inverse. */
  toPlain (): PlainRefusal {
    return {
      name: this.refusal,
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.diagnostics === undefined ? {} : { diagnostics: this.diagnostics })
    }
  }
}

/** Makes a refusal to throw: `throw refuse('channelNotFound', channelId)`. */
export function refuse<Name extends RefusalName> (name: Name, ...args: ArgsOf<Name>): Refusal {
  return refuseWith(name, {}, ...args)
}

/** As `refuse`, with a reason or diagnostics of its own. */
export function refuseWith<Name extends RefusalName> (name: Name, detail: RefusalDetail, ...args: ArgsOf<Name>): Refusal {
  const message = (declarations[name].message as (...args: unknown[]) => string)(...args)
  return new Refusal({ name, message, ...detail })
}

/** What would be right in the place of an id: of a list where one is named, something else than of an id. */
function unlessList (id: string, right: string): string {
  return id.includes(',') ? ': a comma is no character of an id, and this takes one id at a time' : right
}

/** Longest piece of a caller's input that a message repeats, in characters: enough to recognize it. */
const SHOWN_CHARACTERS = 80

/** A piece of input in quotes, cut where long, with nothing in it that could break a line. */
function show (input: string): string {
  const cut = input.length > SHOWN_CHARACTERS ? `${input.slice(0, SHOWN_CHARACTERS)}…` : input
  return JSON.stringify(cut.toWellFormed())
}
