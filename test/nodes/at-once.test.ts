/** The full counts: at-once.long.test.ts. */
import { holdAtOnce } from './at-once.ts'

holdAtOnce({ muted: 50, revoked: 50, starts: 2 })
