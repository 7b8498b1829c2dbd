/** This node's tail of the log: what the hub learns, in the order in which it was committed. */
import type { Entry, Place, Store } from '../store/store.ts'

export interface FeedListener {
  /** The next entries of the log, without a hole before, between, or doubles. */
  onEntries (entries: Entry[]): void
  /** Entries were missed: whoever relied on having seen all must read the log again. */
  onHole (): void
}

export class Feed {
  /** The last place that the listener has seen; everything after it is still to come. */
  head: Place
  readonly #end: () => void

  private constructor (store: Store, head: Place, listener: FeedListener) {
    this.head = head
    this.#end = store.onCommitted(entries => this.#receive(entries, listener))
  }

  /** Starts at the log's head. */
  static async start (store: Store, listener: FeedListener): Promise<Feed> {
    return new Feed(store, await store.head(), listener)
  }

  #receive (committed: Entry[], listener: FeedListener): void {
    const entries = committed.filter(({ position }) => position > this.head.position)
    const [first, last] = [entries[0], entries.at(-1)]
    if (first === undefined || last === undefined) return
    const follows = first.position === this.head.position + 1
    this.head = last
    if (follows) listener.onEntries(entries)
    else listener.onHole()
  }

  stop (): void {
    this.#end()
  }
}
