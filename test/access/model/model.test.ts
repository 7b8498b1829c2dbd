import { readsAreDelayed } from '../../support/stores.ts'
import { accessModelSuite } from './suite.ts'

accessModelSuite(readsAreDelayed ? 30 : 300, 110_000)
