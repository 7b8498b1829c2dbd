import fc from 'fast-check'
import { afterAll, beforeAll, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { programs } from './programs.ts'
import { runProgram } from './run.ts'
import { keptConnections } from './world.ts'

let on: TestApp
const agent = keptConnections()
beforeAll(async () => { on = await startApp() })
afterAll(async () => { await agent.close(); await on.stop() })

it('answers, membership and every stream are as relay.md\'s tables say, whatever happens (10,000 programs of 30 steps)', async () => {
  await fc.assert(fc.asyncProperty(programs, program => runProgram(on, agent, program)), { numRuns: 10_000 })
}, 3_600_000)
