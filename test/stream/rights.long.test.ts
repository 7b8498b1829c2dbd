import fc from 'fast-check'
import { afterAll, beforeAll, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { programs, runProgram } from './rights.ts'

let on: TestApp
beforeAll(async () => { on = await startApp() })
afterAll(() => on.stop())

it('each stream carries what its reader was and is entitled to, whatever happened (5,000 programs)', async () => {
  await fc.assert(fc.asyncProperty(programs, program => runProgram(on, program)), { numRuns: 5_000 })
}, 1_800_000)
