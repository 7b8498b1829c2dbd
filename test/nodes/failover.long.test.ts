import { failoverSuite } from './failover-suite.ts'

failoverSuite({ failovers: 10, messages: 2_000, limitMs: 600_000 })
