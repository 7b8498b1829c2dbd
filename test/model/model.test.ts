import { readsAreDelayed } from '../support/stores.ts'
import { modelSuite } from './suite.ts'

modelSuite(readsAreDelayed ? 30 : 200, 110_000)
