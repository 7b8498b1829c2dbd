/** The newest entries of the log, bounded in number and in text; the oldest go first. */
import type { Cursor, Entry, Place, Position } from '../store/contract/log.ts'
import { changesNobody } from './rights.ts'

/** Enough for what is written while a page of a replay is being read, at thousands of entries a second. */
const ENTRIES = 8_192

/** What they may hold, in characters: each is up to eight bytes where both formats of frames are asked for, in letters of three bytes. */
const CHARACTERS = 8 * 1024 * 1024

/** What a member of a new channel takes, in characters, about: an id and its place in a list. */
const MEMBER_CHARACTERS = 128

export class Ring {
  readonly #entries: number
  readonly #charactersMax: number
  /** In log order, without holes. */
  readonly #all = new Queue()
  readonly #ofChannels = new Map<number, Queue>()
  /** Those that change what somebody may have. */
  readonly #changes = new Queue()
  #characters = 0
  /** Of the place before the first. */
  #before: Cursor | undefined

  constructor (entries = ENTRIES, characters = CHARACTERS) {
    this.#entries = entries
    this.#charactersMax = characters
  }

  /**
   * The next entries of the log.
   * @param after the place that they follow on
   */
  push (entries: Entry[], after: Place): void {
    if (this.#all.length === 0) this.#before = after.cursor
    for (const entry of entries) {
      this.#characters += sizeOf(entry)
      for (const queue of this.#queuesOf(entry)) queue.push(entry)
    }
    while (this.#all.length > this.#entries || this.#characters > this.#charactersMax) this.#dropOldest()
  }

  #dropOldest (): void {
    const entry = this.#all.first!
    this.#before = entry.cursor
    this.#characters -= sizeOf(entry)
    for (const queue of this.#queuesOf(entry)) queue.shift()
    const { channelKey } = entry
    if (channelKey !== undefined && this.#ofChannels.get(channelKey)!.length === 0) this.#ofChannels.delete(channelKey)
  }

  #queuesOf (entry: Entry): Queue[] {
    const queues = changesNobody(entry) ? [this.#all] : [this.#all, this.#changes]
    const { channelKey } = entry
    if (channelKey === undefined) return queues
    let ofChannel = this.#ofChannels.get(channelKey)
    if (ofChannel === undefined) this.#ofChannels.set(channelKey, ofChannel = new Queue())
    queues.push(ofChannel)
    return queues
  }

  /** Whether everything after a place is kept, and follows on it. */
  reaches ({ position, cursor }: Place): boolean {
    const { first } = this.#all
    if (first === undefined) return false
    return cursor === (position === first.position - 1 ? this.#before : this.#all.at(position - first.position)?.cursor)
  }

  /**
   * What comes after a place; undefined where it does not reach back to that.
   * @param channelKeys where it is given, what is of some channels
   */
  since (place: Place, channelKeys?: number[]): Entry[] | undefined {
    if (!this.reaches(place)) return undefined
    const { position } = place
    if (channelKeys === undefined) return this.#all.after(position)
    const found = channelKeys.flatMap(channelKey => this.#ofChannels.get(channelKey)?.after(position) ?? [])
    return found.sort((one, other) => one.position - other.position)
  }

  /** Of what is kept after a position, what changes what somebody may have. */
  changesSince (position: Position): Entry[] {
    return this.#changes.after(position)
  }

  clear (): void {
    this.#all.clear()
    this.#ofChannels.clear()
    this.#changes.clear()
    this.#characters = 0
  }
}

/** Entries in the order of the log; the first ones go. */
class Queue {
  /** Those before `#start` have gone. */
  #kept: Array<Entry | undefined> = []
  #start = 0

  get length (): number {
    return this.#kept.length - this.#start
  }

  get first (): Entry | undefined {
    return this.#kept[this.#start]
  }

  at (index: number): Entry | undefined {
    return index < 0 ? undefined : this.#kept[this.#start + index]
  }

  push (entry: Entry): void {
    this.#kept.push(entry)
  }

  shift (): void {
    this.#kept[this.#start++] = undefined // at once: it may be large, and so may be its frames
    // The places only now and then, so that it costs the same however many are kept.
    if (this.#start <= this.#kept.length / 2) return
    this.#kept = this.#kept.slice(this.#start)
    this.#start = 0
  }

  /** Those after a position. */
  after (position: Position): Entry[] {
    let [from, to] = [this.#start, this.#kept.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if (this.#kept[middle]!.position <= position) from = middle + 1
      else to = middle
    }
    return this.#kept.slice(from) as Entry[]
  }

  clear (): void {
    this.#kept = []
    this.#start = 0
  }
}

/** What an entry of an access control list takes, in characters, about. */
const LIST_ENTRY_CHARACTERS = 256

export function sizeOf ({ payload = '', members = [], access, channelLists, otherwise }: Entry): number {
  const lists = [access?.lists, access?.before?.lists, channelLists]
  const entries = lists.reduce((sum, lists) => sum + (lists === undefined ? 0 : lists.plus.length + lists.minus.length), 0)
  return payload.length + (otherwise?.payload?.length ?? 0) + members.length * MEMBER_CHARACTERS + entries * LIST_ENTRY_CHARACTERS
}
