/** Where the entries of one program lie in a log that has those of others too. */
import type { Cursor, Entry, Position } from '../../src/store/contract/log.ts'
import { parseCursor } from '../../src/store/core/cursor.ts'
import type { Store } from '../../src/store/contract/store.ts'

/** What a store has written, told to all programs that run on it. One for a store, begun before the first program. */
export class Cursors {
  readonly #tails = new Set<Tail>()
  readonly #end: () => void

  constructor (store: Store) {
    this.#end = store.onCommitted(entries => {
      for (const entry of entries) for (const tail of this.#tails) tail.note(entry)
    })
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
  #cursors: Cursors
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
    // Whoever reads the log itself may know of an entry before this store's writer has told of it.
    return this.upTo(parseCursor(cursor)!.position)
  }

  /** Goes on with the store that has all of it now. */
  follow (cursors: Cursors): void {
    this.stop()
    this.#cursors = cursors
    cursors.add(this)
  }

  stop (): void {
    this.#cursors.remove(this)
  }
}
