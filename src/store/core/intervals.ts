/** Members' intervals that a layer of state has begun and ended. */
import type { Position } from '../contract/log.ts'
import type { Changes } from './changes.ts'
import type { IntervalRecord } from './records.ts'

export class Intervals {
  /** Ends of those that were in force before. */
  readonly closed: Changes['closed'] = []
  readonly opened: IntervalRecord[] = []
  /** Those of `opened` that are in force, by channel key and user key. */
  #inForce: Map<string, IntervalRecord> | undefined

  close (userKey: number, channelKey: number, untilPosition: Position): void {
    const key = `${channelKey} ${userKey}`
    const own = this.#inForce?.get(key)
    if (own === undefined) {
      this.closed.push({ userKey, channelKey, untilPosition })
    } else {
      own.untilPosition = untilPosition
      this.#inForce!.delete(key)
    }
  }

  open (interval: IntervalRecord): void {
    this.opened.push(interval)
    if (interval.untilPosition === undefined) (this.#inForce ??= new Map()).set(`${interval.channelKey} ${interval.userKey}`, interval)
  }

  /** Takes over what the layer above has begun and ended. */
  absorb ({ closed, opened }: Intervals): void {
    for (const { userKey, channelKey, untilPosition } of closed) this.close(userKey, channelKey, untilPosition)
    for (const interval of opened) this.open(interval)
  }
}
