/**
 * Positions of several sources in one rising sequence, by index seeks alone, as the embedded store has them
 * (../sqlite/merge.ts); but a look at a source is on its way for a while, so that those which need one are looked at together.
 */
import type { Position } from '../contract/log.ts'

/** Sources first read this many positions, then twice as many each time. A single one reads all that is wanted. */
const FIRST_CHUNK = 2
const LARGEST_CHUNK = 512

/** A rising sequence of positions, read in chunks: at most `limit` after `after`; fewer: it has ended. */
export interface PositionSource {
  read (after: Position, limit: number): Promise<Position[]>
}

export interface Merged {
  /** Rising, each once. */
  positions: Position[]
  /** By source: where it goes on after a position, not after its next one; undefined: it has no more. */
  next (after: Position): Array<Position | undefined>
}

/** What was read of a source. */
interface Head {
  source: PositionSource
  positions: Position[]
  /** Those that are given out, or are another's too. */
  taken: number
  chunk: number
  ended: boolean
}

/** The positions after one and up to another, as many as are wanted. */
export async function merge (sources: PositionSource[], after: Position, upTo: Position, limit: number): Promise<Merged> {
  const first = Math.max(FIRST_CHUNK, Math.ceil(limit / sources.length))
  const heads = sources.map((source): Head => ({ source, positions: [], taken: 0, chunk: first, ended: false }))
  const positions: Position[] = []
  let last = after
  while (positions.length < limit) {
    await Promise.all(heads.filter(isEmpty).map(head => refill(head, last)))
    if (!give(heads)) break
  }
  return { positions, next: after => heads.map(head => nextOf(head, after)) }

  /** Gives out what is known to come next. False: there is no more. */
  function give (heads: Head[]): boolean {
    while (positions.length < limit) {
      let least = Infinity
      for (const { positions, taken, ended } of heads) {
        if (taken < positions.length) least = Math.min(least, positions[taken]!)
        else if (!ended) return true
      }
      if (least === Infinity || least > upTo) return false
      positions.push(least)
      last = least
      for (const head of heads) if (head.positions[head.taken] === least) head.taken++
    }
    return true
  }
}

const isEmpty = ({ positions, taken, ended }: Head): boolean => taken === positions.length && !ended

async function refill (head: Head, after: Position): Promise<void> {
  const found = await head.source.read(Math.max(after, head.positions.at(-1) ?? 0), head.chunk)
  head.positions.push(...found)
  head.ended = found.length < head.chunk
  head.chunk = Math.min(2 * head.chunk, LARGEST_CHUNK)
}

function nextOf ({ positions, ended }: Head, after: Position): Position | undefined {
  return positions.find(position => position > after) ?? (ended ? undefined : (positions.at(-1) ?? after) + 1)
}
