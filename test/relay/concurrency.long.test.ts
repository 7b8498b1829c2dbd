import { concurrencySuite } from './concurrency-suite.ts'

concurrencySuite(100)
