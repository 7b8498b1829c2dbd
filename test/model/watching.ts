/** The streams of one program: opened, cut, gone on with, and compared with what the history says they carry. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { World } from '../relay/world.ts'
import { isEntry, type Reader as Stream } from '../support/sse.ts'
import type { Law, Reader } from './history.ts'
import { plainLaw } from './law.ts'
import type { State } from './state.ts'
import { compared, expectedOf, type Expected, type Opening, type Told } from './streams.ts'
import type { Tail } from './tail.ts'

/** How long a frame may take on a busy machine before a stream counts as without it, in milliseconds. */
const WAIT_MS = 5_000

interface Open extends Opening {
  /** Who opened what. */
  key: string
  stream: Stream
}

/** Where a stream was cut. */
interface Cut {
  reader: Reader
  cursor: string
}

export class Watching {
  readonly #world: World
  readonly #state: State
  readonly #tail: Tail
  readonly #law: Law
  readonly #cuts = new Map<string, Cut>()
  readonly open: Open[] = []

  constructor (world: World, state: State, tail: Tail, law = plainLaw) {
    this.#world = world
    this.#state = state
    this.#tail = tail
    this.#law = law
  }

  get #moment (): number {
    return this.#state.history.length
  }

  /** Where the last stream of this kind was cut. */
  cutOf (key: string): Cut | undefined {
    return this.#cuts.get(key)
  }

  /**
   * Opens a stream; the service must allow it.
   * @param cursor where it goes on; absent: at the log's head
   * @param wait until it is live
   */
  async subscribe (reader: Reader, by: string, what: string, cursor: string | undefined, wait: boolean): Promise<void> {
    const key = `${by} ${what}`
    const stream = await this.#world.open(by, what, cursor)
    expect(stream.status, key).toBe(200)
    const after = cursor === undefined ? this.#moment : this.#tail.through(cursor)
    // A channel stream's cursor from before the channel was made may be of one that had the same id.
    const gap = cursor !== undefined && reader.of === 'channel' && after <= reader.channel.created
    const from = gap ? this.#moment : after
    this.open.push({ key, reader, stream, from, gap, answered: this.#moment, caughtUp: Infinity })
    if (wait) await within(stream.until('caught-up'), `${key} is not live; it had ${stream.frames.map(({ event }) => event).join(' ')}`)
    this.notice()
  }

  /** To be called before anything happens: streams of which `caught-up` was read are live from here on. */
  notice (): void {
    for (const open of this.open) {
      if (open.caughtUp === Infinity && open.stream.frames.some(({ event }) => event === 'caught-up')) open.caughtUp = this.#moment
    }
  }

  /** Breaks a stream wherever it is. What it had must be all, up to where it can be gone on with. */
  async cut (open: Open | undefined): Promise<void> {
    if (open === undefined) return
    this.open.splice(this.open.indexOf(open), 1)
    const { key, reader, stream } = open
    stream.close()
    const cursor = stream.lastId() ?? undefined
    if (cursor === undefined) return
    this.#cuts.set(key, { reader, cursor })
    this.#compare(open, this.#tail.through(cursor))
  }

  /** Compares all that are open, after something that each of them must carry, or must have ended before. */
  async compareAll (): Promise<void> {
    for (const open of this.open) {
      const expected = this.#expected(open)
      const last = expected.carried.findLast(({ always }) => always)?.index
      const complete = expected.open && last !== undefined
        ? open.stream.until(({ id }) => this.#tail.indexOf(id) === last)
        : open.stream.ended
      // Where it does not come, the comparison shows what did.
      await Promise.race([complete.catch(() => {}), sleep(WAIT_MS, undefined, { ref: false })])
      this.#compare(open)
      this.#compareEnd(open, expected)
    }
  }

  #expected (open: Open, to?: number): Expected {
    return expectedOf(this.#law, { ...open, caughtUp: Math.min(open.caughtUp, this.#moment) }, this.#state.history, to)
  }

  #compare (open: Open, to?: number): void {
    const { key, stream, from, gap } = open
    const { actual, expected } = compared(this.#expected(open, to).carried, this.#told(stream))
    expect(actual, `the stream of ${key} after entry ${from}`).toEqual(expected)
    const gaps = stream.frames.filter(({ event }) => event === 'gap').map(({ json }) => json.reason)
    expect(gaps, `gaps of ${key}`).toEqual(gap ? ['unknown'] : [])
  }

  #told (stream: Stream): Told[] {
    return stream.frames.filter(frame => isEntry(frame) && this.#world.owns(frame))
      .map(frame => ({ index: this.#tail.indexOf(frame.id), gist: this.#law.told(frame, id => this.#world.name(id)) }))
  }

  #compareEnd ({ key, stream }: Open, { ends, open }: Expected): void {
    const last = stream.frames.at(-1)!
    if (last.event === 'bye') expect(ends, `${key} ends with ${last.json.reason}`).toContain(last.json.reason)
    else expect(open, `${key} is open`).toBe(true)
  }

  async stop (): Promise<void> {
    for (const { stream } of this.open) stream.close()
    await Promise.all(this.open.map(({ stream }) => stream.ended))
  }
}

async function within<T> (promise: Promise<T>, otherwise: string): Promise<T> {
  const timer = new AbortController()
  const late = sleep(WAIT_MS, undefined, { signal: timer.signal }).then(() => { throw new Error(`Within ${WAIT_MS} ms: ${otherwise}`) })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}
