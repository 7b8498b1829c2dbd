import { readsAreDelayed } from '../support/stores.ts'
import { modelSuite } from './suite.ts'

modelSuite(readsAreDelayed ? 1_000 : 10_000, 3_600_000)
