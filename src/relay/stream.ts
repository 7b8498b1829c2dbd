/**
 * One reader's connection: history first, read from the log page by page, then live from the hub, without
 * a seam. It depends on the feed and on reads of the log alone.
 */
import type { FastifyBaseLogger } from 'fastify'
import { readsChannel, standingOf } from '../rules/audience.ts'
import type { Entry, Interest, Log, Page, Place, Rights, StreamStart } from '../store/contract/log.ts'
import { bytesOf, encoded, encodingOf, frameOf } from './bytes.ts'
import type { Feed } from './feed.ts'
import { byeFrame, caughtUpFrame, checkpointFrame, gapFrame, readyFrame, type EndReason, type Format } from './frames.ts'
import type { Hub, Subscriber } from './hub.ts'
import { Outbox, type Connection, type OutboxOptions } from './outbox.ts'
import { mayConcern } from './rights.ts'
import type { Run } from './run.ts'
import type { Turns } from './turns.ts'
import { withheld, Withdrawn } from './withdrawn.ts'

/**
 * Entries in one page of a replay: at first, which is a few milliseconds of reading, between which others get their turn;
 * and at most, where pages are long on their way, so that a replay is faster than what is written meanwhile.
 */
const PAGE_ENTRIES = { first: 100, most: 500 }

/** Of recent entries, what is told in one turn, in characters: about as much as a page has. */
const MOST_AT_ONCE = 256 * 1024

/** A page that takes longer than this, in milliseconds, is followed by a larger one. */
const LONG_WAY_MS = 20

/** A reader that is waited for, and takes nothing at all for this long, is gone, in milliseconds. */
export const STALLED_MS = 60_000

/** How often it is looked whether readers' tokens have ended, in milliseconds. */
export const EXPIRY_LOOK_MS = 60_000

/** What all streams of a node have in common. */
export interface StreamOptions extends OutboxOptions {
  log: Pick<Log, 'read' | 'rights'>
  hub: Hub
  feed: Feed
  /** Of all replays of this node. */
  turns: Turns
  logger: FastifyBaseLogger
  /** Told once, when the connection is gone, or there never was one. */
  onClose: (stream: Stream) => void
}

/** Who reads what. */
export interface Opening {
  interest: Interest
  format: Format
  /** Tokens whose revocation ends the stream. */
  lineage: readonly string[]
  /** When the reader's token ends, in milliseconds since the epoch. */
  expiresAt?: number | undefined
}

export class Stream implements Subscriber {
  pending: Run | undefined
  readonly #opening: Opening
  readonly #options: StreamOptions
  #outbox: Outbox | undefined
  /** Everything up to here was written, or is not for this reader. */
  #place: Place | undefined
  #live = false
  /** The reader was told that the channel was deleted. */
  #channelDeleted = false
  #ended: EndReason | 'gone' | undefined
  /** Since the last checkpoint round this stream had an id to move its reader's cursor. */
  #moved = true
  #expiry: NodeJS.Timeout | undefined
  #disposed = false

  /** Attached at once: whatever ends its reader's right from here on ends it. */
  constructor (opening: Opening, options: StreamOptions) {
    this.#opening = opening
    this.#options = options
    options.hub.attach(this)
  }

  get of (): Interest['of'] {
    return this.#opening.interest.of
  }

  get userId (): string | undefined {
    const { interest } = this.#opening
    return interest.of === 'application' ? undefined : interest.userId
  }

  get channelKey (): number | undefined {
    const { interest } = this.#opening
    return interest.of === 'channel' ? interest.channelKey : undefined
  }

  get lineage (): readonly string[] {
    return this.#opening.lineage
  }

  /** Why it has ended, or `gone` where the reader went; undefined: it has not. */
  get ended (): EndReason | 'gone' | undefined {
    return this.#ended
  }

  /**
   * Writes the first frames, the history from `start` on, and goes on until either side ends it.
   * @param connection the end of it ends the stream
   * @param readyId what a client that is cut right after `ready` is to come back with; absent: with what it came
   */
  run ({ socket, chunked }: Connection, { place, gap }: StreamStart, readyId: string | undefined): void {
    socket.once('close', () => this.#dispose())
    if (socket.destroyed) return this.#dispose()
    const { format } = this.#opening
    this.#outbox = new Outbox(socket, encodingOf(format, chunked), this.#options)
    this.#place = place
    this.#push(readyFrame(readyId, format))
    if (gap !== undefined) this.#push(gapFrame(place.cursor, gap, format))
    this.expire()
    this.#catchUp(true)
  }

  /** Replays until it is live. */
  #catchUp (fresh: boolean): void {
    this.#replay(fresh).catch((err: unknown) => {
      if (this.#ended === undefined) this.#options.logger.error({ err }, 'a replay failed')
      this.end('unavailable')
    })
  }

  /** @param fresh nothing was written yet but what comes first: with what is at hand that leaves in one write */
  async #replay (fresh: boolean): Promise<void> {
    const { log, feed, turns } = this.#options
    const { interest, format } = this.#opening
    let ahead: Page['ahead']
    let limit = PAGE_ENTRIES.first
    if (!fresh) {
      await this.#taken()
      if (!await turns.next(() => this.#ended === undefined)) return
    }
    if (await this.#goOn()) return
    for (;;) {
      await this.#taken()
      if (!await turns.next(() => this.#ended === undefined)) return
      const [asked, seen] = [performance.now(), feed.head]
      const page = await log.read(interest, this.#place!, limit, ahead)
      if (performance.now() - asked > LONG_WAY_MS) limit = Math.min(2 * limit, PAGE_ENTRIES.most)
      if (page.gap === 'unknown' || page.head.position < seen.position) return this.#endReplaced()
      if (page.gap !== undefined) this.#push(gapFrame(page.through.cursor, page.gap, format))
      if (!await this.#writePage(page)) continue
      this.#place = page.through
      ahead = page.ahead
      if (page.rights !== undefined) {
        // While they may be told. Then: this node may not have seen yet what the store has told of.
        this.#outbox!.uncork()
        await feed.reached(page.through)
        if (this.#goLive(page)) return
      }
    }
  }

  /**
   * Goes on from the entries that this node keeps, where they reach back to the reader's place, are few, and have changed
   * nothing of what the reader may: its rights now are those at its place. False: the log is to be read.
   */
  async #goOn (): Promise<boolean> {
    const { log, feed } = this.#options
    const place = this.#place!
    if (place.position <= feed.head.position && !feed.reaches(place)) return false
    const seen = feed.head
    const { rights, head, floor } = await log.rights(this.#opening.interest)
    if (head.position < seen.position) this.#endReplaced()
    else await feed.reached(head)
    if (this.#ended !== undefined) return true
    if (floor > place.position || !feed.reaches(head) || !feed.reaches(place) || feed.changesSince(place.position).some(entry => mayConcern(entry, this))) return false
    if (this.of === 'channel' && !this.#readsChannel(rights)) return false
    const missed = this.of === 'application' ? feed.since(place)! : feed.since(place, rights.channels.map(({ channelKey }) => channelKey))!
    if (missed.length > PAGE_ENTRIES.most || charactersOf(missed) > MOST_AT_ONCE) return false
    this.#join(rights, missed)
    return true
  }

  /**
   * The log does not go on from the reader's place, or not as far as this node has seen: another has taken its place, and what
   * this node has may be of either. Whoever comes back is told what is to be had.
   */
  #endReplaced (): void {
    this.end('unavailable')
  }

  /**
   * Writes a page, never more at once than may wait, and nothing whose right has ended while it was on its way.
   * False: that cannot be told any more, or the reader has gone.
   */
  async #writePage (page: Page): Promise<boolean> {
    const { entries, head } = page
    const { feed } = this.#options
    const outbox = this.#outbox!
    const withdrawn = new Withdrawn(this.#opening.interest, page)
    let known = head
    for (const entry of entries) {
      if (!outbox.hasRoomFor(frameOf(entry, outbox.encoding).bytes.length)) await this.#taken()
      if (this.#ended !== undefined) return false
      const news = known.position > feed.head.position ? [] : feed.since(known)
      if (news === undefined) return false
      for (const entry of news) withdrawn.note(entry)
      if (feed.head.position > known.position) known = feed.head
      const told = withdrawn.told(entry)
      if (told !== undefined) {
        this.#write(bytesOf(frameOf(told, outbox.encoding), outbox.encoding))
        this.#channelDeleted ||= entry.kind === 'channel-deleted'
      }
      this.#place = { position: entry.position, cursor: entry.cursor }
    }
    return this.#ended === undefined
  }

  /** Joins the live ones, in this turn, if the feed still has what came after the page. */
  #goLive ({ through, rights }: Page): boolean {
    if (this.#ended !== undefined) return true
    if (this.of === 'channel' && !this.#readsChannel(rights!)) {
      this.end(this.#channelDeleted ? 'deleted' : 'removed')
      return true
    }
    const missed = this.#options.feed.since(through)
    if (missed !== undefined) this.#join(rights!, missed)
    return missed !== undefined
  }

  /**
   * Joins the live ones.
   * @param rights those at the place up to which it has read
   * @param missed what came after that
   */
  #join (rights: Rights, missed: Entry[]): void {
    const { feed, hub } = this.#options
    const { interest, format } = this.#opening
    this.#live = true
    hub.follow(this, rights, withheld(missed, interest, rights))
    // Too much for one turn: it fell behind at once, or ended.
    if (!this.#live || this.#ended !== undefined) return
    const at = feed.head
    this.#place = at
    this.#push(caughtUpFrame(at.cursor, format))
    this.#outbox!.uncork()
  }

  #readsChannel ({ channels: [channel] }: Rights): boolean {
    if (channel === undefined || this.userId === undefined) return channel !== undefined
    return readsChannel(channel.lists, { userId: this.userId, standing: standingOf(channel) })
  }

  take (run: Run): void {
    if (!this.#live) return
    const outbox = this.#outbox!
    for (const { bytes, place } of run.piecesFor(outbox.encoding)) {
      if (!outbox.hasRoomFor(bytes.length)) return this.#fallBehind()
      outbox.write(bytes)
      this.#moved = true
      this.#place = place
    }
    this.#place = run.place
  }

  /** More came than may wait: it reads on from the log, at its own pace, once it has taken what it has. */
  #fallBehind (): void {
    this.#live = false
    this.#options.hub.unfollow(this)
    this.#catchUp(false)
  }

  #push (frame: string): void {
    this.#write(encoded(frame, this.#outbox!.encoding))
  }

  /** What has an id. It leaves with what else is written until `uncork`, or `taken`. */
  #write (bytes: Buffer): void {
    this.#outbox!.cork()
    this.#outbox!.write(bytes)
    this.#moved = true
  }

  async #taken (): Promise<void> {
    await this.#outbox!.taken(() => this.end('slow'))
  }

  /** Told in every round of the sweep. */
  beat (): void {
    if (this.#ended === undefined) this.#outbox?.beat()
  }

  /** Moves an idle reader's cursor to the log's head, so that it never falls out of retention. */
  checkpoint (head: Place): void {
    const outbox = this.#outbox
    if (outbox !== undefined && this.#live && !this.#moved && head.position > this.#place!.position && outbox.isEmpty) {
      this.#place = head
      outbox.write(encoded(checkpointFrame(head.cursor, this.#opening.format), outbox.encoding))
    }
    this.#moved = false
  }

  /** Ends the stream with its reader's token. Told about every `EXPIRY_LOOK_MS`: timers do not notice when the clock is set. */
  expire (): void {
    const { expiresAt } = this.#opening
    if (expiresAt === undefined || this.#ended !== undefined) return
    const left = expiresAt - Date.now()
    if (left <= 0) return this.end('expired')
    clearTimeout(this.#expiry)
    if (left <= 2 * EXPIRY_LOOK_MS) this.#expiry = setTimeout(() => this.expire(), left)
  }

  /** Tells the reader why, lets it read what it still has, and lets go of it. */
  end (reason: EndReason): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    this.#live = false
    this.#options.logger.debug({ reason, of: this.of }, 'a stream ends')
    this.#options.hub.detach(this)
    this.#outbox?.finish(byeFrame(reason, this.#opening.format))
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
    this.#outbox?.dispose()
    clearTimeout(this.#expiry)
    this.#options.hub.detach(this)
    this.#options.onClose(this)
  }
}

const charactersOf = (entries: Entry[]): number => entries.reduce((sum, { payload = '' }) => sum + payload.length, 0)
