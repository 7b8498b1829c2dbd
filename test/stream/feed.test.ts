/** How a node follows the log, whatever it is told of it: hints may be late, lost or doubled, and reads may fail. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Feed } from '../../src/relay/feed.ts'
import { Ring } from '../../src/relay/ring.ts'
import type { Entry, Log, Place, Position, Tail } from '../../src/store/contract/log.ts'

/** Of a second history, which has taken the place of the first from some position on: with a mark. */
const placeOf = (position: Position, mark = ''): Place => ({ position, cursor: `cursor-${position}${mark}` })
const entryAt = (position: Position, mark = ''): Entry => ({ ...placeOf(position, mark), kind: 'message', channelKey: 1, payload: `{"n":${position}}` })
const entriesOf = (from: Position, to: Position): Entry[] => Array.from({ length: to - from + 1 }, (_, index) => entryAt(from + index))

/** A log that is written by hand, and tells of it what it is told to. */
class ScriptedLog implements Pick<Log, 'head' | 'tail' | 'onCommitted'> {
  /** Positions up to here are there. */
  written: Position
  /** Positions up to here have gone. */
  floor: Position = 0
  /** Positions beyond are of another history. */
  kept: Position = Infinity
  failures = 0
  reads = 0
  /** Entries that were read. */
  rows = 0
  /** Entries that one read brings at most. */
  page = 500
  tell: (entries: Entry[], upTo?: Position) => void = () => {}
  /** Runs after what a read answers was read, and before its answer arrives. */
  meanwhile: () => void = () => {}

  constructor (written: Position) {
    this.written = written
  }

  place (position: Position): Place {
    return placeOf(position, position > this.kept ? '-anew' : '')
  }

  entries (from: Position, to: Position): Entry[] {
    return Array.from({ length: Math.max(to - from + 1, 0) }, (_, index) => ({ ...entryAt(from + index), ...this.place(from + index) }))
  }

  async head (): Promise<Place> {
    const head = this.place(this.written)
    await this.#pass()
    return head
  }

  async tail (after: Place, limit: number): Promise<Tail> {
    this.reads++
    if (this.failures-- > 0) throw new Error('the store is away')
    const answer = this.#answer(after, limit)
    this.rows += answer.entries.length
    await this.#pass()
    return answer
  }

  #answer (after: Place, limit: number): Tail {
    const head = this.place(this.written)
    if (after.position < this.floor) return { entries: [], head, gap: 'expired' }
    if (after.position > this.written || after.cursor !== this.place(after.position).cursor) return { entries: [], head, gap: 'unknown' }
    return { entries: this.entries(after.position + 1, Math.min(this.written, after.position + Math.min(limit, this.page))), head }
  }

  async #pass (): Promise<void> {
    await Promise.resolve()
    const { meanwhile } = this
    this.meanwhile = () => {}
    meanwhile()
  }

  onCommitted (listener: (entries: Entry[], upTo?: Position) => void): () => void {
    this.tell = listener
    return () => { this.tell = () => {} }
  }

  /** Another node's, which it only hears of, or not even that. */
  writeElsewhere (count: number, { hint = true, upTo = false } = {}): void {
    this.written += count
    if (hint) this.tell([], ...upTo ? [this.written] : [])
  }

  /** This node's own. */
  write (count: number, { tell = true } = {}): Entry[] {
    const [first, ...rest] = this.entries(this.written + 1, this.written + count)
    const entries = [{ ...first!, follows: this.place(this.written).cursor }, ...rest]
    this.written += count
    if (tell) this.tell(entries)
    return entries
  }

  /** The log is replaced by one that goes only so far as this. */
  cutBack (kept: Position): void {
    this.kept = Math.min(this.kept, kept)
    this.written = kept
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

const turn = () => new Promise(resolve => { setImmediate(resolve) })

describe('the feed', () => {
  it('hands over what this node writes in the turn in which it is told, without a read', () => {
    log.write(3)
    expect(seen).toEqual([11, 12, 13])
    expect(feed.head).toEqual(placeOf(13))
    expect(log.reads).toBe(0)
  })

  it('reads what others have written where it is told of that', async () => {
    log.writeElsewhere(3)
    await feed.reached(placeOf(13))
    expect(seen).toEqual([11, 12, 13])
  })

  it('reads what lies before its own where it was told of nothing, and hands over each once, in order', async () => {
    log.writeElsewhere(2, { hint: false })
    log.write(1)
    await feed.reached(placeOf(13))
    log.write(1)
    await feed.reached(placeOf(14))
    expect(seen).toEqual([11, 12, 13, 14])
  })

  it('passes over what comes late or twice', () => {
    const own = log.write(2)
    log.tell(own)
    log.tell(own.slice(1))
    log.tell([], 12)
    log.tell([], 3)
    expect(seen).toEqual([11, 12])
    const half = log.write(2, { tell: false })
    log.tell([own[1]!, ...half])
    expect(seen).toEqual([11, 12, 13, 14])
    expect(log.reads).toBe(0)
  })

  it('misses nothing of what comes while it reads', async () => {
    log.meanwhile = () => { log.write(2) }
    log.writeElsewhere(1)
    await feed.reached(placeOf(13))
    log.meanwhile = () => { log.writeElsewhere(1) }
    log.writeElsewhere(1)
    await feed.reached(placeOf(15))
    expect(seen).toEqual(positions(11, 15))
  })

  it.each(positions(1, 12))('misses nothing of what comes as it ends reading, %i steps after it was asked to', async steps => {
    log.writeElsewhere(1)
    for (let step = 0; step < steps; step++) await Promise.resolve()
    log.write(1)
    await feed.reached(placeOf(12))
    expect(seen).toEqual([11, 12])
  })

  it('reads what it is waited for, though it was told of nothing', async () => {
    log.writeElsewhere(2, { hint: false })
    await feed.reached(placeOf(12))
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
    await feed.reached(placeOf(12))
    expect(seen).toEqual([11, 12])
  })

  it('reads on until nothing is missing, in pages', async () => {
    log.page = 7
    log.writeElsewhere(50)
    await feed.reached(placeOf(60))
    expect(seen).toEqual(positions(11, 60))
  })

  it('tries again where a read fails, and loses nothing', async () => {
    log.failures = 2
    log.writeElsewhere(2)
    log.write(1)
    await feed.reached(placeOf(13))
    expect(seen).toEqual([11, 12, 13])
  })

  it('says so where the log does not go back to where it was, and goes on from its head', async () => {
    log.floor = 30
    log.writeElsewhere(40)
    await feed.reached(placeOf(50))
    log.write(1)
    await feed.reached(placeOf(51))
    expect(seen).toEqual(['gap', 51])
    expect(feed.since(placeOf(40)), 'what lies before the gap').toBeUndefined()
  })

  it('keeps what is recent for those who come to the end of their replay', () => {
    log.write(5)
    expect(feed.since(placeOf(15))).toEqual([])
    expect(feed.since(placeOf(99)), 'ahead of this node').toBeUndefined()
    expect(feed.since(placeOf(13, '-anew')), 'of another log').toBeUndefined()
    expect(feed.since(placeOf(12))!.map(({ position }) => position)).toEqual([13, 14, 15])
    expect(feed.since(placeOf(10))!.map(({ position }) => position)).toEqual(positions(11, 15))
    expect(feed.since(placeOf(9)), 'from before its start').toBeUndefined()
  })

  it('lets nobody wait for ever, once it stops', async () => {
    const waiting = feed.reached(placeOf(99))
    feed.stop()
    await waiting
    await feed.reached(placeOf(100))
  })

  it('does nothing any more once it has stopped, not with what was on its way either', async () => {
    log.meanwhile = () => feed.stop()
    log.writeElsewhere(1)
    await new Promise(resolve => { setImmediate(resolve) })
    expect(seen).toEqual([])
  })
})

describe('a feed beside others that write', () => {
  it('reads what others have written, and not its own', async () => {
    for (let round = 0; round < 5; round++) {
      log.writeElsewhere(2, { hint: false })
      log.write(3)
    }
    await feed.reached(placeOf(35))
    expect(seen).toEqual(positions(11, 35))
    expect(log.rows).toBe(10)
  })

  it('reads as far as it was told that the log goes, once', async () => {
    log.writeElsewhere(3, { upTo: true })
    const own = log.write(4, { tell: false })
    await feed.reached(placeOf(13))
    log.tell(own)
    expect([seen, log.rows, log.reads]).toEqual([positions(11, 17), 3, 1])
  })

  it('reads nothing where it is told of what it has seen', async () => {
    log.write(3)
    log.tell([], 13)
    log.tell([], 11)
    await turn()
    expect(log.reads).toBe(0)
  })

  it('takes its own at once, though it is just looking', async () => {
    log.tell([])
    log.write(2)
    expect(seen).toEqual([11, 12])
    log.meanwhile = () => { log.write(1) }
    log.writeElsewhere(1)
    await feed.reached(placeOf(14))
    expect([seen, log.rows]).toEqual([positions(11, 14), 1])
  })

  it('reads its own where they are more than it keeps aside', async () => {
    log.writeElsewhere(1, { hint: false })
    for (let batch = 0; batch < 20; batch++) log.write(256)
    log.write(3)
    await feed.reached(placeOf(11 + 20 * 256 + 3))
    expect(seen).toEqual(positions(11, 11 + 20 * 256 + 3))
    expect(log.rows).toBeGreaterThan(1)
    expect(log.rows).toBeLessThan(6 * 256)
  })

  it('finds within one look what no hint has told, however much it writes itself', async () => {
    vi.useFakeTimers()
    try {
      feed.stop()
      feed = await start()
      log.write(1)
      log.writeElsewhere(1, { hint: false })
      await vi.advanceTimersByTimeAsync(250)
      expect(seen).toEqual([11, 12])
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a log that was replaced', () => {
  it.each([
    ['ends before what was seen', () => log.cutBack(12), 12],
    ['ends there', () => { log.cutBack(12); log.writeElsewhere(3) }, 15],
    ['goes on beyond that', () => { log.cutBack(12); log.writeElsewhere(9) }, 21],
    ['goes on beyond that with what this node writes', () => { log.cutBack(12); log.write(9) }, 21],
    ['goes on beyond that with what this node writes as if it followed', () => { log.cutBack(12); log.writeElsewhere(3, { hint: false }); log.write(1) }, 16]
  ])('and %s: nothing of it is taken for what follows', async (_what, replace, head) => {
    log.write(5)
    seen = []
    replace()
    await vi.waitFor(() => expect(seen).toEqual(['gap']), { timeout: 5_000 })
    expect(feed.head).toEqual(log.place(head))
    expect([feed.since(placeOf(15)), feed.since(placeOf(14)), feed.reaches(placeOf(13))]).toEqual([undefined, undefined, false])
    log.write(1)
    expect(seen).toEqual(['gap', head + 1])
    expect(feed.since(log.place(head))!.map(({ position }) => position)).toEqual([head + 1])
  })

  it('lets nobody wait for what will never be there', async () => {
    log.write(5)
    const waiting = feed.reached(placeOf(17))
    log.cutBack(12)
    await waiting
    await feed.reached(placeOf(99))
  })

  it('drops what was kept aside of the one before', async () => {
    log.writeElsewhere(1, { hint: false })
    log.meanwhile = () => {
      log.cutBack(10)
      log.writeElsewhere(1, { hint: false })
      log.write(1)
    }
    log.write(3)
    await feed.reached(log.place(12))
    expect(seen.at(-1)).not.toBe(14)
    log.write(1)
    await vi.waitFor(() => expect(feed.head).toEqual(log.place(13)), { timeout: 5_000 })
    expect(seen.at(-1)).toBe(13)
  })
})

describe('the ring', () => {
  it('keeps so many entries, and no more', () => {
    const ring = new Ring(4, 1_000)
    for (let position = 1; position <= 11; position++) ring.push([entryAt(position)], placeOf(position - 1))
    expect(ring.since(placeOf(7))!.map(({ position }) => position)).toEqual([8, 9, 10, 11])
    expect(ring.since(placeOf(6))).toBeUndefined()
    expect(ring.since(placeOf(11))).toEqual([])
    ring.push(entriesOf(12, 30), placeOf(11))
    expect(ring.since(placeOf(26))!.map(({ position }) => position)).toEqual([27, 28, 29, 30])
    expect(ring.since(placeOf(25))).toBeUndefined()
  })

  it('keeps so much text, and no more', () => {
    const ring = new Ring(100, 20) // each has 7 or 8 characters
    ring.push(entriesOf(1, 9), placeOf(0))
    expect(ring.since(placeOf(7))!.map(({ position }) => position)).toEqual([8, 9])
    expect(ring.since(placeOf(6))).toBeUndefined()
    ring.push([{ ...entryAt(10), payload: 'x'.repeat(50) }], placeOf(9))
    expect(ring.since(placeOf(9))).toBeUndefined()
    ring.push([entryAt(11)], placeOf(10))
    expect(ring.since(placeOf(10))!.map(({ position }) => position)).toEqual([11])
  })

  it('counts the members of new channels as what they take', () => {
    const ring = new Ring(100, 10_000)
    const members = Array.from({ length: 50 }, (_, index) => ({ userId: `user-${index}`, status: 'active' as const, admin: false }))
    for (let position = 1; position <= 5; position++) ring.push([{ ...entryAt(position), kind: 'channel', members }], placeOf(position - 1))
    expect(ring.since(placeOf(4))!.map(({ position }) => position)).toEqual([5])
    expect(ring.since(placeOf(3))).toBeUndefined()
  })

  it('lets go of what it drops at once', async () => {
    setFlagsFromString('--expose-gc')
    const ring = new Ring(100, 1_000)
    const dropped = new WeakRef({ ...entryAt(1), payload: 'x'.repeat(900) })
    ring.push([dropped.deref()!], placeOf(0))
    ring.push([{ ...entryAt(2), payload: 'x'.repeat(900) }], placeOf(1))
    await new Promise(resolve => { setImmediate(resolve) }) // until then a WeakRef that was looked into holds
    runInNewContext('gc')()
    expect(dropped.deref()).toBeUndefined()
  })

  it('has nothing once it was cleared', () => {
    const ring = new Ring()
    ring.push(entriesOf(1, 3), placeOf(0))
    ring.clear()
    expect(ring.since(placeOf(2))).toBeUndefined()
  })
})
