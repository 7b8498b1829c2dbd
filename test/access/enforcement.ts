/** Every privilege with what it guards: calls over HTTP, and how they end by default. */
import type { EntityKind, Privilege } from '../../src/rules/access.ts'
import { theApp } from '../relay/stage.ts'
import type { Answer, World } from '../relay/world.ts'

/** Somebody tries. */
type Attempt = (world: World, by: string) => Promise<Answer>

export interface Guarded {
  privilege: Privilege
  of: EntityKind
  /** Who tries: bob is an active member of `room`, dan is not in it. */
  by: 'bob' | 'dan'
  attempts: Record<string, Attempt>
  /** How each attempt ends without lists: 200 or 204, or as relay.md says. */
  byDefault: 'done' | string
  /** Of a stranger's attempts, where they end otherwise. */
  byDefaultOfStranger?: string
  /** How each ends where lists refuse it; absent: with 403 `missing_privilege`, which names the privilege. */
  refused?: string
  /** Goes along with lists of a message, so that whoever may not change it reads it still. */
  beside?: string
}

const GROUP_CHAT = 'io.mitter.ruleset.chats.GroupChat'
const event = (type: string) => (world: World, by: string) => ({ type, eventTimeMs: 1, subject: world.id(by) })
const [custom, receipt] = [event('com.example.seen'), event('mitter.mtet.ReadTime')]

type Body = object | ((world: World, by: string) => object)

/** A call, with ids in the place of `:application`, `:room` (the channel), `:note` (cleo's message), `:own` (bob's), `:cleo` and `:eve` (who asked to join). */
const calls = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: Body): Attempt => async (world, by) => {
  const idOf = (name: string) => name === 'application' ? theApp().credentials.applicationId : world.id(name)
  return await world.call(by, method, path.replaceAll(/:([a-z]+)/g, (_, name: string) => idOf(name)), typeof body === 'function' ? body(world, by) : body)
}

const unchanged = { patchType: 'Diff', addAcls: {} }

const ofApplication: Guarded[] = [
  { privilege: 'create_channel', of: 'application', by: 'bob', byDefault: 'done', attempts: { 'creating a channel': calls('POST', '/v1/channels', { defaultRuleSet: GROUP_CHAT }) } },
  { privilege: 'create_user', of: 'application', by: 'bob', byDefault: '403', attempts: { 'creating a user': calls('POST', '/v1/users', {}) } },
  { privilege: 'list_channels', of: 'application', by: 'bob', byDefault: '403', attempts: { 'listing channels': calls('GET', '/v1/channels') } },
  {
    privilege: 'list_user_data',
    of: 'application',
    by: 'bob',
    byDefault: '403',
    attempts: { 'listing users': calls('GET', '/v1/users'), 'reading another user': calls('GET', '/v1/users/:cleo') }
  },
  { privilege: 'modify_acl', of: 'application', by: 'bob', byDefault: '403', attempts: { 'changing its lists': calls('PATCH', '/v1/applications/:application/acls', unchanged) } }
]

const ofChannel: Guarded[] = [
  {
    privilege: 'join_channel', of: 'channel', by: 'dan', byDefault: 'done', attempts: { joining: calls('POST', '/v1/channels/:room/participants', world => ({ participantId: world.id('dan') })) }
  },
  { privilege: 'remove_self', of: 'channel', by: 'bob', byDefault: 'done', attempts: { leaving: calls('DELETE', '/v1/channels/:room/participants/me') } },
  {
    privilege: 'add_participant_to_channel',
    of: 'channel',
    by: 'bob',
    byDefault: '403',
    attempts: { 'adding another': calls('POST', '/v1/channels/:room/participants', world => ({ participantId: world.id('dan') })) }
  },
  { privilege: 'remove_participant', of: 'channel', by: 'bob', byDefault: '403', attempts: { 'removing another': calls('DELETE', '/v1/channels/:room/participants/:cleo') } },
  {
    privilege: 'list_participants',
    of: 'channel',
    by: 'bob',
    byDefault: 'done',
    byDefaultOfStranger: '403 user_not_in_group',
    attempts: { 'listing participants': calls('GET', '/v1/channels/:room/participants') }
  },
  {
    privilege: 'read_from_channel',
    of: 'channel',
    by: 'bob',
    byDefault: 'done',
    byDefaultOfStranger: '403 user_not_in_group',
    attempts: {
      'listing messages': calls('GET', '/v1/channels/:room/messages'),
      'reading its timeline': calls('GET', '/v1/channels/:room/timeline'),
      'opening its stream': async (world, by) => await world.take({ do: 'stream', by, channel: 'room' })
    }
  },
  {
    privilege: 'send_to_channel',
    of: 'channel',
    by: 'bob',
    byDefault: 'done',
    byDefaultOfStranger: '403 user_not_in_group',
    attempts: { sending: calls('POST', '/v1/channels/:room/messages', { textPayload: 'Hello' }) }
  },
  {
    privilege: 'send_to_channel',
    of: 'channel',
    by: 'bob',
    byDefault: 'done',
    attempts: {
      'editing one\'s own message': calls('PATCH', '/v1/channels/:room/messages/:own', { textPayload: 'Hello again' }),
      'adding an event to its timeline': calls('POST', '/v1/channels/:room/timeline', custom),
      'adding an event to a message': calls('POST', '/v1/channels/:room/messages/:note/timeline', custom)
    }
  },
  {
    privilege: 'send_as_other_to_channel',
    of: 'channel',
    by: 'bob',
    byDefault: '403 send_as_other_to_channel',
    attempts: { 'sending as another': calls('POST', '/v1/channels/:room/messages', world => ({ textPayload: 'Hello', senderId: world.id('cleo') })) }
  },
  {
    privilege: 'modify_channel_participation',
    of: 'channel',
    by: 'bob',
    byDefault: '403 not_admin',
    refused: '403 not_admin',
    attempts: {
      muting: calls('POST', '/v1/channels/:room/participants/:cleo/mute'),
      unmuting: calls('POST', '/v1/channels/:room/participants/:cleo/unmute'),
      'changing roles': calls('PATCH', '/v1/channels/:room/participants/:cleo', { roles: ['admin'] }),
      accepting: calls('POST', '/v1/channels/:room/participants/:eve/accept')
    }
  },
  {
    privilege: 'modify_channel_participation',
    of: 'channel',
    by: 'bob',
    byDefault: '403 not_admin',
    refused: '403 not_admin',
    attempts: { 'turning away': calls('POST', '/v1/channels/:room/participants/:eve/reject') }
  },
  {
    privilege: 'delete_messages_from_channel',
    of: 'channel',
    by: 'bob',
    byDefault: '403',
    attempts: { 'deleting all messages': calls('DELETE', '/v1/channels/:room/messages') }
  },
  {
    // Of a message without lists it is the message's default that refuses: it is for its sender.
    privilege: 'delete_messages_from_channel',
    of: 'channel',
    by: 'bob',
    byDefault: '403',
    refused: '403',
    attempts: { 'deleting another\'s message': calls('DELETE', '/v1/channels/:room/messages/:note') }
  },
  { privilege: 'modify_acl', of: 'channel', by: 'bob', byDefault: '403', attempts: { 'changing its lists': calls('PATCH', '/v1/channels/:room/acls', unchanged) } },
  { privilege: 'delete_channel', of: 'channel', by: 'bob', byDefault: '403', attempts: { 'deleting it': calls('DELETE', '/v1/channels/:room') } }
]

const ofMessage: Guarded[] = [
  {
    privilege: 'read_message',
    of: 'message',
    by: 'bob',
    byDefault: 'done',
    byDefaultOfStranger: '404',
    refused: '404',
    attempts: { 'reading it': calls('GET', '/v1/messages/:note'), 'reading its lists': calls('GET', '/v1/messages/:note/acls') }
  },
  {
    privilege: 'read_message',
    of: 'message',
    by: 'bob',
    byDefault: 'done',
    byDefaultOfStranger: '403 user_not_in_group',
    refused: '404',
    attempts: {
      'reading its timeline': calls('GET', '/v1/channels/:room/messages/:note/timeline'),
      'adding a receipt': calls('POST', '/v1/channels/:room/messages/:note/timeline', receipt),
      'naming it in a list': calls('GET', '/v1/channels/:room/messages?before=:note')
    }
  },
  {
    privilege: 'delete_message',
    of: 'message',
    by: 'bob',
    byDefault: '403',
    byDefaultOfStranger: '403 user_not_in_group',
    beside: '+read_message:any_user()',
    attempts: { 'deleting it': calls('DELETE', '/v1/channels/:room/messages/:note') }
  },
  {
    privilege: 'modify_acl',
    of: 'message',
    by: 'bob',
    byDefault: '403',
    byDefaultOfStranger: '404',
    beside: '+read_message:any_user()',
    attempts: { 'changing its lists': calls('PATCH', '/v1/messages/:note/acls', unchanged) }
  }
]

export const guarded: Guarded[] = [...ofApplication, ...ofChannel, ...ofMessage]
