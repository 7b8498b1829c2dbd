/** Who comes, goes, and stands how, where lists decide it too: what remains is the model's of test/model. Answers are status and reason. */
import * as plain from '../../model/members.ts'
import { SYSTEM, type On } from '../../relay/steps.ts'
import { may } from './rights.ts'
import { faults, refusal, type Expected } from './refusals.ts'
import { listsAt, whoIn, type Channel, type State } from './state.ts'

export function join (state: State, channel: Channel, by: string): Expected {
  if (by === SYSTEM || channel.direct) return plain.join(state, channel, by)
  const refused = refusal(state, channel, 'join_channel', by)
  if (refused === undefined) return plain.join(state, channel, by)
  return faults(refused, channel.members.has(by) ? '409 already_member' : undefined)!
}

/** Whoever adds another without being the application lets it in as if it had joined. */
export function add (state: State, channel: Channel, step: On<'add'>): Expected {
  const { by, user } = step
  if (by === user) return join(state, channel, by)
  if (by === SYSTEM || channel.direct) return plain.add(state, channel, step)
  const refused = refusal(state, channel, 'add_participant_to_channel', by)
  if (refused !== undefined) return refused
  return state.deleted.has(user) ? '404 ?' : plain.join(state, channel, user)
}

export function leave (state: State, channel: Channel, by: string): Expected {
  if (by === SYSTEM || channel.direct) return plain.leave(state, channel, by)
  const refused = refusal(state, channel, 'remove_self', by, '404 user_not_in_group')
  if (refused === undefined) return plain.leave(state, channel, by)
  return faults(refused, channel.members.has(by) ? undefined : '404 user_not_in_group')!
}

export function remove (state: State, channel: Channel, step: On<'remove'>): Expected {
  const { by, user } = step
  if (by === user) return leave(state, channel, by)
  if (channel.direct) return plain.remove(state, channel, step)
  return refusal(state, channel, 'remove_participant', by) ?? plain.remove(state, channel, { ...step, by: SYSTEM })
}

export function acceptOrReject (state: State, channel: Channel, step: On<'accept' | 'reject'>): Expected {
  return plain.acceptOrReject(state, channel, { ...step, by: actingFor(state, channel, step) })
}

export function muteOrUnmute (state: State, channel: Channel, step: On<'mute' | 'unmute'>): Expected {
  return plain.muteOrUnmute(state, channel, { ...step, by: actingFor(state, channel, step) })
}

export function setRoles (state: State, channel: Channel, step: On<'set roles'>): Expected {
  return plain.setRoles(state, channel, { ...step, by: actingFor(state, channel, step) })
}

/** Upon another, whoever holds this privilege acts as an active admin does, for whom the tables say what they say for the application. */
function actingFor (state: State, channel: Channel, { by, user }: { by: string, user: string }): string {
  return by !== user && may('modify_channel_participation', listsAt(channel), whoIn(state, channel, by)) ? SYSTEM : by
}
