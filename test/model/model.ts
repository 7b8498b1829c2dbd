/**
 * A plain model of relay.md and docs/protocol.md: channels, who is in them, what is said, and the history of what
 * happened. It knows nothing of the service's code, and decides by the tables in tables.ts, in relay.md's order of checks.
 */
import { statusOf, SYSTEM, type On, type Step } from '../relay/steps.ts'
import { reading, receiving } from '../relay/tables.ts'
import { receives } from './history.ts'
import * as members from './members.ts'
import * as messages from './messages.ts'
import { log, messageIn, standing, type Channel, type State } from './state.ts'

/** What whoever is deleted is answered: its credentials are good no more. */
export const NOBODY = 'nobody'

/** Takes a step, and says what the answer is: status and reason, as tables.ts writes them. A refusal changes nothing. */
export function take (state: State, step: Step): string {
  if (state.deleted.has(step.by)) return NOBODY
  switch (step.do) {
    case 'create user': return step.by === SYSTEM ? '409 ?' : '403 ?' // everybody whom a step names was there once
    case 'delete user': return deleteUser(state, step)
    case 'get message': return getMessage(state, step)
    case 'create': return create(state, step)
  }
  const channel = state.channels.get(step.channel)
  if (channel === undefined) return '404 not_found'
  switch (step.do) {
    case 'join': return members.join(state, channel, step.by)
    case 'add': return members.add(state, channel, step)
    case 'leave': return members.leave(state, channel, step.by)
    case 'remove': return members.remove(state, channel, step)
    case 'accept':
    case 'reject': return members.acceptOrReject(state, channel, step)
    case 'mute':
    case 'unmute': return members.muteOrUnmute(state, channel, step)
    case 'set status': return members.setStatus(state, channel, step)
    case 'set roles': return members.setRoles(state, channel, step)
    case 'send': return messages.send(state, channel, step)
    case 'edit': return messages.edit(state, channel, step)
    case 'delete messages': return messages.deleteMessages(state, channel, step)
    case 'truncate': return messages.truncate(state, channel, step)
    case 'add channel event': return messages.addChannelEvent(state, channel, step)
    case 'add message event': return messages.addMessageEvent(state, channel, step)
    case 'delete': return deleteChannel(state, channel, step.by)
    case 'get channel': return reading[channel.group][standing(channel, step.by)] ?? '200'
    case 'list message events': {
      const refused = receiving[standing(channel, step.by)]
      return refused ?? (step.messages.every(name => messageIn(state, channel, name)) ? '200' : '404 ?')
    }
    case 'list participants':
    case 'list messages':
    case 'list channel events':
    case 'stream': return receiving[standing(channel, step.by)] ?? '200'
  }
}

function create (state: State, { by, channel: name, group, direct = false, listed = [], event }: On<'create'>): string {
  if (state.channels.has(name)) return '409 already_exists'
  const wrong = event && messages.newEvent(state, by, event)
  if (wrong !== undefined) return wrong
  if (listed.some(({ user }) => state.deleted.has(user))) return '404 ?'
  const index = state.history.length
  const all = by === SYSTEM || direct ? listed : [{ user: by, admin: true }, ...listed.filter(({ user }) => user !== by)]
  const channel: Channel = {
    name,
    group,
    direct,
    created: index,
    members: new Map(all.map(({ user, status = 'Active', admin = false }) =>
      [user, { status: statusOf[status], admin, activeSince: index, mutedBefore: false, cameWith: index }])),
    past: new Map(),
    vacant: false,
    began: event === undefined ? [] : [event],
    added: []
  }
  state.channels.set(name, channel)
  log(state, channel, 'channel', event === undefined ? {} : { event })
  return '200'
}

function deleteChannel (state: State, channel: Channel, by: string): string {
  if (by !== SYSTEM) return '403 ?'
  messages.loseMessages(state, channel)
  channel.deletedAt = state.history.length
  log(state, channel, 'channel-deleted')
  state.channels.delete(channel.name)
  return '204'
}

/** It leaves every GroupChat, in the order in which they were made. */
function deleteUser (state: State, { by, user }: On<'delete user'>): string {
  if (by !== SYSTEM) return '403 ?'
  if (state.deleted.has(user)) return '404 ?'
  state.deleted.add(user)
  state.history.push({ kind: 'user-deleted', about: user, members: new Map() })
  for (const channel of state.channels.values()) if (!channel.direct && channel.members.has(user)) members.go(state, channel, user)
  return '204'
}

/** A message that one may not read is one that does not exist; its sender may read it, also after leaving. */
function getMessage (state: State, { by, message: name }: On<'get message'>): string {
  const message = state.messages.get(name)
  if (message === undefined || message.goneAt !== undefined) return '404 ?'
  const may = by === SYSTEM || by === message.said.sender || receives(message.channel.members.get(by))
  return may ? '200' : '404 ?'
}
