/** Programs in which the service and the model were seen to differ, each for what it showed. */
import { it } from 'vitest'
import { useModelStage } from '../../model/suite.ts'
import { SYSTEM } from '../../relay/steps.ts'
import { none } from './lists.ts'
import { runProgram } from './run.ts'

const stage = useModelStage()

it('what a message says of somebody on the one side is new on the other: who changes its lists names no stranger as a reader', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'room', group: 'public' },
    { do: 'send', by: SYSTEM, channel: 'room', lists: { plus: [{ privilege: 'modify_acl', who: 'bob' }], minus: [{ privilege: 'read_message', who: 'bob' }] } },
    { do: 'patch message', by: 'bob', nth: 0, change: { set: { plus: [{ privilege: 'read_message', who: 'bob' }], minus: [] } } }
  ])
})

it('and who changes those of a channel lets nobody send as another', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'room', group: 'public', listed: [{ user: 'bob' }] },
    {
      do: 'patch channel',
      by: SYSTEM,
      channel: 'room',
      change: { set: { plus: [{ privilege: 'modify_acl', who: 'bob' }], minus: [{ privilege: 'send_as_other_to_channel', who: 'bob' }] } }
    },
    { do: 'patch channel', by: 'bob', channel: 'room', change: { set: { plus: [{ privilege: 'send_as_other_to_channel', who: 'bob' }], minus: [] } } },
    { do: 'send', by: 'bob', channel: 'room', as: 'amy' }
  ])
})

it('a message with any plus entry has no defaults at all, not even that nobody changes its lists', async () => {
  await runProgram(stage(), [
    { do: 'create', by: 'amy', channel: 'room', group: 'public', listed: [{ user: 'bob' }] },
    { do: 'send', by: 'amy', channel: 'room', lists: { plus: [{ privilege: 'read_message', who: 'participant' }], minus: [] } },
    { do: 'get access', by: 'bob', user: 'bob', channel: 'room', privilege: 'modify_acl', nth: 0 },
    { do: 'patch message', by: 'bob', nth: 0, change: { add: { plus: [], minus: [{ privilege: 'read_message', who: 'amy' }] }, remove: none } }
  ])
})

it('a message that names somebody, and is taken from active members, is its until it joins', async () => {
  await runProgram(stage(), [
    { do: 'create', by: SYSTEM, channel: 'room', group: 'public', lists: { plus: [{ privilege: 'read_from_channel', who: 'amy' }], minus: [] } },
    { do: 'send', by: SYSTEM, channel: 'room', lists: { plus: [{ privilege: 'read_message', who: 'amy' }], minus: [{ privilege: 'read_message', who: 'Active' }] } },
    { do: 'subscribe', by: 'amy', what: 'me', from: 'head', wait: true },
    { do: 'edit', by: SYSTEM, nth: 0 },
    { do: 'join', by: 'amy', channel: 'room' },
    { do: 'get message', by: 'amy', nth: 0 },
    { do: 'add message event', by: 'amy', nths: [0], event: { type: 'mitter.mtet.ReadTime', subject: 'oneself' } }
  ])
})
