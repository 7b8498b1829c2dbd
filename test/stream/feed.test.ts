/** How a node follows the log, whatever it is told of it: hints may be late, lost or doubled, and reads may fail. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Feed } from '../../src/relay/feed.ts'
import { Ring } from '../../src/relay/ring.ts'
import type { Entry, Log, Place, Position, Tail } from '../../src/store/contract/log.ts'

const placeOf = (position: Position): Place => ({ position, cursor: `cursor-${position}` })
const entryAt = (position: Position): Entry => ({ ...placeOf(position), kind: 'message', channelKey: 1, payload: `{"n":${position}}` })
const entriesOf = (from: Position, to: Position): Entry[] => Array.from({ length: to - from + 1 }, (_, index) => entryAt(from + index))

/** A log that is written by hand, and tells of it what it is told to. */
class ScriptedLog implements Pick<Log, 'head' | 'tail' | 'onCommitted'> {
  /** Positions up to here are there. */
  written: Position
  /** Positions up to here have gone. */
  floor: Position = 0
  failures = 0
  reads = 0
  /** Entries that one read brings at most. */
  page = 500
  tell: (entries: Entry[]) => void = () => {}
  /** Runs after what a read answers was read, and before its answer arrives. */
  meanwhile: () => void = () => {}

  constructor (written: Position) {
    this.written = written
  }

  async head (): Promise<Place> {
    const head = placeOf(this.written)
    await this.#pass()
    return head
  }

  async tail (after: Position, limit: number): Promise<Tail> {
    this.reads++
    if (this.failures-- > 0) throw new Error('the store is away')
    const head = placeOf(this.written)
    const answer: Tail = after < this.floor
      ? { entries: [], head, gap: true }
      : { entries: entriesOf(after + 1, Math.min(this.written, after + Math.min(limit, this.page))), head }
    await this.#pass()
    return answer
  }

  async #pass (): Promise<void> {
    await Promise.resolve()
    const { meanwhile } = this
    this.meanwhile = () => {}
    meanwhile()
  }

  onCommitted (listener: (entries: Entry[]) => void): () => void {
    this.tell = listener
    return () => { this.tell = () => {} }
  }

  /** Another node's, which it only hears of, or not even that. */
  writeElsewhere (count: number, { hint = true } = {}): void {
    this.written += count
    if (hint) this.tell([])
  }

  /** This node's own. */
  write (count: number): Entry[] {
    const entries = entriesOf(this.written + 1, this.written + count)
    this.written += count
    this.tell(entries)
    return entries
  }
}

let log: ScriptedLog
let feed: Feed
let seen: Array<Position | 'gap'>

async function start (): Promise<Feed> {
  return await Feed.start(log, {
    onEntries: entries => seen.push(...entries.map(({ position }) => position)),
    onGap: () => seen.push('gap')
  }, pino({ level: 'silent' }))
}

beforeEach(async () => {
  seen = []
  log = new ScriptedLog(10)
  feed = await start()
})
afterEach(() => feed.stop())

const positions = (from: Position, to: Position): Position[] => entriesOf(from, to).map(({ position }) => position)

describe('the feed', () => {
  it('hands over what this node writes in the turn in which it is told, without a read', () => {
    log.write(3)
    expect(seen).toEqual([11, 12, 13])
    expect(feed.head).toEqual(placeOf(13))
    expect(log.reads).toBe(0)
  })

  it('reads what others have written where it is told of that', async () => {
    log.writeElsewhere(3)
    await feed.reached(13)
    expect(seen).toEqual([11, 12, 13])
  })

  it('reads what lies before its own where it was told of nothing, and hands over each once, in order', async () => {
    log.writeElsewhere(2, { hint: false })
    log.write(1)
    await feed.reached(13)
    log.write(1)
    await feed.reached(14)
    expect(seen).toEqual([11, 12, 13, 14])
  })

  it('passes over what comes late or twice', async () => {
    const own = log.write(2)
    log.tell(own)
    log.tell(entriesOf(9, 12))
    expect(seen).toEqual([11, 12])
    log.tell(entriesOf(10, 12))
    log.tell(entriesOf(12, 12))
    expect(log.reads).toBe(0)
    log.written = 14
    log.tell(entriesOf(12, 14)) // the half of it is new
    expect(seen).toEqual([11, 12, 13, 14])
  })

  it('misses nothing of what comes while it reads', async () => {
    log.meanwhile = () => { log.write(2) }
    log.writeElsewhere(1)
    await feed.reached(13)
    log.meanwhile = () => { log.writeElsewhere(1) }
    log.writeElsewhere(1)
    await feed.reached(15)
    expect(seen).toEqual(positions(11, 15))
  })

  it.each(positions(1, 12))('misses nothing of what comes as it ends reading, %i steps after it was asked to', async steps => {
    log.writeElsewhere(1)
    for (let step = 0; step < steps; step++) await Promise.resolve()
    log.write(1)
    await feed.reached(12)
    expect(seen).toEqual([11, 12])
  })

  it('reads what it is waited for, though it was told of nothing', async () => {
    log.writeElsewhere(2, { hint: false })
    await feed.reached(12)
    expect(seen).toEqual([11, 12])
  })

  it('looks now and then, where a hint was lost', async () => {
    log.writeElsewhere(2, { hint: false })
    await vi.waitFor(() => expect(seen).toEqual([11, 12]), { timeout: 5_000 })
  })

  it('misses nothing of what comes while it starts', async () => {
    feed.stop()
    log.meanwhile = () => { log.write(2) }
    feed = await start()
    await feed.reached(12)
    expect(seen).toEqual([11, 12])
  })

  it('reads on until nothing is missing, in pages', async () => {
    log.page = 7
    log.writeElsewhere(50)
    await feed.reached(60)
    expect(seen).toEqual(positions(11, 60))
  })

  it('tries again where a read fails, and loses nothing', async () => {
    log.failures = 2
    log.writeElsewhere(2)
    log.write(1)
    await feed.reached(13)
    expect(seen).toEqual([11, 12, 13])
  })

  it('says so where the log does not go back to where it was, and goes on from its head', async () => {
    log.floor = 30
    log.writeElsewhere(40)
    await feed.reached(50)
    log.write(1)
    await feed.reached(51)
    expect(seen).toEqual(['gap', 51])
    expect(feed.since(40), 'what lies before the gap').toBeUndefined()
  })

  it('keeps what is recent for those who come to the end of their replay', () => {
    log.write(5)
    expect(feed.since(15)).toEqual([])
    expect(feed.since(99), 'ahead of this node').toEqual([])
    expect(feed.since(12)!.map(({ position }) => position)).toEqual([13, 14, 15])
    expect(feed.since(10)!.map(({ position }) => position)).toEqual(positions(11, 15))
    expect(feed.since(9), 'from before its start').toBeUndefined()
  })

  it('lets nobody wait for ever, once it stops', async () => {
    const waiting = feed.reached(99)
    feed.stop()
    await waiting
    await feed.reached(100)
  })

  it('does nothing any more once it has stopped, not with what was on its way either', async () => {
    log.meanwhile = () => feed.stop()
    log.writeElsewhere(1)
    await new Promise(resolve => { setImmediate(resolve) })
    expect(seen).toEqual([])
  })
})

describe('the ring', () => {
  it('keeps so many entries, and no more', () => {
    const ring = new Ring(4, 1_000)
    for (let position = 1; position <= 11; position++) ring.push([entryAt(position)])
    expect(ring.since(7)!.map(({ position }) => position)).toEqual([8, 9, 10, 11])
    expect(ring.since(6)).toBeUndefined()
    expect(ring.since(11)).toEqual([])
    ring.push(entriesOf(12, 30))
    expect(ring.since(26)!.map(({ position }) => position)).toEqual([27, 28, 29, 30])
    expect(ring.since(25)).toBeUndefined()
  })

  it('keeps so much text, and no more', () => {
    const ring = new Ring(100, 20) // each has 7 or 8 characters
    ring.push(entriesOf(1, 9))
    expect(ring.since(7)!.map(({ position }) => position)).toEqual([8, 9])
    expect(ring.since(6)).toBeUndefined()
    ring.push([{ ...entryAt(10), payload: 'x'.repeat(50) }])
    expect(ring.since(9)).toBeUndefined()
    ring.push([entryAt(11)])
    expect(ring.since(10)!.map(({ position }) => position)).toEqual([11])
  })

  it('counts the members of new channels as what they take', () => {
    const ring = new Ring(100, 10_000)
    const members = Array.from({ length: 50 }, (_, index) => ({ userId: `user-${index}`, status: 'active' as const, admin: false }))
    for (let position = 1; position <= 5; position++) ring.push([{ ...entryAt(position), kind: 'channel', members }])
    expect(ring.since(4)!.map(({ position }) => position)).toEqual([5])
    expect(ring.since(3)).toBeUndefined()
  })

  it('lets go of what it drops at once', async () => {
    setFlagsFromString('--expose-gc')
    const ring = new Ring(100, 1_000)
    const dropped = new WeakRef({ ...entryAt(1), payload: 'x'.repeat(900) })
    ring.push([dropped.deref()!])
    ring.push([{ ...entryAt(2), payload: 'x'.repeat(900) }])
    await new Promise(resolve => { setImmediate(resolve) }) // until then a WeakRef that was looked into holds
    runInNewContext('gc')()
    expect(dropped.deref()).toBeUndefined()
  })

  it('has nothing once it was cleared', () => {
    const ring = new Ring()
    ring.push(entriesOf(1, 3))
    ring.clear()
    expect(ring.since(2)).toBeUndefined()
  })
})
