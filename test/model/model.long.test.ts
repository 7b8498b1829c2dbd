import { modelSuite } from './suite.ts'

modelSuite(10_000, 3_600_000)
