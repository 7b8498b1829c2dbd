/**
 * This node's tail of the log: what the hub learns, in the order in which it was committed, without holes.
 * What was missed it reads, whoever wrote it; what is recent it keeps, for streams that come to the end of
 * their replay.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Entry, Place, Position, Log } from '../store/contract/log.ts'
import { Ring } from './ring.ts'

/** Entries read at a time where some were missed. */
const TAIL_ENTRIES = 500

/** How often it looks by itself while nothing comes, in milliseconds: a hint may be lost. What comes shows holes before it. */
const POLL_MS = 250

/** Between attempts to read what was missed, in milliseconds: at first, and at most. */
const RETRY_MS = { least: 50, most: 2_000 }

export interface FeedListener {
  /** The next entries of the log, without a hole before, between, or doubles. */
  onEntries (entries: Entry[]): void
  /** This node was away for longer than the log goes back: whoever relied on having seen all must begin anew. */
  onGap (): void
}

export class Feed {
  readonly #log: Pick<Log, 'head' | 'tail' | 'onCommitted'>
  readonly #listener: FeedListener
  readonly #logger: FastifyBaseLogger
  readonly #recent = new Ring()
  readonly #end: () => void
  readonly #poll: NodeJS.Timeout
  readonly #stopped = new AbortController()
  #head: Place | undefined
  #catchingUp = false
  #missed = false
  /** Nothing has come since the last look. */
  #quiet = false
  #waiting: Array<{ position: Position, resolve: () => void }> = []

  private constructor (log: Pick<Log, 'head' | 'tail' | 'onCommitted'>, listener: FeedListener, logger: FastifyBaseLogger) {
    this.#log = log
    this.#listener = listener
    this.#logger = logger
    this.#end = log.onCommitted(entries => this.#receive(entries))
    this.#poll = setInterval(() => {
      if (this.#quiet) this.#receive([])
      this.#quiet = true
    }, POLL_MS).unref()
  }

  /** Starts at the log's head. */
  static async start (log: Pick<Log, 'head' | 'tail' | 'onCommitted'>, listener: FeedListener, logger: FastifyBaseLogger): Promise<Feed> {
    const feed = new Feed(log, listener, logger)
    feed.#head = await log.head()
    // What was committed while the head was read may be part of it, or not.
    if (feed.#missed) feed.#readMissed()
    return feed
  }

  /** The last place that the listener has seen; everything after it is still to come. */
  get head (): Place {
    return this.#head!
  }

  /** Whether what lies between a position and the head is kept. */
  reaches (position: Position): boolean {
    return position >= this.head.position || this.#recent.reaches(position)
  }

  /**
   * The entries after a position up to the head; undefined where that is longer ago than is kept.
   * @param channelKeys where it is given, those of some channels
   */
  since (position: Position, channelKeys?: number[]): Entry[] | undefined {
    return position >= this.head.position ? [] : this.#recent.since(position, channelKeys)
  }

  /** Of the entries after a position, which are kept, those that change what somebody may have. */
  changesSince (position: Position): Entry[] {
    return this.#recent.changesSince(position)
  }

  /** Resolves once the listener has seen everything up to a position; at the latest, when the feed stops. */
  async reached (position: Position): Promise<void> {
    if (this.head.position >= position || this.#stopped.signal.aborted) return
    this.#receive([])
    await new Promise<void>(resolve => { this.#waiting.push({ position, resolve }) })
  }

  stop (): void {
    this.#end()
    clearInterval(this.#poll)
    this.#stopped.abort()
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  #receive (committed: Entry[]): void {
    if (this.#head === undefined || this.#catchingUp) {
      this.#missed = true
      return
    }
    const { position } = this.#head
    const entries = committed[0]?.position === position + 1 ? committed : committed.filter(entry => entry.position > position)
    if (entries[0]?.position === position + 1) this.#take(entries)
    else if (entries.length > 0 || committed.length === 0) this.#readMissed()
  }

  #take (entries: Entry[]): void {
    const { position, cursor } = entries.at(-1)!
    this.#head = { position, cursor }
    this.#quiet = false
    this.#recent.push(entries)
    this.#listener.onEntries(entries)
    this.#wake()
  }

  #wake (): void {
    if (this.#waiting.length === 0) return
    const { position } = this.head
    const due = this.#waiting.filter(waiting => waiting.position <= position)
    this.#waiting = this.#waiting.filter(waiting => waiting.position > position)
    for (const { resolve } of due) resolve()
  }

  /** Reads on until nothing is missing, however often that fails. */
  #readMissed (): void {
    this.#catchingUp = true
    this.#missed = true
    this.#catchUp().catch((err: unknown) => {
      if (!this.#stopped.signal.aborted) this.#logger.error({ err }, 'the log cannot be followed')
    })
  }

  async #catchUp (): Promise<void> {
    let wait = RETRY_MS.least
    while (this.#missed && !this.#stopped.signal.aborted) {
      this.#missed = false
      try {
        await this.#readTail()
        wait = RETRY_MS.least
      } catch (err) {
        this.#missed = true
        this.#logger.warn({ err }, 'the log could not be read, trying again')
        await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: this.#stopped.signal })
        wait = Math.min(wait * 2, RETRY_MS.most)
      }
    }
    // In the same turn as it was found that nothing is missing: whoever tells of more in the next begins anew.
    this.#catchingUp = false
  }

  async #readTail (): Promise<void> {
    const { entries, head, gap } = await this.#log.tail(this.head.position, TAIL_ENTRIES)
    if (this.#stopped.signal.aborted) return
    if (gap === true) {
      this.#head = head
      this.#recent.clear()
      this.#listener.onGap()
      this.#wake()
    } else if (entries.length > 0) {
      this.#take(entries)
    }
    if (head.position > this.head.position) this.#missed = true
  }
}
