/**
 * The time by which things grow old. A clock that jumps, because it was set or because the machine slept, says nothing
 * of how old they are: for a while nothing is removed by its age, so that a wrong time that is soon put right costs nothing.
 * So it is after a start: nobody has seen how this clock came to what it says.
 */
import { uptime } from 'node:os'

/** Away from the monotonic clock by more than this between two looks is a jump, in milliseconds. */
const JUMP_MS = 60_000

/** How long a clock must have gone steadily, since then or since the start, in milliseconds. */
const STEADY_MS = 3_600_000

/** Time by a clock that nobody sets, in milliseconds; where it can be, one that goes on while the machine sleeps. */
const monotonicTime = process.platform === 'linux' ? () => uptime() * 1_000 : () => performance.now()

export interface ClockSettings {
  /** How long it must have gone steadily, in milliseconds: an hour unless given. */
  steadyMs?: number
  /** Milliseconds since the epoch; and since some moment, by a clock that nobody sets. */
  wall?: () => number
  monotonic?: () => number
}

export interface ClockOptions extends ClockSettings {
  /** Told of a jump, in milliseconds; backwards where it is negative. */
  onJump: (ms: number) => void
}

export class Clock {
  readonly #options: Required<ClockOptions>
  #last: { wall: number, monotonic: number }
  /** When it jumped last, or began. */
  #jumpedAt: number

  constructor ({ onJump, steadyMs = STEADY_MS, wall = Date.now, monotonic = monotonicTime }: ClockOptions) {
    this.#options = { onJump, steadyMs, wall, monotonic }
    this.#last = { wall: wall(), monotonic: monotonic() }
    this.#jumpedAt = this.#last.monotonic
  }

  /** The time, in milliseconds since the epoch; `steady`: ages may be told by it. */
  look (): { now: number, steady: boolean } {
    const now = { wall: this.#options.wall(), monotonic: this.#options.monotonic() }
    const jump = (now.wall - this.#last.wall) - (now.monotonic - this.#last.monotonic)
    this.#last = now
    if (Math.abs(jump) > JUMP_MS) {
      this.#jumpedAt = now.monotonic
      this.#options.onJump(jump)
    }
    return { now: now.wall, steady: now.monotonic - this.#jumpedAt >= this.#options.steadyMs }
  }
}
