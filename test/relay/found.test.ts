/** Programs in which the service and the model were seen to differ, each for what it showed. */
import { afterAll, beforeAll, it } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import { runProgram } from './run.ts'
import { SYSTEM } from './steps.ts'
import { keptConnections } from './world.ts'

let on: TestApp
const agent = keptConnections()
beforeAll(async () => { on = await startApp() })
afterAll(async () => { await agent.close(); await on.stop() })

it('of members who came at once, the first by id succeeds the last active admin, wherever it stood in the list', async () => {
  await runProgram(on, agent, [
    { do: 'create', by: 'amy', channel: 'room', group: 'public', listed: [{ user: 'cleo' }, { user: 'bob' }] },
    { do: 'set status', by: SYSTEM, user: 'amy', channel: 'room', status: 'Disabled' }
  ])
})

it('a channel that is not there is not_found for a user who may not delete it either: that a channel exists is asked first', async () => {
  await runProgram(on, agent, [{ do: 'delete', by: 'amy', channel: 'room' }])
})

it('a channel stream that a leave has ended goes on from that leave, when its reader has joined again', async () => {
  await runProgram(on, agent, [
    { do: 'create', by: 'amy', channel: 'hall', group: 'public', listed: [{ user: 'cleo' }] },
    { do: 'subscribe', by: 'cleo', what: 'hall', resume: false },
    { do: 'leave', by: 'cleo', channel: 'hall' },
    { do: 'join', by: 'cleo', channel: 'hall' },
    { do: 'cut', nth: 0 },
    { do: 'subscribe', by: 'cleo', what: 'hall', resume: true }
  ])
})
