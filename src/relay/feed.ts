/**
 * This node's tail of the log: what the hub learns, in the order in which it was committed, without holes.
 * What others have written it reads; its own it takes as it is told of it, where that follows on what it has seen, or once
 * what lies before it was read. What is recent it keeps, for streams that come to the end of their replay.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Entry, Gap, Log, Place, Position, Tail } from '../store/contract/log.ts'
import { Aside, whatFollows } from './aside.ts'
import { Ring } from './ring.ts'

/** Entries read at a time where some were missed. */
const TAIL_ENTRIES = 500

/** How often it looks by itself, in milliseconds: a hint may be lost, and the log may have been replaced. */
const POLL_MS = 250

/** Between attempts to read what was missed, in milliseconds: at first, and at most. */
const RETRY_MS = { least: 50, most: 2_000 }

export interface FeedListener {
  /** The next entries of the log, without a hole before, between, or doubles. */
  onEntries (entries: Entry[]): void
  /** What was seen last cannot be gone on from: whoever relied on having seen all, or on what it has seen, must begin anew. */
  onGap (): void
}

type FollowedLog = Pick<Log, 'head' | 'tail' | 'onCommitted'>

interface Waiting {
  position: Position
  resolve: () => void
}

export class Feed {
  readonly #log: FollowedLog
  readonly #listener: FeedListener
  readonly #logger: FastifyBaseLogger
  readonly #recent = new Ring()
  /** This node's own entries, as long as what lies before them is read. */
  readonly #aside = new Aside()
  readonly #end: () => void
  readonly #poll: NodeJS.Timeout
  readonly #stopped = new AbortController()
  #head: Place | undefined
  /** How far the log goes, as far as is known; `Infinity`: it is to be looked. */
  #wanted: Position = 0
  #reading = false
  #waiting: Waiting[] = []

  private constructor (log: FollowedLog, listener: FeedListener, logger: FastifyBaseLogger) {
    this.#log = log
    this.#listener = listener
    this.#logger = logger
    this.#end = log.onCommitted((entries, upTo) => this.#receive(entries, upTo))
    this.#poll = setInterval(() => this.#want(Infinity), POLL_MS).unref()
  }

  /** Starts at the log's head. */
  static async start (log: FollowedLog, listener: FeedListener, logger: FastifyBaseLogger): Promise<Feed> {
    const feed = new Feed(log, listener, logger)
    try {
      feed.#head = await log.head()
    } catch (err) {
      feed.stop()
      throw err
    }
    // What was committed while the head was read may be part of it, or not.
    feed.#takeAside()
    feed.#readOn()
    return feed
  }

  /** The last place that the listener has seen; everything after it is still to come. */
  get head (): Place {
    return this.#head!
  }

  /** Whether a place was seen, in the log that is followed, and what lies between it and the head is kept. */
  reaches (place: Place): boolean {
    return place.cursor === this.head.cursor || this.#recent.reaches(place)
  }

  /**
   * The entries after a place up to the head; undefined where it does not reach back, or forth, to that.
   * @param channelKeys where it is given, those of some channels
   */
  since (place: Place, channelKeys?: number[]): Entry[] | undefined {
    return place.cursor === this.head.cursor ? [] : this.#recent.since(place, channelKeys)
  }

  /** Of the entries after a position, which are kept, those that change what somebody may have. */
  changesSince (position: Position): Entry[] {
    return this.#recent.changesSince(position)
  }

  /**
   * Resolves once the listener has seen everything up to the position of a place. At the latest, when the feed stops, begins
   * anew, or has found by reading that the log does not go so far: whoever waits looks whether the place was reached.
   */
  async reached ({ position }: Place): Promise<void> {
    if (this.head.position >= position || this.#stopped.signal.aborted) return
    const reached = new Promise<void>(resolve => { this.#waiting.push({ position, resolve }) })
    this.#want(position)
    await reached
  }

  stop (): void {
    this.#end()
    clearInterval(this.#poll)
    this.#stopped.abort()
    this.#letGo(() => true)
  }

  #receive (entries: Entry[], upTo: Position = Infinity): void {
    const last = entries.at(-1)
    if (last === undefined) return this.#want(upTo)
    if (this.#head !== undefined && last.position <= this.#head.position) {
      // Seen already; or it is of another log, which has taken the place of the one that was seen.
      if (!this.reaches(last)) this.#want(Infinity)
      return
    }
    const next = this.#head && whatFollows(entries, this.#head)
    if (next === undefined) {
      this.#aside.add(entries)
      this.#want(last.position)
    } else {
      this.#take(next)
      this.#takeAside()
    }
  }

  #take (entries: Entry[]): void {
    const { position, cursor } = entries.at(-1)!
    this.#recent.push(entries, this.head)
    this.#head = { position, cursor }
    this.#listener.onEntries(entries)
    this.#letGo(waiting => waiting.position <= position)
  }

  /** What is kept aside, as far as it follows by now. */
  #takeAside (): void {
    for (let next = this.#aside.next(this.head); next !== undefined; next = this.#aside.next(this.head)) this.#take(next)
  }

  #letGo (who: (waiting: Waiting) => boolean): void {
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = waiting.filter(one => !who(one))
    for (const one of waiting) if (who(one)) one.resolve()
  }

  /** The log goes up to there. */
  #want (position: Position): void {
    this.#wanted = Math.max(this.#wanted, position)
    this.#readOn()
  }

  /** Reads until nothing is missing, however often that fails. */
  #readOn (): void {
    if (this.#reading || this.#head === undefined || this.#wanted <= this.#head.position) return
    this.#reading = true
    this.#read().catch((err: unknown) => {
      if (!this.#stopped.signal.aborted) this.#logger.error({ err }, 'the log cannot be followed')
    })
  }

  async #read (): Promise<void> {
    let wait = RETRY_MS.least
    while (this.#wanted > this.head.position && !this.#stopped.signal.aborted) {
      const wanted = this.#wanted
      this.#wanted = 0
      try {
        await this.#readTail(wanted)
        wait = RETRY_MS.least
      } catch (err) {
        this.#wanted = Math.max(this.#wanted, wanted)
        // Once: while a store is away it is so for long.
        if (wait === RETRY_MS.least) this.#logger.warn({ err }, 'the log could not be read, trying again until it can be')
        await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: this.#stopped.signal })
        wait = Math.min(wait * 2, RETRY_MS.most)
      }
    }
    // In the same turn as it was found that nothing is missing: whoever tells of more in the next begins anew.
    this.#reading = false
  }

  /** Reads what comes next, up to what is kept aside. */
  async #readTail (wanted: Position): Promise<void> {
    const after = this.head
    const asked = new Set(this.#waiting)
    const upTo = Math.min(wanted, this.#aside.begin - 1, after.position + TAIL_ENTRIES)
    const tail = await this.#log.tail(after, Math.max(upTo - after.position, 1))
    if (this.#stopped.signal.aborted) return
    if (tail.gap !== undefined) return this.#beginAnew(tail.head, tail.gap)
    this.#takeRead(tail, after)
    this.#takeAside()
    // As far as it was wanted before it was read, and there is. What came since is wanted besides.
    this.#wanted = Math.max(this.#wanted, Math.min(wanted, tail.head.position))
    this.#letGo(waiting => waiting.position > tail.head.position && asked.has(waiting))
  }

  /** Some of what was read may have been told of meanwhile. */
  #takeRead ({ entries }: Tail, after: Place): void {
    if (entries.length === 0) return
    const next = this.head === after ? entries : whatFollows(entries, this.head)
    if (next !== undefined && next.length > 0) this.#take(next)
  }

  #beginAnew (head: Place, gap: Gap): void {
    this.#logger.warn({ gap }, 'the log does not go on from what was seen: every stream begins anew')
    this.#head = head
    this.#recent.clear()
    this.#aside.clear()
    this.#listener.onGap()
    this.#letGo(() => true)
  }
}
