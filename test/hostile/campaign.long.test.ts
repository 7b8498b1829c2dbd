/** As campaign.test.ts, with a store that has been filled for long, and far more connections. */
import { campaign } from './campaign-suite.ts'

campaign({ scale: { channels: 200, messages: 200, others: 1_000 }, connections: 20, ahead: 50, sends: 50 })
