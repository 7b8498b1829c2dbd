import { readsAreDelayed } from '../support/stores.ts'
import { modelSuite } from './suite.ts'

modelSuite(readsAreDelayed ? 24 : 150, 110_000)
