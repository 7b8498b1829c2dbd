import { readsAreDelayed } from '../support/stores.ts'
import { modelSuite } from './suite.ts'

modelSuite(readsAreDelayed ? 20 : 100, 110_000)
