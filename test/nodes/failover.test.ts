import { failoverSuite } from './failover-suite.ts'

failoverSuite({ failovers: 2, messages: 400, limitMs: 120_000 })
