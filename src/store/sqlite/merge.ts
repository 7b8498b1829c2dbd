/**
 * Positions of several sources in one rising sequence, by index seeks alone: the cost of a replay is what it
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

/** A source with what was read of it, not empty. */
interface Head {
  source: PositionSource
  /** Rising; from `next` on not yet given out. */
  buffer: Position[]
  next: number
  chunk: number
}

/** The positions of all sources after `after`, each once. */
export function * merge (sources: PositionSource[], after: Position): Generator<Position> {
  /** By their next position, the least at the end. */
  const heads: Head[] = []
  const refill = (source: PositionSource, from: Position, chunk: number): Head | undefined => {
    const buffer = source.read(from, chunk)
    return buffer.length === 0 ? undefined : { source, buffer, next: 0, chunk: Math.min(chunk * 2, LARGEST_CHUNK) }
  }
  for (const source of sources) {
    const head = refill(source, after, FIRST_CHUNK)
    if (head !== undefined) heads.push(head)
  }
  heads.sort((one, other) => nextOf(other) - nextOf(one))
  let last = after
  for (let head = heads.pop(); head !== undefined; head = heads.pop()) {
    const position = nextOf(head)
    if (position > last) yield position
    last = position
    head.next++
    const rest = head.next < head.buffer.length ? head : refill(head.source, position, head.chunk)
    if (rest !== undefined) heads.splice(placeOf(rest, heads), 0, rest)
  }
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
