import { fixtures } from '../store/fixtures/fixture.ts'
import { keptSuite } from './kept-suite.ts'

for (const fixture of fixtures) keptSuite(fixture)
