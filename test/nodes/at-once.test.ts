import { atOnceSuite } from './at-once-suite.ts'

atOnceSuite({ repetitions: 40, starts: 2, limitMs: 60_000 })
