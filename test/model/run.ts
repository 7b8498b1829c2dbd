/** Runs a program against the service and the model, and compares: answers, lists, every stream, and every replay. */
import type { Agent } from 'undici'
import { expect } from 'vitest'
import { SYSTEM, type On, type Step } from '../relay/steps.ts'
import { agrees, errorCodes } from '../relay/tables.ts'
import { World, type Answer } from '../relay/world.ts'
import type { TestApp } from '../support/app.ts'
import { compareAnswer, compareChannels } from './answers.ts'
import type { Reader } from './history.ts'
import { NOBODY, take } from './model.ts'
import { playerOf, channels, stepOf, users, type Line, type Subscribe } from './lines.ts'
import { Replays } from './replays.ts'
import { memberLine, newState, type State } from './state.ts'
import { Tail, type Cursors } from './tail.ts'
import { Watching } from './watching.ts'

/** A service, and what all programs that run in it share. */
export interface Stage {
  on: TestApp
  agent: Agent
  cursors: Cursors
}

/** Whoever calls with a token; for the others the application calls in their name. */
const withTokens = users.filter((_, index) => index % 2 === 0)

/** A program that was run: to be gone on with, on the same store or on another that has all of it. */
export interface Played {
  world: World
  state: State
  tail: Tail
  /** The log's head before it. */
  start: string
}

export async function runProgram (stage: Stage, program: Line[]): Promise<void> {
  const played = await beginProgram(stage)
  try {
    await goOn(stage, played, program)
  } finally {
    played.tail.stop()
  }
}

/** Its people, before anything happens. */
export async function beginProgram ({ on, agent, cursors }: Stage): Promise<Played> {
  const world = new World(on, agent)
  const tail = new Tail(cursors, id => world.name(id) !== id)
  // One after the other: of members who came at once, whoever was made first succeeds the last admin.
  for (const user of users) await world.people(user)
  for (const name of withTokens) world.authorize(name, await on.user(world.id(name)))
  const { cursor } = await on.store.head()
  return { world, state: newState(), tail, start: cursor }
}

/** Whatever is to happen, and then everything that there is, compared with the model. */
export async function goOn (stage: Stage, played: Played, program: Line[]): Promise<void> {
  await new Run(stage, played).run(program)
}

class Run {
  readonly #stage: Stage
  readonly #world: World
  readonly #tail: Tail
  readonly #state: State
  readonly #start: string
  readonly #watching: Watching
  /** What the last GET answered as the place of what it read. */
  #lastRead: string | undefined
  #texts: number

  constructor (stage: Stage, { world, state, tail, start }: Played) {
    this.#stage = stage
    this.#world = world
    this.#tail = tail
    this.#state = state
    this.#start = start
    this.#texts = 1_000 * state.history.length // others than before
    this.#watching = new Watching(world, state, tail)
  }

  async run (program: Line[]): Promise<void> {
    const replays = new Replays(this.#stage.on.store, this.#world, this.#state, this.#tail, this.#start, users)
    try {
      for (const [nth, line] of program.entries()) {
        await this.#line(line)
        await this.#replayOne(replays, nth)
      }
      await this.#ring()
      await this.#watching.compareAll()
      await compareChannels(this.#world, this.#state, channels)
      await replays.everywhere()
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
    const answer = await this.#world.take(step)
    const what = `${JSON.stringify(step)} by the model: ${expected}`
    if (!agrees(expected, answer.said)) expect(answer.said, what).toBe(expected)
    // Its channels are left a moment after the answer, where it is in many.
    if (step.do === 'delete user') await this.#stage.on.store.settle()
    expect(this.#tail.places.length, `entries after ${what}`).toBe(this.#state.history.length)
    if (answer.status >= 400) return await this.#checkRefusal(step, answer, what)
    this.#lastRead = answer.headers['x-event-cursor'] as string | undefined ?? this.#lastRead
    compareAnswer(this.#world, this.#state, step, answer, before)
  }

  /** The contract does not say whether the status of a deleted user can be changed in a channel that it cannot leave. */
  #isUndecided (step: Step): boolean {
    return 'user' in step && 'channel' in step && this.#state.deleted.has(step.user) && this.#state.channels.get(step.channel)?.direct === true
  }

  #memberOf ({ channel, user }: On<'set status' | 'set roles'>): string | undefined {
    const living = this.#state.channels.get(channel)
    return living && memberLine(this.#state, living, user)
  }

  #answerOf (by: string, expected: string): string {
    if (expected !== NOBODY) return expected
    return this.#world.isAuthorized(by) ? '401 ?' : '404 ?'
  }

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

  /** A replay that is at any place while things happen goes on by what is now: one reader at two places each time will do. */
  async #replayOne (replays: Replays, nth: number): Promise<void> {
    const readers = replays.readers()
    const reader = readers[nth % readers.length]!
    const happened = this.#state.history.length
    await Promise.all([replays.from(reader, 0, 1 + nth % 4), replays.from(reader, Math.floor(happened / 2), 2)])
  }

  /** Something happens that each open stream must carry, or have ended before. */
  async #ring (): Promise<void> {
    const living = users.filter(user => !this.#state.deleted.has(user))
    const bell = `bell-${this.#state.history.length}`
    await this.#step({ do: 'create', by: SYSTEM, channel: bell, group: 'public', listed: living.map(user => ({ user })) })
    for (const channel of [...this.#state.channels.values()]) {
      const rings = this.#watching.open.some(({ reader }) => reader.of === 'channel' && reader.channel === channel)
      if (rings) await this.#step({ do: 'send', by: SYSTEM, channel: channel.name, text: '', message: `${bell}-in-${channel.name}` })
    }
  }
}
