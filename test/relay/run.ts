/** Runs a program against the service and the model, and compares: answers, membership, and every stream. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Agent } from 'undici'
import { expect } from 'vitest'
import type { TestApp } from '../support/app.ts'
import { isEntry, type Reader as Stream } from '../support/sse.ts'
import { carriedLater, carriedLive, endsWith, type Reader } from './history.ts'
import { Model } from './model.ts'
import { channels, users, type Line } from './programs.ts'
import { SYSTEM, type Step } from './steps.ts'
import { agrees, errorCodes } from './tables.ts'
import { World, type Answer } from './world.ts'

/** How long a frame may take on a busy machine before a stream counts as without it, in milliseconds. */
const WAIT_MS = 5_000

/** A stream that is open, and what it must have carried so far besides what happens from `from` on. */
interface Open {
  key: string
  reader: Reader
  stream: Stream
  replayed: string[]
  /** Index of the first entry that it gets live. */
  from: number
}

/** Where a stream was cut. */
interface Cut {
  reader: Reader
  cursor: string
  through: number
}

export async function runProgram (on: TestApp, agent: Agent, program: Line[]): Promise<void> {
  await new Run(new World(on, agent)).run(program)
}

class Run {
  readonly #world: World
  readonly #model = new Model()
  readonly #open: Open[] = []
  readonly #cuts = new Map<string, Cut>()
  #texts = 0
  #bells = 0

  constructor (world: World) {
    this.#world = world
  }

  async run (program: Line[]): Promise<void> {
    await this.#world.people(...users)
    try {
      for (const line of program) {
        if (line.do === 'nothing') continue
        if (line.do === 'subscribe') await this.#subscribe(line)
        else if (line.do === 'cut') await this.#cut(this.#open[line.nth])
        else await this.#step(line.do === 'send' ? { ...line, text: `text ${this.#texts++}` } : line)
      }
      await this.#settle(this.#open)
      await this.#compareChannels()
    } finally {
      this.#open.forEach(({ stream }) => stream.close())
      await Promise.all(this.#open.map(({ stream }) => stream.ended))
    }
  }

  async #step (step: Step): Promise<void> {
    const before = this.#memberOf(step)
    const expected = this.#model.step(step)
    const answer = await this.#world.take(step)
    const what = `${JSON.stringify(step)} by the model: ${expected}`
    if (!agrees(expected, answer.said)) expect(answer.said, what).toBe(expected)
    if (answer.status >= 400) return this.#checkRefusal(answer, what)
    if (step.do === 'send') expect(answer.body.relay.recipientsCount, what).toBe(this.#model.recipients(step.channel))
    if (step.do === 'join' || step.do === 'add') {
      const joined = this.#model.member(step.channel, 'user' in step ? step.user : step.by)
      expect(answer.headers['x-relay-status'], what).toBe(joined!.split(' ')[1])
    }
    if (step.do === 'set status' || step.do === 'set roles') {
      const { oldChannelParticipation, newChannelParticipation } = answer.body
      expect([oldChannelParticipation, newChannelParticipation].map(one => this.#world.member(one)), what).toEqual([before, this.#memberOf(step)])
    }
  }

  #checkRefusal ({ said, body }: Answer, what: string): void {
    const code = errorCodes[said]
    if (code !== undefined) expect(body, what).toMatchObject({ errorCode: code, error_code: code })
  }

  #memberOf (step: Step): string | undefined {
    return 'user' in step ? this.#model.member(step.channel, step.user) : undefined
  }

  async #subscribe ({ by, what, resume }: Extract<Line, { do: 'subscribe' }>): Promise<void> {
    if (channels.includes(what)) {
      const expected = this.#model.step({ do: 'stream', by, channel: what })
      if (expected !== '200') return await this.#step({ do: 'stream', by, channel: what })
    }
    const key = `${by} ${what}`
    const reader = this.#reader(by, what)
    const cut = resume ? this.#cuts.get(key) : undefined
    // The cursor of a channel that was deleted and made again gives a gap: said elsewhere.
    const resumed = cut !== undefined && (reader.of !== 'channel' || (cut.reader.of === 'channel' && cut.reader.channel === reader.channel)) ? cut : undefined
    const stream = await this.#world.open(by, what, resumed?.cursor)
    expect(stream.status, key).toBe(200)
    await stream.until('caught-up')
    const missed = resumed === undefined ? [] : this.#model.history.slice(resumed.through).filter(entry => carriedLater(reader, entry))
    this.#open.push({ key, reader, stream, replayed: missed.map(({ gist }) => gist), from: this.#model.history.length })
  }

  #reader (by: string, what: string): Reader {
    if (what === 'all') return { of: 'application' }
    return what === 'me' ? { of: 'user', user: by } : { of: 'channel', user: by, channel: this.#model.living(what)! }
  }

  async #cut (open: Open | undefined): Promise<void> {
    if (open === undefined) return
    const [through] = await this.#settle([open])
    const { key, reader, stream } = open
    this.#open.splice(this.#open.indexOf(open), 1)
    this.#cuts.set(key, { reader, cursor: stream.lastId()!, through: through! })
    stream.close()
    await stream.ended
  }

  /**
   * Compares what streams have carried, after something that each of them must carry, or must have ended before.
   * Answers for each up to which entry it has read: one that was ended goes on from its end.
   */
  async #settle (open: Open[]): Promise<number[]> {
    if (open.length === 0) return []
    await this.#step({ do: 'create', by: SYSTEM, channel: `bell${this.#bells++}`, group: 'public', listed: users.map(user => ({ user })) })
    for (const name of channels) {
      const rings = open.some(({ reader }) => reader.of === 'channel' && reader.channel === this.#model.living(name))
      if (rings) await this.#step({ do: 'send', by: SYSTEM, channel: name, text: `text ${this.#texts++}` })
    }
    const through: number[] = []
    for (const one of open) through.push(await this.#compare(one))
    return through
  }

  async #compare ({ key, reader, stream, replayed, from }: Open): Promise<number> {
    const expected = [...replayed]
    let end: string | undefined
    let through = from
    for (const entry of this.#model.history.slice(from)) {
      through++
      if (!carriedLive(reader, entry)) continue
      expected.push(entry.gist)
      end = endsWith(reader, entry)
      if (end !== undefined) break
    }
    const last = expected.length
    // The last frame that it must have is like no other. Where it does not come, the comparison shows what did.
    const complete = end === undefined ? stream.until(frame => this.#isEntry(frame, expected[last - 1]!)) : stream.ended
    await Promise.race([complete.catch(() => {}), sleep(WAIT_MS, undefined, { ref: false })])
    expect(stream.frames.filter(isEntry).map(frame => this.#of(frame)), `the stream of ${key} from entry ${from}`).toEqual(expected)
    if (end !== undefined) expect(stream.frames.at(-1), key).toMatchObject({ event: 'bye', json: { reason: end } })
    return through
  }

  #of (frame: Stream['frames'][number]): string {
    return this.#world.gist(frame)
  }

  #isEntry (frame: Stream['frames'][number], gist: string): boolean {
    return isEntry(frame) && this.#of(frame) === gist
  }

  async #compareChannels (): Promise<void> {
    for (const name of channels) {
      const channel = this.#model.living(name)
      expect(await this.#world.members(name), `members of ${name}`).toEqual(channel === undefined ? undefined : this.#model.members(name))
      if (channel === undefined) continue
      const { body } = await this.#world.take({ do: 'list messages', by: SYSTEM, channel: name })
      expect(body.map((message: any) => message.textPayload).reverse(), `messages of ${name}`).toEqual(channel.texts)
    }
  }
}
