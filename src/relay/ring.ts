/** The newest entries of the log, bounded in number and in text; the oldest go first. */
import type { Entry, Position } from '../store/contract/log.ts'

/** Enough for what is written while a page of a replay is being read, at thousands of entries a second. */
const ENTRIES = 8_192

/** What they may hold, in characters. */
const CHARACTERS = 16 * 1024 * 1024

/** What a member of a new channel takes, in characters, about: an id and its place in a list. */
const MEMBER_CHARACTERS = 128

export class Ring {
  readonly #entries: number
  readonly #charactersMax: number
  /** In log order, without holes; those before `#first` have gone. */
  #kept: Array<Entry | undefined> = []
  #first = 0
  #characters = 0

  constructor (entries = ENTRIES, characters = CHARACTERS) {
    this.#entries = entries
    this.#charactersMax = characters
  }

  /** The next entries of the log. */
  push (entries: Entry[]): void {
    for (const entry of entries) {
      this.#kept.push(entry)
      this.#characters += sizeOf(entry)
    }
    while (this.#kept.length - this.#first > this.#entries || this.#characters > this.#charactersMax) {
      this.#characters -= sizeOf(this.#kept[this.#first]!)
      this.#kept[this.#first++] = undefined // at once: it may be large, and so may be its frame
    }
    // The places only now and then, so that a push costs the same however many are kept.
    if (this.#first > this.#entries) {
      this.#kept = this.#kept.slice(this.#first)
      this.#first = 0
    }
  }

  /** Everything after a position; undefined where some of that has gone. */
  since (position: Position): Entry[] | undefined {
    const oldest = this.#kept[this.#first]?.position
    if (oldest === undefined || oldest > position + 1) return undefined
    return this.#kept.slice(this.#first + position + 1 - oldest) as Entry[]
  }

  clear (): void {
    this.#kept = []
    this.#first = 0
    this.#characters = 0
  }
}

/** What an entry of an access control list takes, in characters, about. */
const LIST_ENTRY_CHARACTERS = 256

function sizeOf ({ payload = '', members = [], access, channelLists, otherwise }: Entry): number {
  const lists = [access?.lists, access?.before?.lists, channelLists]
  const entries = lists.reduce((sum, lists) => sum + (lists === undefined ? 0 : lists.plus.length + lists.minus.length), 0)
  return payload.length + (otherwise?.payload?.length ?? 0) + members.length * MEMBER_CHARACTERS + entries * LIST_ENTRY_CHARACTERS
}
