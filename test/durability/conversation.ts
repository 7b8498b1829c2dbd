/** A channel with one member, and a client that sends into it until it is told that the message is there. */
import { setTimeout as delay } from 'node:timers/promises'
import { asUser, tokenFor, type ServiceProcess } from '../support/process.ts'

/** What a client waits before it tries again, in milliseconds. */
const RETRY_MS = 40

/** How long a call may take before the client takes it for lost, in milliseconds. */
const CALL_MS = 15_000

/** Messages that one page of a list holds at most (protocol 1, rule 8). */
const PAGE = 200

/** A member and its channel. The service may be another process by the next call, on the same port. */
export interface Conversation {
  url: string
  token: string
  channelId: string
}

/** A message for which a 200 was read. */
export interface Acknowledged {
  messageId: string
  text: string
  cursor: string
  recipientsCount: number
}

export async function startConversation (service: Pick<ServiceProcess, 'url' | 'credentials'>, userId = 'alice', channelId = 'the-channel'): Promise<Conversation> {
  const token = await tokenFor(service, userId)
  const ruleset = 'io.mitter.ruleset.chats.GroupChat'
  const made = await asUser(service, token, 'POST', '/v1/channels', { channelId, defaultRuleSet: ruleset, groupType: 'public' })
  if (made.status !== 200) throw new Error(`no channel: ${JSON.stringify(made.body)}`)
  return { url: service.url, token, channelId }
}

/** Sends once. Throws where no answer came: then nobody knows what became of it. */
export async function sendOnce ({ url, token, channelId }: Conversation, key: string, body: { textPayload: string, messageId?: string }) {
  const response = await fetch(`${url}/v1/channels/${channelId}/messages`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(CALL_MS)
  })
  return { status: response.status, headers: response.headers, body: await response.json() as any }
}

/**
 * Sends the same request, under the same key, until it is answered 200. Any answer but 200 and 503 is a
 * failure of the service. Throws when `signal` has been given.
 */
export async function sendUntilAcknowledged (
  to: Conversation, key: string, body: { textPayload: string, messageId?: string }, signal?: AbortSignal
): Promise<Acknowledged> {
  for (;;) {
    signal?.throwIfAborted()
    const answer = await sendOnce(to, key, body).catch(() => undefined)
    if (answer?.status === 200) {
      const { messageId, textPayload: text, relay: { cursor, recipientsCount } } = answer.body
      return { messageId, text, cursor, recipientsCount }
    }
    if (answer !== undefined && answer.status !== 503) throw new Error(`${key} was answered ${answer.status}: ${JSON.stringify(answer.body)}`)
    await delay(RETRY_MS)
  }
}

/** All messages of the channel by GET, in the order of the log. */
export async function listAll ({ url, token, channelId }: Conversation): Promise<Array<{ messageId: string, text: string }>> {
  const newestFirst: Array<{ messageId: string, textPayload: string }> = []
  for (;;) {
    const oldest = newestFirst.at(-1)
    const before = oldest === undefined ? '' : `&before=${oldest.messageId}`
    const { status, body } = await asUser({ url }, token, 'GET', `/v1/channels/${channelId}/messages?limit=${PAGE}${before}`)
    if (status !== 200) throw new Error(`the list was answered ${status}: ${JSON.stringify(body)}`)
    newestFirst.push(...body)
    if (body.length < PAGE) return newestFirst.reverse().map(({ messageId, textPayload: text }) => ({ messageId, text }))
  }
}

/** The URL of a user's own stream, as an `EventSource` needs it. */
export async function streamUrl ({ url, token }: Conversation): Promise<string> {
  const { body } = await asUser({ url }, token, 'POST', '/v1/users/me/event-tokens')
  return `${url}/v1/users/me/events?access_token=${body.eventToken}`
}

/** Waits until something has become true, and says what where it does not in time. */
export async function until (what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs
  while (!await holds()) {
    if (performance.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await delay(5)
  }
}

/** Random numbers from 0 up to 1, the same for the same seed, so that a run that fails can be had again. */
export function randomFrom (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
