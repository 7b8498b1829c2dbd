/** Lists give somebody a right, or take one, and it makes use of it: what is rarely met by chance. */
import fc from 'fast-check'
import { ONESELF } from '../../model/lines.ts'
import { SYSTEM } from '../../relay/steps.ts'
import { channelChange, messageChange, messageLists } from './list-programs.ts'
import { channelPrivileges, type ChannelPrivilege, type Lists } from './lists.ts'
import { users, type Line } from './lines.ts'

interface Means {
  by: string
  user: string
  channel: string
  /** Of whatever can be done by a right, which. */
  turn: number
  change: Extract<Line, { do: 'patch channel' }>['change']
}

/** What each privilege is good for. */
const uses: Record<ChannelPrivilege, (means: Means) => Line[]> = {
  join_channel: ({ by, channel }) => [{ do: 'join', by, channel }],
  remove_self: ({ by, channel }) => [{ do: 'leave', by, channel }],
  add_participant_to_channel: ({ by, user, channel, turn }) => [{ do: 'add', by, user, channel, status: turn % 2 === 0 ? 'Active' : 'ReadOnly' }],
  remove_participant: ({ by, channel }) => [{ do: 'remove', by, user: 'one who is active', channel }],
  list_participants: ({ by, channel }) => [{ do: 'list participants', by, channel }],
  read_from_channel: ({ by, channel, turn }) => [{ do: (['list messages', 'list channel events', 'get channel'] as const)[turn % 3]!, by, channel }],
  send_to_channel: ({ by, channel, turn }) => turn % 3 === 2
    ? [{ do: 'add channel event', by, channel, event: { type: 'seen-from-afar', subject: ONESELF } }]
    : [{ do: 'send', by, channel }, { do: 'edit', by, nth: 0 }],
  send_as_other_to_channel: ({ by, user, channel }) => [{ do: 'send', by, channel, as: user }],
  modify_channel_participation: ({ by, user, channel, turn }) => [
    { do: 'join', by: user, channel }, { do: turn % 2 === 0 ? 'accept' : 'reject', by, user: 'one who waits', channel },
    turn % 3 === 0 ? { do: 'mute', by, user: 'another who is active', channel } : { do: 'set roles', by, user: 'another who is active', channel, admin: turn % 3 === 1 }
  ],
  delete_channel: ({ by, channel, turn }) => turn % 3 === 0 ? [{ do: 'delete', by, channel }] : [],
  delete_messages_from_channel: ({ by, channel, turn }) => turn % 2 === 0 ? [{ do: 'truncate', by, channel }] : [{ do: 'delete messages', by, nths: [0] }],
  modify_acl: ({ by, channel, change }) => [{ do: 'patch channel', by, channel, change }]
}

const channel = fc.constantFrom('room', 'room', 'hall')
const user = fc.constantFrom(...users)
const by = fc.oneof(user, fc.constantFrom('one who is active', 'another who is active', 'one who is muted', 'one who waits'))
const taken = fc.constantFrom(false, false, false, true)

export const useOfChannel: fc.Arbitrary<Line[]> = fc.record({ privilege: fc.constantFrom(...channelPrivileges), by, user, channel, taken, turn: fc.nat({ max: 5 }), change: channelChange }).map(
  ({ privilege, taken, ...means }) => {
    const { by, channel } = means
    const entries = [{ privilege, who: by }]
    const add: Lists = taken ? { plus: [], minus: entries } : { plus: entries, minus: [] }
    return [{ do: 'patch channel', by: SYSTEM, channel, change: { add, remove: { plus: [], minus: [] } } }, ...uses[privilege](means)]
  })

export const useOfMessage: fc.Arbitrary<Line[]> = fc.record({ privilege: fc.constantFrom('modify_acl' as const, 'delete_message' as const), by, channel, taken, lists: messageLists, change: messageChange }).map(
  ({ privilege, by, channel, taken, lists: { plus, minus }, change }) => {
    const entries = [{ privilege, who: by }]
    const lists = taken ? { plus, minus: [...minus, ...entries] } : { plus: [...plus, ...entries], minus }
    return [{ do: 'send', by: taken ? by : SYSTEM, channel, lists }, privilege === 'modify_acl' ? { do: 'patch message', by, nth: 0, change } : { do: 'delete messages', by, nths: [0] }]
  })
