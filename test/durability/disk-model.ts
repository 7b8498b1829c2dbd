/**
 * What a disk holds of a file when the power fails, from the record of writes and syncs: all that a sync
 * which returned had covered, and of the rest whatever the disk happened to have got to.
 */
import type { Step } from './trace-lines.ts'

/** What a disk did with what it was given after the last sync. */
export type Fate =
  /** None of it is there. */
  | 'lost'
  /** All of it up to some byte is there. */
  | 'cut'
  /** Of each sector, by itself, it is there or not: a disk writes in the order that suits it. */
  | 'scattered'
  /** Where it was to be there is something else: sectors of what was there before, or half a write. */
  | 'garbage'

export const fates: Fate[] = ['lost', 'cut', 'scattered', 'garbage']

type Change = Extract<Step, { type: 'write' | 'truncate' }> & { place: number }

/** What a disk writes at once, in bytes. */
const SECTOR_BYTES = 512

/** One file. Fed with the steps that concern it, in their order, it answers for the moment after the last. */
export class DiskFile {
  readonly #durable = new Content()
  #unsynced: Change[] = []

  apply (step: Step, place: number): void {
    if (step.type === 'write' || step.type === 'truncate') this.#unsynced.push({ ...step, place })
    if (step.type !== 'sync-end' || !step.succeeded) return
    const covered = this.#unsynced.filter(change => change.place < step.begun)
    this.#unsynced = this.#unsynced.filter(change => change.place > step.begun)
    for (const change of covered) this.#durable.apply(change)
  }

  /** Bytes that a power cut may take. */
  get unsyncedBytes (): number {
    return this.#unsynced.reduce((sum, change) => sum + (change.type === 'write' ? change.bytes.length : 0), 0)
  }

  /** What any program would read while the power is on. */
  get current (): Buffer {
    const content = new Content(this.#durable.bytes)
    for (const change of this.#unsynced) content.apply(change)
    return content.bytes
  }

  /** What is on the disk when the power comes back. */
  afterPowerLoss (fate: Fate, random: () => number): Buffer {
    const content = new Content(this.#durable.bytes)
    let left = fate === 'cut' ? Math.floor(random() * (this.unsyncedBytes + 1)) : Infinity
    for (const change of fate === 'lost' ? [] : this.#unsynced) {
      if (change.type === 'truncate') {
        if (fate === 'cut' ? left > 0 : random() < 0.5) content.apply(change)
        continue
      }
      const length = Math.min(left, change.bytes.length)
      left -= length
      for (const { from, to } of sectorsOf(change.offset, length)) {
        const sector = change.bytes.subarray(from - change.offset, to - change.offset)
        const arrived = fate === 'cut' || random() < 0.5
        if (arrived) content.write(from, sector)
        else if (fate === 'garbage') content.write(from, Buffer.from(sector.map(() => Math.floor(random() * 256))))
      }
    }
    return content.bytes
  }
}

/** `offset` to `offset + length`, in pieces that do not cross a sector's border. */
function sectorsOf (offset: number, length: number): Array<{ from: number, to: number }> {
  const sectors = []
  for (let from = offset; from < offset + length;) {
    const to = Math.min((Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES, offset + length)
    sectors.push({ from, to })
    from = to
  }
  return sectors
}

/** A file's bytes. */
class Content {
  #memory: Buffer
  #length: number

  constructor (bytes: Buffer = Buffer.alloc(0)) {
    this.#memory = Buffer.from(bytes)
    this.#length = bytes.length
  }

  get bytes (): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  write (offset: number, bytes: Buffer): void {
    this.#resize(Math.max(this.#length, offset + bytes.length))
    bytes.copy(this.#memory, offset)
  }

  apply (change: Change): void {
    if (change.type === 'write') this.write(change.offset, change.bytes)
    else this.#resize(change.size)
  }

  /** A file that grows is filled with zeros. */
  #resize (length: number): void {
    if (length > this.#memory.length) {
      const larger = Buffer.alloc(length * 2)
      this.bytes.copy(larger)
      this.#memory = larger
    }
    if (length > this.#length) this.#memory.fill(0, this.#length, length)
    this.#length = length
  }
}
