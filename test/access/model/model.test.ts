import { readsAreDelayed, storeIsNear } from '../../support/stores.ts'
import { accessModelSuite } from './suite.ts'

accessModelSuite(readsAreDelayed || !storeIsNear ? 20 : 150, 150_000)
