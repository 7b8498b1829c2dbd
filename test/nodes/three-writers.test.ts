/**
 * Three nodes write one log at once: each reads what the others have written, once, and not its own. The database is a
 * simulated one: what crosses a connection takes time, and a batch holds the log for as long as it takes.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { Feed } from '../../src/relay/feed.ts'
import type { Entry, Log, Place, Position, Tail } from '../../src/store/contract/log.ts'
import { randomsOf } from '../support/delayed-reads.ts'

const NODES = 3

/** How long a batch holds the log, and how long anything takes one way, in milliseconds: at least, and at most. */
const BATCH_MS = [1, 3] as const
const WAY_MS = [0.5, 2] as const

const placeOf = (position: Position): Place => ({ position, cursor: `cursor-${position}` })

class Database {
  readonly #random: () => number
  readonly #loses: number
  readonly nodes: Node[] = []
  written: Position = 0
  #lock: Promise<void> = Promise.resolve()

  /** @param loses the share of hints that never arrive */
  constructor (seed: number, loses: number) {
    this.#random = randomsOf(seed)
    this.#loses = loses
  }

  some ([least, most]: readonly [number, number]): number {
    return least + this.#random() * (most - least)
  }

  chance (share: number): boolean {
    return this.#random() < share
  }

  /** Appends, one batch after the other; those who listen are told, the one that wrote it, too. */
  async commit (count: number): Promise<Entry[]> {
    const free = this.#lock
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#lock = promise
    await free
    await sleep(this.some(BATCH_MS))
    const first = this.written + 1
    this.written += count
    const upTo = this.written
    resolve()
    for (const node of this.nodes) if (!this.chance(this.#loses)) setTimeout(() => node.tell([], upTo), this.some(WAY_MS))
    const entries = Array.from({ length: count }, (_, index): Entry => ({ ...placeOf(first + index), kind: 'message', channelKey: 1, payload: '{}' }))
    return [{ ...entries[0]!, follows: placeOf(first - 1).cursor }, ...entries.slice(1)]
  }
}

class Node implements Pick<Log, 'head' | 'tail' | 'onCommitted'> {
  readonly #database: Database
  tell: (entries: Entry[], upTo?: Position) => void = () => {}
  readonly seen: Position[] = []
  own = 0
  read = 0
  reads = 0

  constructor (database: Database) {
    this.#database = database
    database.nodes.push(this)
  }

  async head (): Promise<Place> {
    return placeOf(this.#database.written)
  }

  async tail ({ position }: Place, limit: number): Promise<Tail> {
    await sleep(this.#database.some(WAY_MS))
    const { written } = this.#database
    const entries = Array.from({ length: Math.min(limit, written - position) }, (_, index): Entry => ({ ...placeOf(position + 1 + index), kind: 'message', channelKey: 1, payload: '{}' }))
    this.reads++
    this.read += entries.length
    await sleep(this.#database.some(WAY_MS))
    return { entries, head: placeOf(written) }
  }

  onCommitted (listener: (entries: Entry[], upTo?: Position) => void): () => void {
    this.tell = listener
    return () => { this.tell = () => {} }
  }

  async write (batches: number): Promise<void> {
    for (let batch = 0; batch < batches; batch++) {
      const count = 1 + Math.floor(this.#database.some([0, 40]))
      const entries = await this.#database.commit(count)
      await sleep(this.#database.some(WAY_MS))
      this.own += count
      this.tell(entries)
    }
  }
}

it.each([
  ['each hint comes', 0, 1.15],
  ['every fifth hint is lost', 0.2, 1.15],
  ['no hint comes at all', 1, 1.5]
])('each node reads what others have written, where %s', async (_what, loses, most) => {
  const database = new Database(11, loses)
  const nodes = Array.from({ length: NODES }, () => new Node(database))
  const feeds = await Promise.all(nodes.map(node => Feed.start(node, {
    onEntries: entries => node.seen.push(...entries.map(({ position }) => position)),
    onGap: () => { throw new Error('there is none') }
  }, pino({ level: 'silent' }))))
  await Promise.all(nodes.map(node => node.write(150)))
  await Promise.all(feeds.map(feed => feed.reached(placeOf(database.written))))
  for (const feed of feeds) feed.stop()
  for (const { seen, read, reads, own } of nodes) {
    const elsewhere = database.written - own
    expect(seen).toEqual(Array.from({ length: database.written }, (_, index) => index + 1))
    expect(read / elsewhere, `${read} entries in ${reads} reads for ${elsewhere} written elsewhere, and ${own} of its own`).toBeLessThan(most)
  }
})
