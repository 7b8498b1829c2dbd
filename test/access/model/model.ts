/**
 * The model of test/model with access control lists, by docs/access.md: it knows nothing of the service's code. What is
 * refused changes nothing.
 */
import * as plainMembers from '../../model/members.ts'
import { newEvent } from '../../model/messages.ts'
import { NOBODY } from '../../model/model.ts'
import { log, standing } from '../../model/state.ts'
import { statusOf, SYSTEM, type On } from '../../relay/steps.ts'
import { reading, receiving } from '../../relay/tables.ts'
import { patchChannel, patchMessage } from './changes.ts'
import { isEmpty, namesIn, none } from './lists.ts'
import * as members from './members.ts'
import * as messages from './messages.ts'
import { faults, notFound, readingRefused, reads, refusal, type Expected } from './refusals.ts'
import { messageIn, thereIs, type Channel, type State } from './state.ts'
import type { Step, StepOf } from './steps.ts'

/** Takes a step, and says what the answer is. */
export function take (state: State, step: Step): Expected {
  if (state.deleted.has(step.by)) return NOBODY
  switch (step.do) {
    case 'create user': return step.by === SYSTEM ? '409 ?' : '403 ?'
    case 'delete user': return deleteUser(state, step)
    case 'create': return create(state, step)
    case 'get message': {
      const message = thereIs(state.messages.get(step.message))
      return message !== undefined && reads(state, message, step.by, true) ? '200' : '404 ?'
    }
    case 'get message lists': {
      const message = thereIs(state.messages.get(step.message))
      return message !== undefined && reads(state, message, step.by, true) ? '200' : '404 ?'
    }
    case 'patch message': return patchMessage(state, step)
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
    case 'set status': return plainMembers.setStatus(state, channel, step)
    case 'set roles': return members.setRoles(state, channel, step)
    case 'send': return messages.send(state, channel, step)
    case 'edit': return messages.edit(state, channel, step)
    case 'delete messages': return messages.deleteMessages(state, channel, step)
    case 'truncate': return messages.truncate(state, channel, step)
    case 'add channel event': return messages.addChannelEvent(state, channel, step)
    case 'add message event': return messages.addMessageEvent(state, channel, step)
    case 'delete': return deleteChannel(state, channel, step.by)
    case 'patch channel': return patchChannel(state, channel, step)
    case 'get channel':
    case 'get channel lists': return readingRefused(state, channel, step.by) && reading[channel.group][standing(channel, step.by)] !== undefined ? '403 ?' : '200'
    case 'get access': return getAccess(state, channel, step)
    case 'list participants': return refusal(state, channel, 'list_participants', step.by, receiving[standing(channel, step.by)]) ?? '200'
    case 'list message events':
      return faults(...step.messages.map(name => notFound(state, channel, messageIn(state, channel, name), step.by, false))) ?? '200'
    case 'list messages':
    case 'list channel events':
    case 'stream': return readingRefused(state, channel, step.by) ?? '200'
  }
}

function create (state: State, { by, channel: name, group, direct = false, listed = [], event, lists = none }: StepOf<'create'>): Expected {
  const wrong = faults(
    by !== SYSTEM && direct && !isEmpty(lists) ? '403 ?' : undefined,
    by !== SYSTEM && lists.plus.concat(lists.minus).some(({ privilege }) => privilege === 'send_as_other_to_channel') ? '403 ?' : undefined,
    state.channels.has(name) ? '409 already_exists' : undefined,
    event && newEvent(state, by, event),
    [...listed.map(({ user }) => user), ...namesIn([...lists.plus, ...lists.minus])].some(user => state.deleted.has(user)) ? '404 ?' : undefined)
  if (wrong !== undefined) return wrong
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
    added: [],
    listings: isEmpty(lists) ? [] : [{ at: index, lists }]
  }
  state.channels.set(name, channel)
  log(state, channel, 'channel', event === undefined ? {} : { event })
  return '200'
}

function deleteChannel (state: State, channel: Channel, by: string): Expected {
  const refused = refusal(state, channel, 'delete_channel', by)
  if (refused !== undefined) return refused
  messages.loseMessages(state, channel)
  channel.deletedAt = state.history.length
  log(state, channel, 'channel-deleted')
  state.channels.delete(channel.name)
  return '204'
}

/** It leaves every GroupChat, in the order in which they were made: nobody is asked. */
function deleteUser (state: State, { by, user }: On<'delete user'>): Expected {
  if (by !== SYSTEM) return '403 ?'
  if (state.deleted.has(user)) return '404 ?'
  state.deleted.add(user)
  state.history.push({ kind: 'user-deleted', about: user, members: new Map() })
  for (const channel of state.channels.values()) if (!channel.direct && channel.members.has(user)) plainMembers.go(state, channel, user)
  return '204'
}

/** The application asks about anyone, and so does an active admin; others about themselves. */
function getAccess (state: State, channel: Channel, { by, user, message: name }: StepOf<'get access'>): Expected {
  const message = name === undefined ? undefined : messageIn(state, channel, name)
  const hidden = name !== undefined && (message === undefined || !reads(state, message, by, true))
  const isOthers = by !== SYSTEM && by !== user && standing(channel, by) !== 'admin'
  return faults(isOthers ? '403 ?' : undefined, state.deleted.has(user) ? '404 ?' : undefined, hidden ? '404 ?' : undefined) ?? '200'
}
