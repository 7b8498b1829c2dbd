/**
 * A run: publishers, readers, and people who come and go, on all nodes of a cluster at once, while it is disturbed; and
 * the history of it.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { randomFrom, until } from '../durability/conversation.ts'
import { openReader } from '../support/sse.ts'
import { Callers, type Counts } from './calls.ts'
import { check } from './check.ts'
import type { Cluster } from './cluster.ts'
import { Follower, toldOf, type FollowOptions } from './follower.ts'
import type { Change, History, List, Send } from './history.ts'

export interface Plan {
  seed: number
  /** That are sent at least; more where the disturbances take longer. */
  messages: number
  /** Of which each has one message under way, to one channel or another. 12 unless given. */
  publishers?: number
  /** 20 unless given. */
  channels?: number
  /** What a publisher waits after each message, in milliseconds, about. */
  paceMs?: number
  /** People who join, are muted, leave, and send all the while. */
  walkers?: number
  /** How long a reader stays on one node of its own will, in milliseconds, about. */
  staysMs?: number
  /** A standby that lacks commits may take over. */
  lossy?: boolean
}

/** Disturbs a run: does what it has to, and goes on with it until `run.enough`. */
export type Disturbance = (run: Run) => Promise<void>

export interface Result {
  history: History
  counts: Counts
  /** How long messages were sent for, in milliseconds. */
  tookMs: number
}

export class Run {
  readonly callers: Callers
  readonly cluster: Cluster
  readonly plan: Required<Omit<Plan, 'staysMs'>> & Pick<Plan, 'staysMs'>
  readonly history: History
  /** What was done to the cluster, in order, each with its time in milliseconds. */
  readonly disturbed: string[] = []
  readonly #random: () => number
  readonly #tokens = new Map<string, string>()
  readonly #followers: Follower[] = []
  readonly #began = performance.now()
  #acknowledged = 0
  /** It has come to its end, or failed: nothing more is asked. */
  over = false

  constructor (cluster: Cluster, plan: Plan) {
    this.plan = { publishers: 12, channels: 20, paceMs: 0, walkers: 0, lossy: false, ...plan }
    this.cluster = cluster
    this.#random = randomFrom(plan.seed)
    this.callers = new Callers(cluster, randomFrom(plan.seed + 1))
    this.history = { sends: [], changes: [], streams: [], logs: [], lists: [], lossy: this.plan.lossy }
  }

  /** All messages that were to be sent are. */
  get enough (): boolean {
    return this.#acknowledged >= this.plan.messages
  }

  note (what: string): void {
    this.disturbed.push(`${Math.round(performance.now() - this.#began)} ${what}`)
  }

  async send (user: string, channel: string, text: string, node?: number): Promise<Send> {
    const { asked, answer } = await this.callers.askUntilAnswered({
      token: this.#tokens.get(user), method: 'POST', path: `/v1/channels/${channel}/messages`, body: { textPayload: text }, node
    })
    const send: Send = { ...asked, user, channel, text }
    if (answer?.status === 200) {
      this.#acknowledged++
      Object.assign(send, { cursor: answer.body.relay.cursor, message: answer.body.messageId })
    } else if (answer !== undefined) send.reason = answer.body.reason ?? answer.body.message
    this.history.sends.push(send)
    return send
  }

  async change (user: string, channel: string, to: Change['to'], node?: number): Promise<void> {
    const path = `/v1/channels/${channel}/participants`
    const now = this.history.changes.findLast(change => change.user === user && change.channel === channel)?.to ?? 'out'
    const request = to === 'out'
      ? { token: this.#tokens.get(user), method: 'DELETE', path: `${path}/me` }
      : now === 'out'
        ? { token: this.#tokens.get(user), method: 'POST', path, body: { participantId: user } }
        : { method: 'PATCH', path: `${path}/${user}`, body: { newStatus: to === 'muted' ? 'ReadOnly' : 'Active' } }
    const { asked, answer } = await this.callers.askUntilAnswered({ ...request, node })
    if (answer === undefined || answer.status > 299) throw new Error(`${user} in ${channel} could not become ${to}: ${answer?.status} ${JSON.stringify(answer?.body)}`)
    this.history.changes.push({ ...asked, user, channel, to })
  }

  async addUser (user: string): Promise<void> {
    await this.callers.make('POST', '/v1/users', { userId: user })
    const { userToken } = await this.callers.make('POST', `/v1/users/${user}/tokens`)
    this.#tokens.set(user, userToken.signedToken)
  }

  follow (options: Omit<FollowOptions, 'token' | 'random' | 'staysMs'>): void {
    const { user } = options
    this.#followers.push(new Follower(this.callers, {
      ...options, staysMs: this.plan.staysMs, random: this.#random, token: user === undefined ? undefined : this.#tokens.get(user)
    }))
  }

  async #prepare (): Promise<{ users: string[], walkers: string[], channels: string[] }> {
    const named = (name: string, count: number) => Array.from({ length: count }, (_, index) => `${name}-${index}`)
    const [users, walkers, channels] = [named('publisher', this.plan.publishers), named('walker', this.plan.walkers), named('channel', this.plan.channels)]
    await Promise.all([
      ...[...users, ...walkers].map(user => this.addUser(user)),
      ...channels.map(channelId => this.callers.make('POST', '/v1/channels', { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', groupType: 'public' }))
    ])
    await Promise.all(users.map(async user => { for (const channel of channels) await this.change(user, channel, 'active') }))
    return { users, walkers, channels }
  }

  /** One of the application for each node, one of each channel, and one of each person; half in one form, half in the other. */
  async #followAll (users: string[], channels: string[]): Promise<void> {
    const form = (index: number) => index % 2 === 0 ? '?format=compact' : ''
    for (const { index } of this.cluster.nodes) this.follow({ name: `application ${index}`, path: `/v1/events${form(index)}` })
    for (const [index, channel] of channels.entries()) this.follow({ name: channel, channel, path: `/v1/channels/${channel}/events${form(index)}` })
    for (const [index, user] of users.entries()) this.follow({ name: user, user, path: `/v1/users/me/events${form(index)}` })
    await until('every reader is live', () => this.#followers.every(({ live }) => live))
  }

  async carryOut (disturbances: Disturbance[]): Promise<Result> {
    const { users, walkers, channels } = await this.#prepare()
    try {
      await this.#followAll([...users, ...walkers], channels)
      const began = performance.now()
      let undisturbed = false
      const goesOn = () => !this.over && !(undisturbed && this.enough)
      const disturbing = Promise.all(disturbances.map(disturb => disturb(this))).finally(() => { undisturbed = true })
      await Promise.all([
        disturbing,
        ...users.map(user => this.#publish(user, channels, goesOn)),
        ...walkers.map((user, index) => this.#walk(user, channels[index % channels.length]!, goesOn))
      ])
      const tookMs = performance.now() - began
      await this.#settle(users[0]!, channels)
      return { history: this.history, counts: this.callers.counts, tookMs }
    } finally {
      this.over = true
      await Promise.all(this.#followers.map(follower => follower.stop()))
      this.history.streams = this.#followers.map(({ stream }) => stream)
    }
  }

  async #publish (user: string, channels: string[], goesOn: () => boolean): Promise<void> {
    for (let count = 0; goesOn(); count++) {
      const channel = channels[Math.floor(this.#random() * channels.length)]!
      await this.send(user, channel, `${user}/${count}`)
      if (this.plan.paceMs > 0) await delay(this.plan.paceMs * 2 * this.#random())
    }
  }

  /** Each step on another node than the one before: what it did there holds here. */
  async #walk (user: string, channel: string, goesOn: () => boolean): Promise<void> {
    const [one, other] = [this.callers.anyNode(), this.callers.anyNode()]
    for (let round = 0; goesOn(); round++) {
      for (const to of ['active', 'muted', 'active', 'out'] as const) {
        await this.change(user, channel, to, one)
        await this.send(user, channel, `${user}/${round} when ${to} ${this.history.changes.length}`, other)
        await delay(20 * this.#random())
      }
    }
  }

  /** All is told, and all is read. */
  async #settle (user: string, channels: string[]): Promise<void> {
    await until('every node can be written to', async () => {
      const answers = await Promise.all(this.cluster.nodes.map(({ index }) => this.callers.ask({ method: 'GET', path: '/health/ready', node: index })))
      return answers.every(answer => answer?.status === 200)
    }, 30_000)
    for (const channel of channels) await this.send(user, channel, `the last of ${channel}`)
    const ends = (follower: Follower): boolean => {
      const { user: who, channel } = follower.stream
      const awaited = channel !== undefined ? [channel] : who?.startsWith('walker') === true ? [] : channels
      return awaited.every(one => follower.has(`the last of ${one}`))
    }
    // Whoever is not told in time has missed something, and the checker says what.
    await until('every reader is told of the end', () => this.#followers.every(ends), 30_000).catch(() => {})
    await Promise.all(this.#followers.map(follower => follower.stop()))
    for (const { index } of this.cluster.nodes) {
      this.history.logs.push({ node: index, told: await this.#readLog(index) })
      for (const channel of channels) this.history.lists.push(await this.#list(index, channel))
    }
  }

  async #readLog (node: number) {
    const reader = await openReader(`${this.cluster.nodes[node]!.url}/v1/events?after=earliest&format=compact`, { authorization: this.cluster.authorization })
    await reader.until('caught-up')
    reader.close()
    return reader.frames.map(toldOf)
  }

  async #list (node: number, channel: string): Promise<List> {
    const newestFirst: List['messages'] = []
    for (let before = ''; ;) {
      const answer = await this.callers.ask({ method: 'GET', path: `/v1/channels/${channel}/messages?limit=200${before}`, node })
      if (answer?.status !== 200) throw new Error(`a list was answered ${answer?.status} ${JSON.stringify(answer?.body)}`)
      newestFirst.push(...answer.body.map(({ messageId, textPayload }: { messageId: string, textPayload: string }) => ({ id: messageId, text: textPayload })))
      if (answer.body.length < 200) return { node, channel, messages: newestFirst.reverse() }
      before = `&before=${newestFirst.at(-1)!.id}`
    }
  }
}

/** Carries a plan out, and expects that every promise was kept. What fails says how to have it again. */
export async function keepsItsPromises (cluster: Cluster, plan: Plan, disturbances: Disturbance[] = []): Promise<Result> {
  const run = new Run(cluster, plan)
  const again = () => `SEED=${plan.seed}, disturbed at (ms):\n${run.disturbed.join('\n')}\n${cluster.output}`
  const result = await run.carryOut(disturbances).catch((err: Error) => { throw new Error(`${err.message}\n${again()}`, { cause: err }) })
  const wrong = check(result.history)
  expect(wrong.slice(0, 10), `${wrong.length} promises were broken; ${again()}`).toEqual([])
  return result
}
