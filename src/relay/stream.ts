/**
 * One reader's connection: history first, read from the log page by page, then live from the hub, without
 * a seam. It depends on the feed and on reads of the log alone.
 */
import type { ServerResponse } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import { readsChannel, standingOf } from '../rules/audience.ts'
import type { Entry, Interest, Log, Page, Place, Position, Rights, StreamStart } from '../store/contract/log.ts'
import type { Feed } from './feed.ts'
import { byeFrame, caughtUpFrame, checkpointFrame, entryFrame, gapFrame, readyFrame, type EndReason } from './frames.ts'
import type { Hub, Subscriber } from './hub.ts'
import { Outbox } from './outbox.ts'
import type { Turns } from './turns.ts'
import { Withdrawn } from './withdrawn.ts'

/**
 * Entries in one page of a replay: at first, which is a few milliseconds of reading, between which others get their turn;
 * and at most, where pages are long on their way, so that a replay is faster than what is written meanwhile.
 */
const PAGE_ENTRIES = { first: 100, most: 500 }

/** A page that takes longer than this, in milliseconds, is followed by a larger one. */
const LONG_WAY_MS = 20

/** A reader that is waited for, and takes nothing at all for this long, is gone, in milliseconds. */
export const STALLED_MS = 60_000

/** How often it is looked whether the reader's token has ended, in milliseconds: timers do not notice when the clock is set. */
const EXPIRY_LOOK_MS = 60_000

export interface StreamOptions {
  log: Pick<Log, 'read'>
  hub: Hub
  feed: Feed
  /** Of all replays of this node. */
  turns: Turns
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
  /** How long a reader that is waited for may take nothing, in milliseconds. */
  stalledMs: number
  /** Told once, when the connection is gone; of one that is gone already, while it is constructed. */
  onClose: (stream: Stream) => void
}

export class Stream implements Subscriber {
  readonly of: Interest['of']
  readonly userId: string | undefined
  readonly channelKey: number | undefined
  readonly lineage: readonly string[]
  readonly #options: StreamOptions
  readonly #outbox: Outbox
  /** Everything up to here was written, or is not for this reader. */
  #position: Position = 0
  #started = false
  #live = false
  /** The reader was told that the channel was deleted. */
  #channelDeleted = false
  #ended: EndReason | 'gone' | undefined
  /** Since the last checkpoint round this stream had an id to move its reader's cursor. */
  #moved = true
  #expiry: NodeJS.Timeout | undefined
  #disposed = false

  /** Attached at once: whatever ends its reader's right from here on ends it, and so does the end of its connection. */
  constructor (options: StreamOptions) {
    this.#options = options
    const { interest, response } = options
    this.#outbox = new Outbox({ ...options, onStalled: () => this.end('slow') })
    this.of = interest.of
    this.userId = interest.of === 'application' ? undefined : interest.userId
    this.channelKey = interest.of === 'channel' ? interest.channelKey : undefined
    this.lineage = options.lineage
    options.hub.attach(this)
    response.once('close', () => this.#dispose())
    if (response.closed || response.destroyed) this.#dispose()
  }

  /** Why it has ended, or `gone` where the reader went; undefined: it has not. */
  get ended (): EndReason | 'gone' | undefined {
    return this.#ended
  }

  /**
   * Writes the first frames, the history from `start` on, and stays until either side ends it.
   * @param readyId what a client that is cut right after `ready` is to come back with; absent: with what it came
   */
  async run ({ place, gap }: StreamStart, readyId: string | undefined): Promise<void> {
    if (this.#ended !== undefined) return
    this.#started = true
    this.#outbox.start()
    this.#expire()
    this.#position = place.position
    this.#push(readyFrame(readyId))
    if (gap !== undefined) this.#push(gapFrame(place.cursor, gap))
    await this.#catchUp()
  }

  /** Replays until it is live. */
  async #catchUp (): Promise<void> {
    try {
      await this.#replay()
    } catch (err) {
      if (this.#ended === undefined) this.#options.logger.error({ err }, 'a replay failed')
      this.end('unavailable')
    }
  }

  async #replay (): Promise<void> {
    const { log, feed, turns, interest } = this.#options
    let ahead: Page['ahead']
    let limit = PAGE_ENTRIES.first
    for (;;) {
      await this.#outbox.taken()
      if (!await turns.next(() => this.#ended === undefined)) return
      const asked = performance.now()
      const page = await log.read(interest, this.#position, limit, ahead)
      if (performance.now() - asked > LONG_WAY_MS) limit = Math.min(2 * limit, PAGE_ENTRIES.most)
      if (page.gap !== undefined) this.#push(gapFrame(page.through.cursor, page.gap))
      if (!await this.#writePage(page)) continue
      this.#position = page.through.position
      ahead = page.ahead
      if (page.rights !== undefined) {
        // While they may be told. Then: this node may not have seen yet what the store has told of.
        this.flush()
        await feed.reached(page.through.position)
        if (this.#goLive(page)) return
      }
    }
  }

  /**
   * Writes a page, never more at once than may wait, and nothing whose right has ended while it was on its way.
   * False: that cannot be told any more, or the reader has gone.
   */
  async #writePage (page: Page): Promise<boolean> {
    const { entries, head } = page
    const { feed, interest } = this.#options
    const withdrawn = new Withdrawn(interest, page)
    let known = head
    for (const entry of entries) {
      if (!this.#outbox.hasRoomFor(entryFrame(entry))) await this.#outbox.taken()
      if (this.#ended !== undefined) return false
      const news = feed.since(known)
      if (news === undefined) return false
      for (const entry of news) withdrawn.note(entry)
      known = Math.max(known, feed.head.position)
      const told = withdrawn.told(entry)
      if (told !== undefined) {
        this.#push(entryFrame(told))
        this.#channelDeleted ||= entry.kind === 'channel-deleted'
      }
      this.#position = entry.position
    }
    return this.#ended === undefined
  }

  /** Joins the live ones, in this turn, if the feed still has what came after the page. */
  #goLive ({ through, rights }: Page): boolean {
    const { feed, hub, interest } = this.#options
    if (this.#ended !== undefined) return true
    if (this.of === 'channel' && !this.#readsChannel(rights!)) {
      this.end(this.#channelDeleted ? 'deleted' : 'removed')
      return true
    }
    const missed = feed.since(through.position)
    if (missed === undefined) return false
    this.#live = true
    hub.follow(this, rights!, withheld(missed, interest, rights!))
    // Too much for one turn: it fell behind at once, or ended.
    if (!this.#live || this.#ended !== undefined) return true
    const at = feed.head.position > through.position ? feed.head : through
    this.#position = at.position
    this.#push(caughtUpFrame(at.cursor))
    this.flush()
    return true
  }

  #readsChannel ({ channels: [channel] }: Rights): boolean {
    if (channel === undefined || this.userId === undefined) return channel !== undefined
    return readsChannel(channel.lists, { userId: this.userId, standing: standingOf(channel) })
  }

  offer (entry: Entry): boolean {
    if (!this.#live || entry.position <= this.#position) return false
    if (entry.payload !== undefined) {
      const frame = entryFrame(entry)
      if (!this.#outbox.hasRoomFor(frame)) {
        this.#fallBehind()
        return false
      }
      this.#push(frame)
    }
    this.#position = entry.position
    return true
  }

  /** More came than may wait: it reads on from the log, at its own pace, once it has taken what it has. */
  #fallBehind (): void {
    this.#live = false
    this.#options.hub.unfollow(this)
    this.#catchUp().catch(() => {}) // it has seen to its own errors
  }

  #push (frame: Buffer): void {
    this.#outbox.push(frame)
    this.#moved = true
  }

  flush (): void {
    this.#outbox.flush()
  }

  /** Moves an idle reader's cursor to the log's head, so that it never falls out of retention. */
  checkpoint (head: Place): void {
    if (this.#live && !this.#moved && head.position > this.#position && this.#outbox.isEmpty) {
      this.#position = head.position
      this.#outbox.write(checkpointFrame(head.cursor))
    }
    this.#moved = false
  }

  #expire (): void {
    const { expiresAt } = this.#options
    if (expiresAt === undefined) return
    const left = expiresAt - Date.now()
    if (left <= 0) return this.end('expired')
    this.#expiry = setTimeout(() => this.#expire(), Math.min(left, EXPIRY_LOOK_MS))
  }

  /** Tells the reader why, lets it read what it still has, and lets go of it. */
  end (reason: EndReason): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#live = false
    this.#options.logger.debug({ reason, of: this.of }, 'a stream ends')
    this.#options.hub.detach(this)
    if (this.#started) this.#outbox.finish(byeFrame(reason))
  }

  /** Of one that was not begun: whoever opened it answers otherwise. */
  abandon (): void {
    this.#dispose()
  }

  #dispose (): void {
    if (this.#disposed) return
    this.#disposed = true
    this.#ended ??= 'gone'
    this.#live = false
    this.#outbox.dispose()
    clearTimeout(this.#expiry)
    this.#options.hub.detach(this)
    this.#options.onClose(this)
  }
}

/** Entries that were missed, without what must not be delivered any more because of those behind it; its place stays. */
function withheld (missed: Entry[], interest: Interest, rights: Rights): Entry[] {
  const withdrawn = new Withdrawn(interest, { places: rights.channels, ...(rights.named === undefined ? {} : { named: rights.named }) })
  for (const entry of missed) withdrawn.note(entry)
  const without = (entry: Entry): Entry => withdrawn.told(entry) ?? withoutPayload(entry)
  return missed.map(entry => entry.otherwise === undefined ? without(entry) : { ...without(entry), otherwise: without(entry.otherwise) })
}

function withoutPayload ({ payload, ...rest }: Entry): Entry {
  return rest
}
