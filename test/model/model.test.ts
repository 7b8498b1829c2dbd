import { modelSuite } from './suite.ts'

modelSuite(300, 110_000)
