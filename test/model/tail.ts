/** Where the entries of one program lie in a log that has those of others too. */
import type { Cursor, Entry, Position } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'

/** Cursors that are remembered, newest first: far more than are written while a program runs. */
const REMEMBERED_CURSORS = 200_000

/** Every cursor that a store has written of late. One for a store, begun before the first program. */
export class Cursors {
  readonly #positions = new Map<Cursor, Position>()
  readonly #tails = new Set<Tail>()
  readonly #end: () => void

  constructor (store: Store) {
    this.#end = store.onCommitted(entries => this.#note(entries))
  }

  #note (entries: Entry[]): void {
    for (const entry of entries) {
      this.#positions.set(entry.cursor, entry.position)
      for (const tail of this.#tails) tail.note(entry)
      if (this.#positions.size > REMEMBERED_CURSORS) this.#positions.delete(this.#positions.keys().next().value!)
    }
  }

  /** 0 for the cursor of the log's beginning, which belongs to no entry. */
  positionOf (cursor: Cursor): Position {
    return this.#positions.get(cursor) ?? 0
  }

  add (tail: Tail): void {
    this.#tails.add(tail)
  }

  remove (tail: Tail): void {
    this.#tails.delete(tail)
  }

  stop (): void {
    this.#end()
  }
}

/** The entries of one program, in order: those of its channels, and deletions of its users. */
export class Tail {
  readonly places: Array<{ position: Position, cursor: Cursor }> = []
  /** The keys of its channels, in the order in which they were made. */
  readonly channelKeys: number[] = []
  readonly #cursors: Cursors
  readonly #owns: (id: string) => boolean
  readonly #indexes = new Map<Cursor, number>()

  /** @param owns whether an id of a channel, or of a user, is one of the program */
  constructor (cursors: Cursors, owns: (id: string) => boolean) {
    this.#cursors = cursors
    this.#owns = owns
    cursors.add(this)
  }

  note (entry: Entry): void {
    if (!this.#isOurs(entry)) return
    this.#indexes.set(entry.cursor, this.places.length)
    this.places.push({ position: entry.position, cursor: entry.cursor })
  }

  #isOurs ({ kind, channelKey, userId, payload }: Entry): boolean {
    if (kind === 'user-deleted') return this.#owns(userId!)
    if (channelKey === undefined) return false
    if (kind === 'channel' && this.#owns((JSON.parse(payload!) as { channel: { channelId: string } }).channel.channelId)) this.channelKeys.push(channelKey)
    return this.channelKeys.includes(channelKey)
  }

  /** Which entry of the program this is. */
  indexOf (cursor: Cursor | undefined): number | undefined {
    return cursor === undefined ? undefined : this.#indexes.get(cursor)
  }

  /** How many entries of the program lie up to a position. */
  upTo (position: Position): number {
    const next = this.places.findIndex(place => place.position > position)
    return next === -1 ? this.places.length : next
  }

  /** How many entries of the program lie up to a cursor, be it of whatever entry. */
  through (cursor: Cursor): number {
    return this.upTo(this.#cursors.positionOf(cursor))
  }

  stop (): void {
    this.#cursors.remove(this)
  }
}
