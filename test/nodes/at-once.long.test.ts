import { atOnceSuite } from './at-once-suite.ts'

atOnceSuite({ repetitions: 1_000, starts: 20, limitMs: 600_000 })
