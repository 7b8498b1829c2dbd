import { movedModelSuite } from './model-suite.ts'

movedModelSuite(200, 1_800_000)
