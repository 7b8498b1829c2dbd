/** As campaign.test.ts, with a store that has been filled for long, and far more connections. */
import { campaign } from './campaign-suite.ts'

// A page of 4 MiB takes 50 ms, and now and then a collection of the garbage of hundreds of them falls into the same turn.
campaign({ scale: { channels: 200, messages: 200, others: 1_000 }, connections: 20, ahead: 50, sends: 50, turnMs: 120 })
