/** As at-once.test.ts, at length. */
import { holdAtOnce } from './at-once.ts'

holdAtOnce({ muted: 1_000, revoked: 1_000, starts: 20 })
