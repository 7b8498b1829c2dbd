/**
 * A plain model of relay.md: channels, who is in them, and the history of what happened. It knows nothing of
 * the service's code, and decides by the tables in tables.ts, in relay.md's order of checks.
 */
import { type Entry, participationGist } from './history.ts'
import { mitterStatus, SYSTEM, type GroupType, type ParticipationStatus, type Status, type Step } from './steps.ts'
import { acceptActor, acceptTarget, joining, muteActor, muteTarget, muteType, reading, receiving, rolesActor, sending, type Past, type State } from './tables.ts'

export interface Member {
  status: Status
  admin: boolean
  /** Index of the entry since which it is active. */
  activeSince: number
  /** It left while muted, asked again, and is muted once it is accepted. */
  mutedBefore: boolean
  /** Index of the entry that made it a member. */
  cameWith: number
}

/** One life of a channel: one that is made again under the id of a deleted one is another. */
export interface Channel {
  name: string
  group: GroupType
  created: number
  deleted: boolean
  members: Map<string, Member>
  /** What those who are gone were held from. */
  past: Map<string, Past>
  /** Its last active admin went while nobody was active: the first to become active is admin. */
  vacant: boolean
  texts: string[]
}

/** The steps of these names. */
type On<Do extends Step['do'], One extends Step = Step> = One extends Step ? ([Extract<One['do'], Do>] extends [never] ? never : One) : never
const statusOf: Record<ParticipationStatus, Status> = { Active: 'active', ReadOnly: 'muted', Disabled: 'disabled' }

export class Model {
  readonly history: Entry[] = []
  readonly #channels = new Map<string, Channel>()

  living (name: string): Channel | undefined {
    return this.#channels.get(name)
  }

  /** Everybody in a channel, as `name status role`. */
  members (name: string): string[] {
    return [...this.living(name)?.members ?? []].map(([user]) => this.member(name, user)!).sort()
  }

  member (name: string, user: string): string | undefined {
    const member = this.living(name)?.members.get(user)
    return member && [user, member.status, ...(member.admin ? ['admin'] : [])].join(' ')
  }

  /** Active and muted members: who gets a message. */
  recipients (name: string): number {
    return [...this.living(name)!.members.values()].filter(({ status }) => status === 'active' || status === 'muted').length
  }

  /** Takes a step, and says what the answer is: status and reason. A refusal changes nothing. */
  step (step: Step): string {
    if (step.do === 'create') return this.#create(step)
    const channel = this.living(step.channel)
    if (channel === undefined) return '404 not_found'
    switch (step.do) {
      case 'join': return this.#join(channel, step.by)
      case 'add': return this.#add(channel, step)
      case 'leave': return this.#leave(channel, step.by)
      case 'remove': return this.#remove(channel, step)
      case 'accept':
      case 'reject': return this.#accept(channel, step)
      case 'mute':
      case 'unmute': return this.#mute(channel, step)
      case 'set status': return this.#setStatus(channel, step)
      case 'set roles': return this.#setRoles(channel, step)
      case 'send': return this.#send(channel, step)
      case 'delete': return this.#delete(channel, step.by)
      case 'get channel': return reading[channel.group][stateOf(channel, step.by)] ?? '200'
      case 'list participants':
      case 'list messages':
      case 'stream': return receiving[stateOf(channel, step.by)] ?? '200'
    }
  }

  #create ({ by, channel: name, group, listed = [] }: On<'create'>): string {
    if (this.living(name) !== undefined) return '409 already_exists'
    const index = this.history.length
    const all = by === SYSTEM ? listed : [{ user: by, admin: true }, ...listed.filter(({ user }) => user !== by)]
    const members = new Map(all.map(({ user, status = 'Active', admin = false }) =>
      [user, { status: statusOf[status], admin, activeSince: index, mutedBefore: false, cameWith: index }]))
    const channel = { name, group, created: index, deleted: false, members, past: new Map(), vacant: false, texts: [] }
    this.#channels.set(name, channel)
    this.#log(channel, 'channel', `channel ${name}`)
    return '200'
  }

  #join (channel: Channel, by: string): string {
    if (by === SYSTEM) return '4xx ?'
    if (channel.members.has(by)) return '409 already_member'
    const past = channel.past.get(by) ?? 'clean'
    this.#enter(channel, by, joining[past][channel.group], past === 'muted')
    return '204'
  }

  #add (channel: Channel, { by, user, status }: On<'add'>): string {
    if (by === user) return this.#join(channel, by)
    if (by !== SYSTEM) return '403 ?'
    if (channel.members.has(user)) return '409 already_member'
    this.#enter(channel, user, statusOf[status], false)
    return '204'
  }

  #enter (channel: Channel, user: string, status: Status, mutedBefore: boolean): void {
    const index = this.history.length
    const member = { status, admin: false, activeSince: index, mutedBefore: mutedBefore && status === 'pending', cameWith: index }
    channel.members.set(user, member)
    channel.past.delete(user)
    this.#filled(channel, member)
    this.#participation(channel, user)
  }

  #leave (channel: Channel, by: string): string {
    if (by === SYSTEM) return '4xx ?'
    if (!channel.members.has(by)) return '404 user_not_in_group'
    this.#go(channel, by)
    return '204'
  }

  #remove (channel: Channel, { by, user }: On<'remove'>): string {
    if (by === user) return this.#leave(channel, by)
    if (by !== SYSTEM) return '403 ?'
    if (!channel.members.has(user)) return '404 user_not_in_group'
    this.#go(channel, user)
    return '204'
  }

  #go (channel: Channel, user: string): void {
    const { status, mutedBefore } = channel.members.get(user)!
    const before = activeAdmins(channel)
    channel.members.delete(user)
    if (status === 'disabled') channel.past.set(user, 'disabled')
    else if (status === 'muted' || mutedBefore) channel.past.set(user, 'muted')
    this.#log(channel, 'participation-deleted', `participation-deleted ${channel.name} ${user}`, user)
    this.#succeed(channel, before)
  }

  #accept (channel: Channel, { do: what, by, user }: On<'accept' | 'reject'>): string {
    const target = channel.members.get(user)
    const refused = acceptActor[channel.group][stateOf(channel, by)] ?? acceptTarget[target?.status ?? 'stranger']
    if (refused !== undefined) return refused
    if (what === 'reject') this.#go(channel, user)
    else this.#become(channel, user, target!.mutedBefore ? 'muted' : 'active')
    return '204'
  }

  #mute (channel: Channel, { do: what, by, user }: On<'mute' | 'unmute'>): string {
    const target = channel.members.get(user)
    const state = target === undefined ? 'stranger' : by === user ? 'oneself' : target.status
    const refused = muteType[channel.group] ?? muteActor[stateOf(channel, by)] ?? muteTarget[what][state]
    if (refused !== undefined) return refused
    this.#become(channel, user, what === 'mute' ? 'muted' : 'active')
    return '204'
  }

  #setStatus (channel: Channel, { by, user, status }: On<'set status'>): string {
    if (by !== SYSTEM) return '403 ?'
    const target = channel.members.get(user)
    if (target === undefined) return '404 user_not_in_group'
    if (target.status !== statusOf[status]) this.#become(channel, user, statusOf[status])
    return '200'
  }

  #setRoles (channel: Channel, { by, user, admin }: On<'set roles'>): string {
    const refused = rolesActor[stateOf(channel, by)]
    if (refused !== undefined) return refused
    const target = channel.members.get(user)
    if (target === undefined) return '404 user_not_in_group'
    if (target.admin === admin) return '200'
    if (stateOf(channel, user) === 'admin' && activeAdmins(channel) === 1) return '409 ?'
    target.admin = admin
    this.#participation(channel, user, target.status)
    return '200'
  }

  #become (channel: Channel, user: string, status: Status): void {
    const member = channel.members.get(user)!
    const before = activeAdmins(channel)
    const old = member.status
    member.status = status
    member.activeSince = this.history.length
    member.mutedBefore = false
    this.#filled(channel, member)
    this.#participation(channel, user, old)
    this.#succeed(channel, before)
  }

  #filled (channel: Channel, member: Member): void {
    if (!channel.vacant || member.status !== 'active') return
    channel.vacant = false
    member.admin = true
  }

  /** Whatever takes away the last active admin makes the member who has been active longest admin; of those who came at once the first by id. */
  #succeed (channel: Channel, before: number): void {
    if (before === 0 || activeAdmins(channel) > 0) return
    const [next] = [...channel.members].filter(([, { status }]) => status === 'active')
      .sort(([one, a], [other, b]) => a.activeSince - b.activeSince || (one < other ? -1 : 1))
    channel.vacant = next === undefined
    if (next === undefined) return
    next[1].admin = true
    this.#participation(channel, next[0], 'active')
  }

  #send (channel: Channel, { by, text }: On<'send'>): string {
    const refused = sending[stateOf(channel, by)]
    if (refused !== undefined) return refused
    channel.texts.push(text)
    this.#log(channel, 'message', `message ${channel.name} ${by} ${text}`)
    return '200'
  }

  #delete (channel: Channel, by: string): string {
    if (by !== SYSTEM) return '403 ?'
    channel.deleted = true
    this.#channels.delete(channel.name)
    this.#log(channel, 'channel-deleted', `channel-deleted ${channel.name}`)
    return '204'
  }

  #participation (channel: Channel, user: string, old?: Status): void {
    const { status, admin } = channel.members.get(user)!
    const gist = participationGist(channel.name, user, mitterStatus[status], old && mitterStatus[old], status, admin)
    this.#log(channel, 'participation', gist, user)
  }

  #log (channel: Channel, kind: Entry['kind'], gist: string, about?: string): void {
    const statuses = new Map([...channel.members].map(([user, { status }]) => [user, status]))
    this.history.push({ kind, gist, channel, statuses, ...(about === undefined ? {} : { about }) })
  }
}

function activeAdmins ({ members }: Channel): number {
  return [...members.values()].filter(({ status, admin }) => status === 'active' && admin).length
}

export function stateOf ({ members }: Channel, user: string): State {
  if (user === SYSTEM) return '.system'
  const member = members.get(user)
  if (member === undefined) return 'stranger'
  return member.status === 'active' && member.admin ? 'admin' : member.status
}
