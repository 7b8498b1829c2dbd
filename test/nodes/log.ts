/** The log of a run, as it was read when all was over, and who was what in it when. */
import { parseCursor } from '../../src/store/core/cursor.ts'
import { isEntry, type Told } from './history.ts'

/** In a channel. Who was never in it is out. */
export type Status = 'active' | 'muted' | 'pending' | 'disabled' | 'out'

export const receives = (status: Status): boolean => status === 'active' || status === 'muted'

export class Log {
  readonly entries: Told[]
  /** By their texts. */
  readonly messages: Map<string, Told[]>
  readonly #indexes: Map<string, number>
  readonly #positions: number[]
  /** Where somebody's status in a channel changed, by both names. */
  readonly #changes = new Map<string, Array<{ index: number, entry: Told, status: Status }>>()

  constructor (told: Told[]) {
    this.entries = told.filter(isEntry)
    this.#indexes = new Map(this.entries.map(({ id }, index) => [id!, index]))
    this.#positions = this.entries.map(({ id }) => parseCursor(id ?? '')?.position ?? NaN)
    this.messages = Map.groupBy(this.entries.filter(({ event }) => event === 'message'), ({ text }) => text!)
    for (const [index, entry] of this.entries.entries()) {
      if (entry.event !== 'participation' && entry.event !== 'participation-deleted') continue
      const key = `${entry.user} ${entry.channel}`
      const changes = this.#changes.get(key) ?? []
      this.#changes.set(key, changes)
      changes.push({ index, entry, status: this.statusOf(entry) })
    }
  }

  /** What an entry has made of whom it is about. */
  statusOf ({ event, status }: Told): Status {
    return event === 'participation-deleted' ? 'out' : status as Status
  }

  changesOf (user: string, channel: string): Told[] {
    return (this.#changes.get(`${user} ${channel}`) ?? []).map(({ entry }) => entry)
  }

  /** After the entry at an index. */
  statusAt (user: string, channel: string, index: number): Status {
    return this.#changes.get(`${user} ${channel}`)?.findLast(change => change.index <= index)?.status ?? 'out'
  }

  /** Whether somebody who receives a channel at an index does so from there on to the end of the log. */
  staysFrom (user: string, channel: string, index: number): boolean {
    return !(this.#changes.get(`${user} ${channel}`) ?? []).some(change => change.index > index && !receives(change.status))
  }

  indexOf (id: string): number | undefined {
    return this.#indexes.get(id)
  }

  positionAt (index: number): number {
    return this.#positions[index]!
  }

  positionOf ({ id }: Told): number {
    return this.#positions[this.#indexes.get(id!)!]!
  }

  /** The last entry that is not after a place; -1: all are. Undefined: the place is not one of this log. */
  placeOf (id: string): number | undefined {
    const index = this.#indexes.get(id)
    if (index !== undefined) return index
    const place = parseCursor(id)
    if (place === undefined) return undefined
    let [low, high] = [0, this.#positions.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#positions[middle]! <= place.position) low = middle + 1
      else high = middle
    }
    // An entry that no stream is told of may be there; another one under the same position is of another history.
    return low > 0 && this.#positions[low - 1] === place.position ? undefined : low - 1
  }
}
