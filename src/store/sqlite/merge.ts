/**
 * Positions of several sources in one rising sequence, by index seeks alone: the cost of a page is what it
 * delivers, plus one seek for each source, however much others have written in between.
 */
import type { Position } from '../contract/log.ts'

/** Sources first read this many positions, then twice as many each time: a quiet channel costs one seek. */
const FIRST_CHUNK = 2
const LARGEST_CHUNK = 256

/** A rising sequence of positions, read in chunks: at most `limit` after `after`; none: it has ended. */
export interface PositionSource {
  read (after: Position, limit: number): Position[]
}

/** A source with what was read of it. */
interface Head {
  source: PositionSource
  /** Rising; from `next` on not yet given out. Empty: the source has ended. */
  buffer: Position[]
  next: number
  chunk: number
}

export class Merge {
  readonly #heads: Head[]
  readonly #after: Position

  constructor (sources: PositionSource[], after: Position) {
    this.#after = after
    this.#heads = sources.map(source => refill({ source, buffer: [], next: 0, chunk: FIRST_CHUNK }, after))
  }

  /** The positions of all sources after `after`, each once, up to another. */
  * upTo (end: Position): Generator<Position> {
    /** By their next position, the least at the end. */
    const heads = this.#heads.filter(({ buffer }) => buffer.length > 0).sort((one, other) => nextOf(other) - nextOf(one))
    let last = this.#after
    for (let head = heads.pop(); head !== undefined && nextOf(head) <= end; head = heads.pop()) {
      const position = nextOf(head)
      if (position > last) yield position
      last = position
      head.next++
      if (head.next === head.buffer.length) refill(head, position)
      if (head.buffer.length > 0) heads.splice(placeOf(head, heads), 0, head)
    }
  }

  /** By source, in the order in which they were given: the first position that was not gone past; undefined where it has ended. */
  get next (): Array<Position | undefined> {
    return this.#heads.map(({ buffer, next }) => buffer[next])
  }
}

function refill (head: Head, from: Position): Head {
  head.buffer = head.source.read(from, head.chunk)
  head.next = 0
  head.chunk = Math.min(head.chunk * 2, LARGEST_CHUNK)
  return head
}

function nextOf (head: Head): Position {
  return head.buffer[head.next]!
}

/** Where a head belongs in the falling order, found by halving. */
function placeOf (head: Head, heads: Head[]): number {
  let [low, high] = [0, heads.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (nextOf(heads[middle]!) > nextOf(head)) low = middle + 1
    else high = middle
  }
  return low
}
