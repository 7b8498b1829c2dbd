import { readsAreDelayed } from '../../support/stores.ts'
import { accessModelSuite } from './suite.ts'

accessModelSuite(readsAreDelayed ? 500 : 5_000, 3_600_000, true)
