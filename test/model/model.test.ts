import { readsAreDelayed } from '../support/stores.ts'
import { modelSuite } from './suite.ts'

modelSuite(readsAreDelayed ? 12 : 60, 110_000)
