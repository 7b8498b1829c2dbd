/** What the service shows as `Authorization: Bearer`. */
export type Token = string

export interface Calling {
  /** Where the service is, such as `https://relay.example`. In a browser `''` is where the page comes from. */
  url: string
  /**
   * The user's token, or what gets one: asked at first, and whenever the service has refused the last one, which is
   * then `refused`. May take as long as it likes. What throws is asked again after a while; what gives nothing ends it.
   * A token that is given as a string cannot be replaced: once it is refused, that is the end.
   */
  token: Token | ((refused: Token | undefined) => Token | null | undefined | Promise<Token | null | undefined>)
}

export interface SubscribeOptions<F extends Format = 'compact'> extends Calling {
  /** The stream of one channel. Absent: everything that the user receives, on one connection. */
  channelId?: string | undefined
  /** `compact` unless given; `mitter`: the long form. docs/protocol.md, section 8, has both. */
  format?: F | undefined
  /**
   * Begin behind this place: the `id` of an event, a subscription's `cursor`, an answer's `X-Event-Cursor`; or `earliest`,
   * as far back as there is anything. Absent: begin now, which is when the state is `live`.
   */
  after?: string | undefined
  /**
   * Called for each event, in order, once; `gap` is one of them. The next one waits for what it returns, and so do the tabs
   * that share the connection. What it throws is an uncaught error of the page's, and the stream goes on.
   */
  onEvent: (event: RelayEvent<F>) => unknown
  /** Called when the state changes, and each time that an attempt has failed, with the reason. */
  onState?: ((state: State, error?: RelayError) => unknown) | undefined
  /** `HEARTBEAT_MS` of the service, 15,000 unless given. A connection on which nothing comes for twice as long is dead. */
  heartbeatMs?: number | undefined
  /**
   * Whether tabs of the same user, `url`, channel and format share one connection: `true` in pages, `false` elsewhere, unless
   * given. Who the user is says the token; where it does not, a string here does.
   */
  share?: boolean | string | undefined
  /** Closes it. */
  signal?: AbortSignal | undefined
}

export interface Subscription {
  /** Ends it; nothing is called any more. */
  close (): void
  /** The place behind the last event that `onEvent` has dealt with: `after` for the next time. Undefined: it has not begun. */
  readonly cursor: string | undefined
  readonly state: State
}

/**
 * - `connecting`: an attempt is under way
 * - `replaying`: what was missed comes
 * - `live`: what happens comes at once
 * - `waiting`: until the next attempt
 * - `closed`: for good, by `close` or `signal`; or with an error: 401 and no other token, 403, 404, `removed`, `deleted`
 */
export type State = 'connecting' | 'replaying' | 'live' | 'waiting' | 'closed'

/** Opens a stream and keeps it open, until it is closed. Throws where `url` is none. */
export function subscribe<F extends Format = 'compact'> (options: SubscribeOptions<F>): Subscription

export interface SendOptions extends Calling {
  channelId: string
  /** The text, or the fields of a message. */
  message: string | NewMessage
  /** 8 to 128 printable ASCII characters, for this message only; made where absent. Give one that is kept, and a page that was reloaded may repeat. */
  idempotencyKey?: string | undefined
  /** Gives up, and rejects with its reason; such as `AbortSignal.timeout(60_000)`. Absent: goes on until there is an answer. */
  signal?: AbortSignal | undefined
}

/**
 * Sends a message, once, however often it has to be tried: again where no answer comes, after 429, 502, 503 and 504, and
 * after 401 with another token. Resolves with the message as it was stored; rejects with any other answer.
 */
export function send (options: SendOptions): Promise<Message>

/** What was answered, or why there was no answer (no `status`). */
export interface RelayError extends Error {
  status?: number
  /** The envelope's `errorCode`, by which programs go. */
  code?: string
  /** Of a relay rule; or of `bye`, with which the service ended a stream (no `status`). */
  reason?: string
}

export type Format = 'compact' | 'mitter'

export type RelayEvent<F extends Format = 'compact'> = F extends 'compact'
  ? { [T in keyof CompactData]: { type: T, id: string, data: CompactData[T] } }[keyof CompactData]
  : { type: keyof CompactData, id: string, data: Record<string, any> }

/** Data by type of event. A program skips types that it does not know: there may be more one day. */
export interface CompactData {
  message: CompactMessage
  'message-updated': CompactMessage
  'message-deleted': { channel: string, id: string }
  'message-timeline': { channel: string, id: string, event: TimelineEvent, at: number }
  'messages-truncated': { channel: string }
  channel: { channel: string, ruleset: string, groupType: string, at: number, events?: TimelineEvent[], appliedAcls?: AppliedAcls }
  'channel-deleted': { channel: string }
  'channel-timeline': { channel: string, event: TimelineEvent, at: number }
  participation: { channel: string, user: string, status: RelayStatus, oldStatus?: string, roles?: string[] }
  'participation-deleted': { channel: string, user: string }
  'channel-acls-changed': { channel: string, appliedAcls?: AppliedAcls }
  /** What lies between is not to be had as events: read by GET what is shown. */
  gap: { reason: 'expired' | 'unknown' }
}

export interface CompactMessage {
  channel: string
  id: string
  sender: string
  text: string
  /** When it was sent, in milliseconds since the epoch, as all times. */
  at: number
  editedAt?: number
  messageType?: string
  payloadType?: string
  messageData?: MessageData[]
  events?: TimelineEvent[]
  appliedAcls?: AppliedAcls
}

export type RelayStatus = 'active' | 'muted' | 'pending' | 'disabled'
export interface TimelineEvent { id: string, type: string, subject: string, time: number }
export interface AppliedAcls { plusAppliedAcls: string[], minusAppliedAcls: string[] }
export interface MessageData { dataType: string, data: unknown }

export interface NewMessage {
  messageId?: string
  messageType?: string
  payloadType?: string
  textPayload: string
  messageData?: MessageData[]
  [field: string]: unknown
}

/** A message as it was stored; openapi.yaml has every field. */
export interface Message extends NewMessage {
  messageId: string
  identifier: string
  channelId: { identifier: string }
  senderId: { identifier: string }
  relay?: { status: string, recipientsCount: number, cursor: string }
}
