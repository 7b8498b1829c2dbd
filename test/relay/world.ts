/** People and channels of one test, over HTTP: names stand for ids of its own, connections are kept open. */
import { Agent, request } from 'undici'
import type { TestApp } from '../support/app.ts'
import { openReader, type Frame, type Reader } from '../support/sse.ts'
import { participationGist } from './history.ts'
import { SYSTEM, type Listed, type Step } from './steps.ts'

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

  headers (by: string): Record<string, string> {
    return by === SYSTEM ? this.on.application : { ...this.on.application, 'x-mitter-sudo-user-id': this.id(by) }
  }

  async call<T = any> (by: string, method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer<T>> {
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
    const channel = `/v1/channels/${this.id(step.channel)}`
    const participant = `${channel}/participants/${'user' in step ? this.id(step.user) : ''}`
    switch (step.do) {
      case 'create': return await this.call(step.by, 'POST', '/v1/channels', {
        channelId: this.id(step.channel),
        defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat',
        groupType: step.group,
        participation: (step.listed ?? []).map(listed => this.#participation(listed))
      })
      case 'join': return await this.call(step.by, 'POST', `${channel}/participants`, { participantId: this.id(step.by) })
      case 'add': return await this.call(step.by, 'POST', `${channel}/participants`, { participantId: this.id(step.user), participationStatus: step.status })
      case 'leave': return await this.call(step.by, 'DELETE', `${channel}/participants/${step.by === SYSTEM ? SYSTEM : 'me'}`)
      case 'remove': return await this.call(step.by, 'DELETE', participant)
      case 'set status': return await this.call(step.by, 'PATCH', participant, { newStatus: step.status })
      case 'set roles': return await this.call(step.by, 'PATCH', participant, { roles: step.admin ? ['admin'] : [] })
      case 'send': return await this.call(step.by, 'POST', `${channel}/messages`, { textPayload: step.text })
      case 'delete': return await this.call(step.by, 'DELETE', channel)
      case 'get channel': return await this.call(step.by, 'GET', channel)
      case 'list participants': return await this.call(step.by, 'GET', `${channel}/participants`)
      case 'list messages': return await this.call(step.by, 'GET', `${channel}/messages`)
      case 'stream': return await this.#knock(step.by, `${channel}/events`)
      default: return await this.call(step.by, 'POST', `${participant}/${step.do}`)
    }
  }

  #participation ({ user, status, admin }: Listed): object {
    return { participantId: this.id(user), ...(status && { participationStatus: status }), ...(admin === true && { roles: ['admin'] }) }
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
  gist ({ event, json }: Frame): string {
    const channel = this.name((json.channel ?? json.channelId).identifier)
    const user = json.participantId && this.name(json.participantId.identifier)
    switch (event) {
      case 'message': return `message ${channel} ${this.name(json.message.senderId.identifier)} ${json.message.textPayload}`
      case 'participation': return participationGist(channel, user, json.newStatus, json.oldStatus, json.relayStatus, json.roles.includes('admin'))
      case 'participation-deleted': return `participation-deleted ${channel} ${user}`
      default: return `${event} ${channel}`
    }
  }
}
