import { readsAreDelayed } from '../../support/stores.ts'
import { accessModelSuite } from './suite.ts'

accessModelSuite(readsAreDelayed ? 20 : 300, 150_000)
