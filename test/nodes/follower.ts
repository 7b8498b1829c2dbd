/** A reader of a stream, who goes on from its last id, on another node than before, whenever it is cut. */
import { setTimeout as delay } from 'node:timers/promises'
import { openReader, type Frame, type Reader } from '../support/sse.ts'
import type { Callers } from './calls.ts'
import type { Stream, Told } from './history.ts'

/** Before a reader comes back, in milliseconds: less than it is told to, so that more happens in a run. */
const RETRY_MS = 150

/** How long a stream may take to be answered, in milliseconds. */
const ANSWER_MS = 15_000

export interface FollowOptions {
  name: string
  path: string
  token?: string | undefined
  /** Whose stream it is; absent: the application's. */
  user?: string | undefined
  channel?: string | undefined
  /** How long the reader itself stays on one node, in milliseconds, about; absent: as long as it may. */
  staysMs?: number | undefined
  random: () => number
}

export class Follower {
  readonly stream: Stream
  readonly #callers: Callers
  readonly #options: FollowOptions
  readonly #stopped = new AbortController()
  readonly #following: Promise<void>
  /** The connection there is. */
  #reader: Reader | undefined

  constructor (callers: Callers, options: FollowOptions) {
    const { name, user, channel } = options
    this.stream = { name, connections: [], ...(user === undefined ? {} : { user }), ...(channel === undefined ? {} : { channel }) }
    this.#callers = callers
    this.#options = options
    this.#following = this.#follow()
  }

  /** Whether it was told of a message. */
  has (text: string): boolean {
    return this.#reader?.frames.some(frame => toldOf(frame).text === text) === true ||
      this.stream.connections.some(({ told }) => told.some(one => one.text === text))
  }

  /** It has been told the past, on the connection that it has now. */
  get live (): boolean {
    return this.#reader?.frames.some(({ event }) => event === 'caught-up') === true
  }

  async stop (): Promise<void> {
    this.#stopped.abort()
    await this.#following
  }

  async #follow (): Promise<void> {
    const { path, token, staysMs = Infinity, random } = this.#options
    const { signal } = this.#stopped
    let [after, node]: [string?, number?] = []
    while (!signal.aborted) {
      node = this.#callers.anyNode(node)
      const authorization = token === undefined ? this.#callers.cluster.authorization : `Bearer ${token}`
      const headers = { authorization, ...(after === undefined ? {} : { 'last-event-id': after }) }
      const opening = openReader(this.#callers.cluster.nodes[node]!.url + path, headers)
      const reader = await Promise.race([opening, delay(ANSWER_MS, 'late' as const, { ref: false })]).catch(() => undefined)
      if (reader === 'late') {
        opening.then(one => one.close(), () => {})
        this.stream.connections.push({ node, status: 0, told: [], ...(after === undefined ? {} : { after }) })
      } else if (reader !== undefined) {
        this.#reader = reader
        await Promise.race([reader.ended, ended(signal), ...(staysMs === Infinity ? [] : [delay(staysMs * 2 * random(), undefined, { ref: false })])])
        this.#reader = undefined
        reader.close()
        this.stream.connections.push({ node, status: reader.status, told: reader.frames.map(toldOf), ...(after === undefined ? {} : { after }) })
        after = reader.lastId() ?? after
      }
      await delay(RETRY_MS * 2 * random())
    }
  }
}

const ended = (signal: AbortSignal): Promise<void> => new Promise(resolve => {
  if (signal.aborted) resolve()
  signal.addEventListener('abort', () => resolve(), { once: true })
})

/** A frame of either form (protocol 8). */
export function toldOf ({ id, event = 'message', json }: Frame): Told {
  const told: Record<keyof Told, string | undefined> = {
    id,
    event,
    channel: json.channelId?.identifier ?? json.channel?.channelId ?? json.channel,
    message: json.message?.messageId ?? (event === 'message' ? json.id : undefined),
    text: json.message?.textPayload ?? json.text,
    user: json.message?.senderId.identifier ?? json.sender ?? json.participantId?.identifier ?? json.user,
    status: json.relayStatus ?? json.status,
    reason: json.reason
  }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) as unknown as Told
}
