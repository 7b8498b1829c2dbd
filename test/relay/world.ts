/** People and channels of one test, over HTTP: names stand for ids of its own, connections are kept open. */
import { Agent, request } from 'undici'
import type { TestApp } from '../support/app.ts'
import { isEntry, openReader, type Frame, type Reader } from '../support/sse.ts'
import { frameGist } from '../model/gists.ts'
import { callOf, type Call } from './calls.ts'
import { SYSTEM, type Step } from './steps.ts'

export interface Answer<T = any> {
  /** Status and reason, as `403 muted`. */
  said: string
  status: number
  headers: Record<string, string | string[] | undefined>
  body: T
}

/** Where it runs, and the application's headers. */
export type Service = Pick<TestApp, 'url' | 'application'>

let serial = 0

/** Keeps connections, so that a test of thousands of calls does not run out of ports. */
export const keptConnections = (connections = 16): Agent => new Agent({ connections, keepAliveTimeout: 30_000 })

export class World {
  readonly on: Service
  readonly #agent: Agent
  readonly #authorized = new Map<string, Record<string, string>>()
  #id = ++serial

  constructor (on: Service, agent: Agent) {
    this.on = on
    this.#agent = agent
  }

  /** The same people and channels, in a service that was started again. */
  elsewhere (on: Service): World {
    const world = new World(on, this.#agent)
    world.#id = this.#id
    return world
  }

  /** The id of a name; `.system` and `me` are what they are. */
  id (name: string): string {
    return name === SYSTEM || name === 'me' ? name : `${name}-of-${this.#id}`
  }

  /** The name of an id. */
  name (id: string): string {
    return id.endsWith(`-of-${this.#id}`) ? id.slice(0, id.lastIndexOf('-of-')) : id
  }

  /** Makes users. */
  async people (...names: string[]): Promise<void> {
    const made = await Promise.all(names.map(name => this.call(SYSTEM, 'POST', '/v1/users', { userId: this.id(name) })))
    const failed = made.find(({ status }) => status !== 200)
    if (failed !== undefined) throw new Error(`no user: ${failed.said}`)
  }

  /** From now on somebody calls with credentials of its own; until then the application calls in its name. */
  authorize (name: string, headers: Record<string, string>): void {
    this.#authorized.set(name, headers)
  }

  /** Whether somebody calls with credentials of its own. */
  isAuthorized (name: string): boolean {
    return this.#authorized.has(name)
  }

  headers (by: string): Record<string, string> {
    const own = this.#authorized.get(by)
    if (own !== undefined) return own
    return by === SYSTEM ? this.on.application : { ...this.on.application, 'x-mitter-sudo-user-id': this.id(by) }
  }

  async call<T = any> (by: string, method: Call['method'], path: string, body?: unknown): Promise<Answer<T>> {
    const response = await request(this.on.url + path, {
      method,
      dispatcher: this.#agent,
      headers: { ...this.headers(by), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.body.text()
    const parsed = text === '' ? undefined : JSON.parse(text)
    const reason = response.statusCode < 400 ? undefined : parsed?.reason
    return { said: [response.statusCode, reason].filter(Boolean).join(' '), status: response.statusCode, headers: response.headers, body: parsed }
  }

  /** Takes a step. Of a stream only the status and reason are had; `open` keeps it. */
  async take (step: Step): Promise<Answer> {
    const { method, path, body } = callOf(step, name => this.id(name))
    return step.do === 'stream' ? await this.#knock(step.by, path) : await this.call(step.by, method, path, body)
  }

  /** Opens a stream as far as its answer. */
  async #knock (by: string, path: string): Promise<Answer> {
    const reader = await openReader(this.on.url + path, this.headers(by))
    if (reader.status !== 200) await reader.ended
    reader.close()
    const body = reader.status === 200 ? undefined : JSON.parse(reader.raw())
    return { said: [reader.status, body?.reason].filter(Boolean).join(' '), status: reader.status, headers: {}, body }
  }

  /** A stream of a channel, of all of one's channels (`me`), or of everything (`all`), from its answer on. */
  async open (by: string, what: string, lastEventId?: string): Promise<Reader> {
    const path = what === 'all' ? '/v1/events' : what === 'me' ? '/v1/users/me/events' : `/v1/channels/${this.id(what)}/events`
    return await openReader(this.on.url + path, { ...this.headers(by), ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) })
  }

  /** Everybody in a channel, as `name status role`; undefined where there is no channel. */
  async members (channel: string): Promise<string[] | undefined> {
    const { status, body } = await this.call(SYSTEM, 'GET', `/v1/channels/${this.id(channel)}/participants?relayStatus=active,pending,muted,disabled`)
    return status === 200 ? body.map((one: any) => this.member(one)).sort() : undefined
  }

  member ({ participantId, relayStatus, roles }: any): string {
    return [this.name(participantId.identifier), relayStatus, ...roles].join(' ')
  }

  /** A frame in a line, as the model writes its history. */
  gist (frame: Frame): string {
    return frameGist(frame, id => this.name(id))
  }

  /** Whether a frame tells of a channel of this world: the stream of everything carries others too. */
  owns ({ json }: Frame): boolean {
    const channel = json.channel ?? json.channelId
    return channel !== undefined && this.name(channel.identifier) !== channel.identifier
  }

  /** The entries of this world that a stream has carried so far, a line each. */
  gists ({ frames }: Pick<Reader, 'frames'>): string[] {
    return frames.filter(frame => isEntry(frame) && this.owns(frame)).map(frame => this.gist(frame))
  }
}
