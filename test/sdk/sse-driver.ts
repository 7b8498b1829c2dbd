/** A messaging pipeline for `@mitter-io/core` that reads the service's event stream of the user. */
import type { BasePipelineSink, Mitter, MessagingPipelineDriver } from '@mitter-io/core'
import type { MessagingPipelinePayload } from '@mitter-io/models'
import { EventSource } from 'eventsource'

/** Every event of protocol 8: an `EventSource` gives only those that it is asked for by name. */
const EVENTS = [
  'message', 'message-updated', 'message-timeline', 'message-deleted', 'messages-truncated',
  'channel', 'channel-deleted', 'channel-timeline', 'channel-acls-changed', 'participation', 'participation-deleted',
  'ready', 'caught-up', 'checkpoint', 'gap', 'bye'
]

export class SseDriver implements MessagingPipelineDriver {
  readonly #after: string | undefined
  readonly #waiting: MessagingPipelinePayload[] = []
  #sink: BasePipelineSink | undefined
  #events: EventSource | undefined

  /** `after`: the cursor to start at; absent: now. */
  constructor (after?: string) {
    this.#after = after
  }

  initialize (mitter: Mitter): { pipelineDriverSpec: { name: string }, initialized: Promise<boolean> } {
    return { pipelineDriverSpec: { name: 'sse' }, initialized: this.#connect(mitter) }
  }

  /** There is none to register: the stream is the user's own. */
  async getDeliveryTarget (): Promise<undefined> {}

  deliveryTargetRegistered (): void {}

  pipelineSinkChanged (sink: BasePipelineSink): void {
    this.#sink = sink
    for (const payload of this.#waiting.splice(0)) sink.received(payload)
  }

  halt (): void {
    this.#events?.close()
  }

  /** Resolves at the stream's first frame: nothing that happens afterwards is missed. */
  async #connect (mitter: Mitter): Promise<boolean> {
    this.halt()
    const url = new URL('/v1/users/me/events', mitter.mitterCoreConfig.mitterApiBaseUrl)
    url.searchParams.set('access_token', await eventToken(mitter))
    if (this.#after !== undefined) url.searchParams.set('after', this.#after)
    const events = new EventSource(url)
    this.#events = events
    for (const name of EVENTS) events.addEventListener(name, ({ data }) => this.#receive(JSON.parse(data)))
    await new Promise(resolve => events.addEventListener('ready', resolve, { once: true }))
    mitter.onMessagingPipelineConnect([])
    return true
  }

  /** Control events too: to tell payloads apart is the SDK's business. */
  #receive (payload: MessagingPipelinePayload): void {
    if (this.#sink === undefined) this.#waiting.push(payload)
    else this.#sink.received(payload)
  }
}

/** A token for the URL, where an `EventSource` must have it. */
async function eventToken (mitter: Mitter): Promise<string> {
  const response = await fetch(`${mitter.mitterCoreConfig.mitterApiBaseUrl}/v1/users/me/event-tokens`, {
    method: 'POST',
    headers: { 'X-Issued-Mitter-User-Authorization': (await mitter.getUserAuthorization())! }
  })
  const { eventToken } = await response.json() as { eventToken: string }
  return eventToken
}
