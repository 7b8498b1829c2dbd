/**
 * Entries that a stream gets in one turn of the loop, in their order. Streams that get the same have the same run, and its
 * bytes are made once for all of them.
 */
import type { Entry, Place } from '../store/contract/log.ts'
import { frameOf, joined, type Encoding, type Frame } from './bytes.ts'

/** What is written at once, in bytes, give or take one frame: a reader that takes nothing is found out before much more waits. */
const PIECE_BYTES = 64 * 1024

/** What is written at once. */
export interface Piece {
  readonly bytes: Buffer
  /** Of the last entry in it. */
  readonly place: Place
}

export class Run {
  readonly #before: Run | undefined
  /** The last of them; absent in the run that all begin with. */
  readonly entry: Entry | undefined
  /** The run that somebody went on with last. Entries come in one order: nobody goes on with one before it any more. */
  #next: Run | undefined
  readonly #pieces: Array<readonly Piece[] | undefined> = []
  #place: Place | undefined

  constructor (before?: Run, entry?: Entry) {
    this.#before = before
    this.entry = entry
  }

  /** This run, and the next entry. */
  and (entry: Entry): Run {
    if (this.#next?.entry !== entry) this.#next = new Run(this, entry)
    return this.#next!
  }

  /** Of its last entry: one for all streams, which hold it for longer than the entry. */
  get place (): Place {
    return (this.#place ??= placeOf(this.entry!))
  }

  /** None where no entry of it has a payload. */
  piecesFor (encoding: Encoding): readonly Piece[] {
    this.#pieces[encoding.index] ??= this.#makePieces(encoding)
    return this.#pieces[encoding.index]!
  }

  #makePieces (encoding: Encoding): Piece[] {
    const pieces: Piece[] = []
    let frames: Frame[] = []
    let bytes = 0
    let last: Entry
    const cut = () => {
      if (frames.length > 0) pieces.push({ bytes: joined(frames, encoding), place: placeOf(last) })
      frames = []
      bytes = 0
    }
    for (const entry of this.#entries()) {
      if (entry.payload === undefined) continue
      const frame = frameOf(entry, encoding)
      if (bytes + frame.length > PIECE_BYTES) cut()
      frames.push(frame)
      bytes += frame.length
      last = entry
    }
    cut()
    return pieces
  }

  #entries (): Entry[] {
    const entries: Entry[] = []
    for (let run: Run | undefined = this; run?.entry !== undefined; run = run.#before) entries.push(run.entry)
    return entries.reverse()
  }
}

const placeOf = ({ position, cursor }: Entry): Place => ({ position, cursor })
