/** Batches that this node has written itself, and which others' entries lie before that were not read yet. */
import type { Entry, Place, Position } from '../store/contract/log.ts'
import { sizeOf } from './ring.ts'

/** What is kept, in entries and in characters: as much as is written while a page of what lies before it is read, and much more. */
const ENTRIES = 4_096
const CHARACTERS = 4 * 1024 * 1024

export class Aside {
  readonly #entriesMax: number
  readonly #charactersMax: number
  #batches: Entry[][] = []
  #entries = 0
  #characters = 0

  constructor (entries = ENTRIES, characters = CHARACTERS) {
    this.#entriesMax = entries
    this.#charactersMax = characters
  }

  /** Where what is kept begins; `Infinity`: nothing is. */
  get begin (): Position {
    return this.#batches[0]?.[0]?.position ?? Infinity
  }

  /** The next batch. One for which there is no room is to be read, as everything is where the log was replaced meanwhile. */
  add (entries: Entry[]): void {
    const last = this.#batches.at(-1)?.at(-1)
    if (last !== undefined && last.position >= entries[0]!.position) {
      this.clear()
      return
    }
    const characters = charactersOf(entries)
    if (this.#entries + entries.length > this.#entriesMax || this.#characters + characters > this.#charactersMax) return
    this.#batches.push(entries)
    this.#entries += entries.length
    this.#characters += characters
  }

  /** The next entries after a place, if they are kept. What the place has passed, or what does not follow on it, is dropped. */
  next (place: Place): Entry[] | undefined {
    while (this.begin <= place.position + 1) {
      const batch = this.#batches.shift()!
      this.#entries -= batch.length
      this.#characters -= charactersOf(batch)
      const next = whatFollows(batch, place)
      if (next !== undefined && next.length > 0) return next
    }
    return undefined
  }

  clear (): void {
    this.#batches = []
    this.#entries = 0
    this.#characters = 0
  }
}

/**
 * What of some entries, without a hole between them, comes after a place; undefined where they do not follow on it, or it is
 * not known whether they do.
 */
export function whatFollows (entries: Entry[], { position, cursor }: Place): Entry[] | undefined {
  const index = position - entries[0]!.position
  const before = index === -1 ? entries[0]!.follows : entries[index]?.cursor
  if (before !== cursor) return undefined
  return index === -1 ? entries : entries.slice(index + 1)
}

const charactersOf = (entries: Entry[]): number => entries.reduce((sum, entry) => sum + sizeOf(entry), 0)
