import { readsAreDelayed, storeIsNear } from '../support/stores.ts'
import { modelSuite } from './suite.ts'

modelSuite(readsAreDelayed || !storeIsNear ? 12 : 60, 110_000)
