/** The part of the model that relay.md's tables are about: who comes, goes, and stands how. Answers are status and reason. */
import { statusOf, SYSTEM, type On, type Status } from '../relay/steps.ts'
import { acceptActor, acceptTarget, joining, muteActor, muteTarget, muteType, rolesActor } from '../relay/tables.ts'
import { log, standing, type Channel, type Member, type State } from './state.ts'

/** What a channel whose participants never change answers to whoever would change them. */
const FIXED = '409 ?'

export function join (state: State, channel: Channel, by: string): string {
  if (by === SYSTEM) return '4xx ?'
  if (channel.direct) return FIXED
  if (channel.members.has(by)) return '409 already_member'
  const past = channel.past.get(by) ?? 'clean'
  enter(state, channel, by, joining[past][channel.group], past === 'muted')
  return '204'
}

export function add (state: State, channel: Channel, { by, user, status }: On<'add'>): string {
  if (by === user) return join(state, channel, by)
  if (channel.direct) return FIXED
  if (by !== SYSTEM) return '403 ?'
  if (state.deleted.has(user)) return '404 ?'
  if (channel.members.has(user)) return '409 already_member'
  enter(state, channel, user, statusOf[status], false)
  return '204'
}

function enter (state: State, channel: Channel, user: string, status: Status, mutedBefore: boolean): void {
  const index = state.history.length
  const member = { status, admin: false, activeSince: index, mutedBefore: mutedBefore && status === 'pending', cameWith: index }
  channel.members.set(user, member)
  channel.past.delete(user)
  fillOffice(channel, member)
  logParticipation(state, channel, user)
}

export function leave (state: State, channel: Channel, by: string): string {
  if (by === SYSTEM) return '4xx ?'
  if (channel.direct) return FIXED
  if (!channel.members.has(by)) return '404 user_not_in_group'
  go(state, channel, by)
  return '204'
}

export function remove (state: State, channel: Channel, { by, user }: On<'remove'>): string {
  if (by === user) return leave(state, channel, by)
  if (channel.direct) return FIXED
  if (by !== SYSTEM) return '403 ?'
  if (!channel.members.has(user)) return '404 user_not_in_group'
  go(state, channel, user)
  return '204'
}

/** Somebody goes, whatever the reason; what it was held from is remembered. */
export function go (state: State, channel: Channel, user: string): void {
  const { status, mutedBefore } = channel.members.get(user)!
  const before = activeAdmins(channel)
  channel.members.delete(user)
  if (status === 'disabled') channel.past.set(user, 'disabled')
  else if (status === 'muted' || mutedBefore) channel.past.set(user, 'muted')
  log(state, channel, 'participation-deleted', { about: user })
  succeed(state, channel, before)
}

export function acceptOrReject (state: State, channel: Channel, { do: what, by, user }: On<'accept' | 'reject'>): string {
  if (channel.direct) return FIXED
  const target = channel.members.get(user)
  const refused = acceptActor[channel.group][standing(channel, by)] ?? acceptTarget[target?.status ?? 'stranger']
  if (refused !== undefined) return refused
  if (what === 'reject') go(state, channel, user)
  else become(state, channel, user, target!.mutedBefore ? 'muted' : 'active')
  return '204'
}

export function muteOrUnmute (state: State, channel: Channel, { do: what, by, user }: On<'mute' | 'unmute'>): string {
  const target = channel.members.get(user)
  const whom = target === undefined ? 'stranger' : by === user ? 'oneself' : target.status
  const refused = muteType[channel.group] ?? muteActor[standing(channel, by)] ?? muteTarget[what][whom]
  if (refused !== undefined) return refused
  become(state, channel, user, what === 'mute' ? 'muted' : 'active')
  return '204'
}

export function setStatus (state: State, channel: Channel, { by, user, status }: On<'set status'>): string {
  if (channel.direct && status === 'Disabled') return FIXED
  if (by !== SYSTEM) return '403 ?'
  const target = channel.members.get(user)
  if (target === undefined) return '404 user_not_in_group'
  if (target.status !== statusOf[status]) become(state, channel, user, statusOf[status])
  return '200'
}

export function setRoles (state: State, channel: Channel, { by, user, admin }: On<'set roles'>): string {
  if (channel.direct) return FIXED
  const refused = rolesActor[standing(channel, by)]
  if (refused !== undefined) return refused
  const target = channel.members.get(user)
  if (target === undefined) return '404 user_not_in_group'
  if (target.admin === admin) return '200'
  if (standing(channel, user) === 'admin' && activeAdmins(channel) === 1) return '409 ?'
  target.admin = admin
  logParticipation(state, channel, user, target.status)
  return '200'
}

function become (state: State, channel: Channel, user: string, status: Status): void {
  const member = channel.members.get(user)!
  const before = activeAdmins(channel)
  const old = member.status
  member.status = status
  member.activeSince = state.history.length
  member.mutedBefore = false
  fillOffice(channel, member)
  logParticipation(state, channel, user, old)
  succeed(state, channel, before)
}

function fillOffice (channel: Channel, member: Member): void {
  if (!channel.vacant || member.status !== 'active') return
  channel.vacant = false
  member.admin = true
}

/** Whatever takes away the last active admin makes the member who has been active longest admin; of those who came at once the first by id. */
function succeed (state: State, channel: Channel, before: number): void {
  if (before === 0 || activeAdmins(channel) > 0) return
  const [next] = [...channel.members].filter(([, { status }]) => status === 'active')
    .sort(([one, a], [other, b]) => a.activeSince - b.activeSince || (one < other ? -1 : 1))
  channel.vacant = next === undefined
  if (next === undefined) return
  next[1].admin = true
  logParticipation(state, channel, next[0], 'active')
}

function activeAdmins ({ members }: Channel): number {
  return [...members.values()].filter(({ status, admin }) => status === 'active' && admin).length
}

function logParticipation (state: State, channel: Channel, user: string, old?: Status): void {
  const { status, admin } = channel.members.get(user)!
  log(state, channel, 'participation', { about: user, change: { status, admin, ...(old === undefined ? {} : { old }) } })
}
