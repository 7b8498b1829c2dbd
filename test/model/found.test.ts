/** Programs in which the service and the model were seen to differ, each for what it showed. */
import { it } from 'vitest'
import { SYSTEM } from '../relay/steps.ts'
import { ONESELF } from './lines.ts'
import { runProgram } from './run.ts'
import { useModelStage } from './suite.ts'

const stage = useModelStage()

it('of members who came at once, the first by id succeeds the last active admin, wherever it stood in the list', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'room', group: 'public', listed: [{ user: 'cleo' }, { user: 'bob' }] },
    { do: 'set status', by: SYSTEM, user: 'amy', channel: 'room', status: 'Disabled' }
  ])
})

it('a channel that is not there is not_found for a user who may not delete it either: that a channel exists is asked first', async () => {
  await runProgram(stage(), [{ do: 'delete', by: 'amy', channel: 'room' }])
})

it('a channel stream that a leave has ended goes on from that leave, when its reader has joined again', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'hall', group: 'public', listed: [{ user: 'cleo' }] },
    { do: 'subscribe', by: 'cleo', what: 'hall', from: 'head', wait: true },
    { do: 'leave', by: 'cleo', channel: 'hall' },
    { do: 'join', by: 'cleo', channel: 'hall' },
    { do: 'cut', nth: 0 },
    { do: 'subscribe', by: 'cleo', what: 'hall', from: 'cut', wait: true }
  ])
})

it('a participant that was not to receive a channel when it was made, and does now, is told of its making on a replay', async () => {
  await runProgram(stage(), [
    { do: 'create', by: SYSTEM, channel: 'hall', group: 'public', listed: [{ user: 'bob', status: 'Disabled' }] },
    { do: 'set status', by: SYSTEM, user: 'bob', channel: 'hall', status: 'Active' }
  ])
})

it('a channel shows its timeline to those who may read it: not to a stranger of a public one, not to who waits to come in', async () => {
  const event = { type: 'mitter.mtet.ReadTime', subject: ONESELF }
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'room', group: 'public', event },
    { do: 'get channel', by: 'bob', channel: 'room' },
    { do: 'create', by: 'amy', channel: 'hall', group: 'private', event },
    { do: 'join', by: 'bob', channel: 'hall' },
    { do: 'get channel', by: 'bob', channel: 'hall' }
  ])
})

it('a deleted user is no subject any more of what its channel, or a message of another, began with', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'bob', channel: 'room', group: 'public', event: { type: 'seen-from-afar', subject: ONESELF } },
    { do: 'send', by: SYSTEM, channel: 'room', event: { type: 'mitter.mtet.ReadTime', subject: 'bob' } },
    { do: 'subscribe', by: SYSTEM, what: 'room', from: 'head', wait: true },
    { do: 'delete user', by: SYSTEM, user: 'bob' },
    { do: 'edit', by: SYSTEM, nth: 0 },
    { do: 'get channel', by: SYSTEM, channel: 'room' },
    { do: 'list channel events', by: SYSTEM, channel: 'room' }
  ])
})

it('a deleted user is not named where the application edits a message that it left', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'room', group: 'public', listed: [{ user: 'bob' }] },
    { do: 'send', by: 'bob', channel: 'room' },
    { do: 'subscribe', by: 'amy', what: 'room', from: 'head', wait: true },
    { do: 'delete user', by: SYSTEM, user: 'bob' },
    { do: 'edit', by: SYSTEM, nth: 0 }
  ])
})

it('a message that one may not read is one that does not exist; its sender may read it after leaving', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'room', group: 'public', listed: [{ user: 'bob' }] },
    { do: 'send', by: 'bob', channel: 'room' },
    { do: 'leave', by: 'bob', channel: 'room' },
    { do: 'get message', by: 'bob', nth: 0 },
    { do: 'get message', by: 'cleo', nth: 0 }
  ])
})
