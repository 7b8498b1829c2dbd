/**
 * One reader's connection: history first, read from the log page by page, then live from the hub, without
 * a seam. It depends on the feed and on reads of the log alone.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { Entry, Interest, Place, Position, Rights, Store, StreamStart } from '../store/store.ts'
import type { Feed } from './feed.ts'
import { byeFrame, caughtUpFrame, checkpointFrame, entryFrame, gapFrame, heartbeatFrame, readyFrame, type EndReason } from './frames.ts'
import type { Hub, Subscriber } from './hub.ts'

/** Entries in one page of a replay: a few milliseconds of reading, between which others get their turn. */
const PAGE_ENTRIES = 250

/** How long a reader that was told to go may take to read what it still has, in milliseconds. */
const LINGER_MS = 2_000

/** A reader that takes nothing of a replay for this long is gone, in milliseconds. */
const STALLED_MS = 60_000

/** Longest that a Node timer can wait; a token that ends later outlives any connection. */
const TIMER_MS_MAX = 2 ** 31 - 1

export interface StreamOptions {
  store: Store
  hub: Hub
  feed: Feed
  logger: FastifyBaseLogger
  response: ServerResponse
  interest: Interest
  /** Tokens whose revocation ends the stream. */
  lineage: readonly string[]
  /** When the reader's token ends, in milliseconds since the epoch. */
  expiresAt?: number | undefined
  /** Silence after which a comment is written, in milliseconds. */
  heartbeatMs: number
  /** Bytes that may wait for a reader. */
  queueBytes: number
}

export class Stream implements Subscriber {
  readonly of: Interest['of']
  readonly userId: string | undefined
  readonly channelKey: number | undefined
  readonly lineage: readonly string[]
  readonly #options: StreamOptions
  readonly #response: ServerResponse
  readonly #interest: Interest
  /** Everything up to here was written, or is not for this reader. */
  #position: Position = 0
  #pending: Buffer[] = []
  #pendingBytes = 0
  #started = false
  #live = false
  #ended = false
  /** Since the last checkpoint round this stream had an id to move its reader's cursor. */
  #moved = true
  #timers: NodeJS.Timeout[] = []
  #heartbeat: NodeJS.Timeout | undefined
  readonly #closed = new AbortController()

  constructor (options: StreamOptions) {
    this.#options = options
    this.#response = options.response
    this.#interest = options.interest
    this.of = options.interest.of
    this.userId = options.interest.of === 'application' ? undefined : options.interest.userId
    this.channelKey = options.interest.of === 'channel' ? options.interest.channelKey : undefined
    this.lineage = options.lineage
    options.hub.watch(this)
  }

  get ended (): boolean {
    return this.#ended
  }

  /**
   * Writes the first frames, the history from `start` on, and stays until either side ends it.
   * @param readyId what a client that is cut right after `ready` is to come back with; absent: with what it came
   */
  async run (start: StreamStart, readyId: string | undefined): Promise<void> {
    const { response } = this
    this.#started = true
    response.once('close', () => this.#dispose())
    response.on('error', () => {}) // the reader went away: `close` follows
    this.#heartbeat = setInterval(() => this.#write(heartbeatFrame), this.#options.heartbeatMs)
    this.#expire()
    this.#position = start.place.position
    const opening = [readyFrame(readyId)]
    if (start.gap !== undefined) opening.push(gapFrame(start.place.cursor, start.gap))
    this.#write(Buffer.concat(opening))
    try {
      await this.#replay()
    } catch (err) {
      this.#options.logger.error({ err }, 'a replay failed')
      this.end('unavailable')
    }
  }

  get response (): ServerResponse {
    return this.#response
  }

  /** Pages of history up to the moment at which nothing lies between the page and the feed; then live, in the same turn. */
  async #replay (): Promise<void> {
    const { store, feed } = this.#options
    let deleted = false
    while (!this.#ended) {
      const { entries, through, rights } = await store.read(this.#interest, this.#position, PAGE_ENTRIES)
      if (this.#ended) return
      for (const entry of entries) {
        this.#push(entryFrame(entry))
        deleted ||= entry.kind === 'channel-deleted'
      }
      this.#position = through.position
      if (rights !== undefined && through.position >= feed.head.position) return this.#goLive(through, rights, deleted)
      this.flush()
      await this.#drained()
      await nextTurn()
    }
  }

  #goLive (through: Place, rights: Rights, deleted: boolean): void {
    if (this.of === 'channel' && !rights.channels.some(({ receives }) => receives)) {
      return this.end(deleted ? 'deleted' : 'removed')
    }
    this.#live = true
    this.#options.hub.join(this, rights)
    this.#push(caughtUpFrame(through.cursor))
    this.flush()
  }

  offer (entry: Entry, frame: () => Buffer): boolean {
    if (this.#ended || entry.position <= this.#position) return false
    const waiting = this.#pendingBytes + this.#response.writableLength
    if (waiting > 0 && waiting + frame().length > this.#options.queueBytes) {
      this.end('slow')
      return false
    }
    this.#position = entry.position
    this.#push(frame())
    return true
  }

  #push (frame: Buffer): void {
    this.#pending.push(frame)
    this.#pendingBytes += frame.length
    this.#moved = true
  }

  flush (): void {
    if (this.#pending.length === 0) return
    const frames = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    if (frames.length > 1) this.#response.cork()
    for (const frame of frames) this.#write(frame)
    if (frames.length > 1) this.#response.uncork()
  }

  #write (frame: Buffer): void {
    if (this.#response.destroyed || this.#response.writableEnded) return
    this.#response.write(frame)
    this.#heartbeat?.refresh()
  }

  /** Moves an idle reader's cursor to the log's head, so that it never falls out of retention. */
  checkpoint (head: Place): void {
    if (this.#live && !this.#moved && head.position > this.#position && this.#response.writableLength === 0) {
      this.#position = head.position
      this.#write(checkpointFrame(head.cursor))
    }
    this.#moved = false
  }

  /** Waits until the reader has taken what was written: a replay is never ahead of it by more than a page. */
  async #drained (): Promise<void> {
    if (!this.#response.writableNeedDrain) return
    try {
      await once(this.#response, 'drain', { signal: AbortSignal.any([AbortSignal.timeout(STALLED_MS), this.#closed.signal]) })
    } catch {
      this.end('slow')
    }
  }

  #expire (): void {
    const { expiresAt } = this.#options
    if (expiresAt === undefined) return
    this.#timers.push(setTimeout(() => this.end('expired'), Math.min(Math.max(expiresAt - Date.now(), 0), TIMER_MS_MAX)))
  }

  /** Tells the reader why, lets it read what it still has, and lets go of it. */
  end (reason: EndReason): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.logger.debug({ reason, of: this.of }, 'a stream ends')
    this.#options.hub.leave(this)
    if (!this.#started) return
    this.flush()
    this.#write(byeFrame(reason))
    this.#response.end()
    this.#timers.push(setTimeout(() => this.#response.destroy(), LINGER_MS))
  }

  #dispose (): void {
    this.#ended = true
    this.#pending = []
    this.#closed.abort()
    clearInterval(this.#heartbeat)
    this.#timers.forEach(clearTimeout)
    this.#options.hub.leave(this)
  }
}
