import { movedModelSuite } from './model-suite.ts'

movedModelSuite(8, 120_000)
