/** Runs a program with access control lists against the service and the model, and compares: answers, lists, every stream, and every replay. */
import { expect } from 'vitest'
import type { Reader } from '../../model/history.ts'
import { NOBODY } from '../../model/model.ts'
import { playerOf, type Subscribe } from '../../model/lines.ts'
import { Replays } from '../../model/replays.ts'
import type { Stage } from '../../model/run.ts'
import { memberLine } from '../../model/state.ts'
import { Tail } from '../../model/tail.ts'
import { Watching } from '../../model/watching.ts'
import { SYSTEM } from '../../relay/steps.ts'
import { errorCodes } from '../../relay/tables.ts'
import { World, type Answer } from '../../relay/world.ts'
import { compareAnswer } from './answers.ts'
import { compareEverywhere } from './everywhere.ts'
import { law } from './law.ts'
import { channels, stepOf, users, type Line } from './lines.ts'
import { take } from './model.ts'
import { agreesWith, type Expected } from './refusals.ts'
import { newState, type State } from './state.ts'
import { callOfListed, type Step } from './steps.ts'

/** Whoever calls with a token; for the others the application calls in their name. */
const withTokens = users.filter((_, index) => index % 2 === 0)

/** @param thorough replays begin at each cursor, not at some */
export async function runProgram (stage: Stage, program: Line[], thorough = true): Promise<void> {
  const world = new World(stage.on, stage.agent)
  const tail = new Tail(stage.cursors, id => world.name(id) !== id)
  try {
    await new Run(stage, world, tail).run(program, thorough)
  } finally {
    tail.stop()
  }
}

class Run {
  readonly #stage: Stage
  readonly #world: World
  readonly #tail: Tail
  readonly #state: State = newState()
  readonly #watching: Watching
  /** What the last GET answered as the place of what it read. */
  #lastRead: string | undefined
  #texts = 0

  constructor (stage: Stage, world: World, tail: Tail) {
    this.#stage = stage
    this.#world = world
    this.#tail = tail
    this.#watching = new Watching(world, this.#state, tail, law)
  }

  async run (program: Line[], thorough: boolean): Promise<void> {
    // One after the other: of members who came at once, whoever was made first succeeds the last admin.
    for (const user of users) await this.#world.people(user)
    for (const name of withTokens) this.#world.authorize(name, await this.#stage.on.user(this.#world.id(name)))
    const { cursor } = await this.#stage.on.store.head()
    const replays = new Replays(this.#stage.on.store, this.#world, this.#state, this.#tail, cursor, users, law)
    try {
      for (const line of program) await this.#line(line)
      await this.#ring()
      await this.#watching.compareAll()
      await compareEverywhere(this.#world, this.#state, channels, users)
      await replays.everywhere(thorough ? 1 : 8)
    } finally {
      await this.#watching.stop()
    }
  }

  async #line (line: Line): Promise<void> {
    if (line.do === 'nothing') return
    if (line.do === 'subscribe') return await this.#subscribe(line)
    if (line.do === 'cut') return await this.#watching.cut(this.#watching.open.at(-1 - line.nth))
    await this.#step(stepOf(line, this.#state))
  }

  async #step (asked: Step): Promise<void> {
    if (this.#isUndecided(asked)) return
    const step = asked.do === 'send' || asked.do === 'edit' ? { ...asked, text: `text ${this.#texts++}` } : asked
    this.#watching.notice()
    const before = step.do === 'set status' || step.do === 'set roles' ? this.#memberOf(step) : undefined
    const expected = this.#answerOf(step.by, take(this.#state, step))
    const answer = await this.#take(step)
    const what = `${JSON.stringify(step)} by the model: ${expected}`
    if (!agreesWith(expected, answer)) expect(`${answer.said} ${JSON.stringify(answer.body)}`, what).toBe(expected)
    // Its channels are left a moment after the answer, where it is in many.
    if (step.do === 'delete user') await this.#stage.on.store.settle()
    expect(this.#tail.places.length, `entries after ${what}`).toBe(this.#state.history.length)
    if (answer.status >= 400) return await this.#checkRefusal(step, answer, what)
    this.#lastRead = answer.headers['x-event-cursor'] as string | undefined ?? this.#lastRead
    compareAnswer(this.#world, this.#state, step, answer, before)
  }

  async #take (step: Step): Promise<Answer> {
    if (step.do === 'stream') return await this.#world.take(step)
    const { method, path, body } = callOfListed(step, name => this.#world.id(name))
    return await this.#world.call(step.by, method, path, body)
  }

  /** The contract does not say whether the status of a deleted user can be changed in a channel that it cannot leave. */
  #isUndecided (step: Step): boolean {
    return 'user' in step && 'channel' in step && this.#state.deleted.has(step.user) && this.#state.channels.get(step.channel)?.direct === true
  }

  #memberOf ({ channel, user }: { channel: string, user: string }): string | undefined {
    const living = this.#state.channels.get(channel)
    return living && memberLine(this.#state, living, user)
  }

  #answerOf (by: string, expected: Expected): Expected {
    if (expected !== NOBODY) return expected
    return this.#world.isAuthorized(by) ? '401 ?' : '404 ?'
  }

  /** A message that one may not read is refused in the words in which one is that does not exist. */
  async #checkRefusal (step: Step, { said, body }: Answer, what: string): Promise<void> {
    const code = errorCodes[said]
    if (code !== undefined) expect(body, what).toMatchObject({ errorCode: code, error_code: code })
    if (step.do !== 'get message' || this.#state.deleted.has(step.by)) return
    const none = await this.#world.take({ do: 'get message', by: step.by, message: 'never-sent' })
    const wordsOf = ({ instanceId, timestamp, ...words }: any, message: string) => JSON.stringify(words).replaceAll(this.#world.id(message), 'it')
    expect(wordsOf(body, step.message), `${what}, as of one that does not exist`).toBe(wordsOf(none.body, 'never-sent'))
  }

  async #subscribe ({ by: asked, what, from, wait }: Subscribe): Promise<void> {
    this.#watching.notice()
    const by = playerOf(asked, what, this.#state)
    const channel = this.#state.channels.get(what)
    if (channels.includes(what)) {
      const expected = take(this.#state, { do: 'stream', by, channel: what })
      if (expected !== '200') return await this.#step({ do: 'stream', by, channel: what })
    }
    if (this.#state.deleted.has(by)) {
      const stream = await this.#world.open(by, what)
      return expect(stream.status, `${by} ${what}`).toBe(Number(this.#answerOf(by, NOBODY).split(' ')[0]))
    }
    const reader: Reader = what === 'all'
      ? { of: 'application' }
      : channel === undefined ? { of: 'user', user: by } : { of: 'channel', channel, ...(by === SYSTEM ? {} : { user: by }) }
    const cursor = from === 'cut' ? this.#watching.cutOf(`${by} ${what}`)?.cursor : from === 'read' ? this.#lastRead : undefined
    await this.#watching.subscribe(reader, by, what, cursor, wait)
  }

  /** Something happens that each open stream must carry, or have ended before. */
  async #ring (): Promise<void> {
    const living = users.filter(user => !this.#state.deleted.has(user))
    await this.#step({ do: 'create', by: SYSTEM, channel: 'bell', group: 'public', listed: living.map(user => ({ user })) })
    for (const channel of [...this.#state.channels.values()]) {
      const rings = this.#watching.open.some(({ reader }) => reader.of === 'channel' && reader.channel === channel)
      if (rings) await this.#step({ do: 'send', by: SYSTEM, channel: channel.name, text: '', message: `bell-in-${channel.name}` })
    }
  }
}
