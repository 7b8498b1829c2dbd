/**
 * Access control lists: who may do what, where the defaults are not enough. The defaults are lists too:
 * they are rows of the table below, and whatever enforces, delivers or explains asks `decide` and nothing else. Pure: no I/O,
 * no clock.
 */
import type { ParticipationStatus } from '../../schemas/participation.ts'
import { SYSTEM } from './identifiers.ts'
import { statusTable, type RelayStatus } from './relay.ts'

/** Whom an entry is about. The channel is the entity's own: the channel itself, or the message's. */
export type Selector =
  | { kind: 'user', userId: string }
  /** Every signed-in user. */
  | { kind: 'any-user' }
  /** Members of a participation status; without one: who are `Active` or `ReadOnly`. */
  | { kind: 'participant', status?: ParticipationStatus }
  /** Active members with the role `admin`. */
  | { kind: 'admin' }

export type EntityKind = 'application' | 'channel' | 'message'

interface PrivilegeRow {
  of: readonly EntityKind[]
  /** Who has it where the entity has no plus entry of its own for it. */
  default: readonly Selector[]
}

const anyUser: Selector = { kind: 'any-user' }
const receiving: Selector = { kind: 'participant' }
const sending: Selector = { kind: 'participant', status: 'Active' }
const members: Selector[] = [sending, { kind: 'participant', status: 'ReadOnly' }, { kind: 'participant', status: 'Disabled' }]

/**
 * `modify_channel_participation` has no default of its own: its holder acts as an active admin would, beside the tables of
 * moderation.ts. Whether a message may be read by default follows from its channel, and who may delete it from its sender:
 * `decideOfMessage`.
 */
export const privilegeTable = {
  create_channel: { of: ['application'], default: [anyUser] },
  create_user: { of: ['application'], default: [] },
  list_channels: { of: ['application'], default: [] },
  list_user_data: { of: ['application'], default: [] },
  join_channel: { of: ['channel'], default: [anyUser] },
  remove_self: { of: ['channel'], default: members },
  add_participant_to_channel: { of: ['channel'], default: [] },
  remove_participant: { of: ['channel'], default: [] },
  list_participants: { of: ['channel'], default: [receiving] },
  read_from_channel: { of: ['channel'], default: [receiving] },
  send_to_channel: { of: ['channel'], default: [sending] },
  send_as_other_to_channel: { of: ['channel'], default: [] },
  modify_channel_participation: { of: ['channel'], default: [] },
  delete_channel: { of: ['channel'], default: [] },
  delete_messages_from_channel: { of: ['channel'], default: [] },
  read_message: { of: ['message'], default: [] },
  delete_message: { of: ['message'], default: [] },
  modify_acl: { of: ['application', 'channel', 'message'], default: [] }
} as const satisfies Record<string, PrivilegeRow>

export type Privilege = keyof typeof privilegeTable
export type PrivilegeOf<Kind extends EntityKind> = { [P in Privilege]: Kind extends (typeof privilegeTable)[P]['of'][number] ? P : never }[Privilege]

export interface Entry {
  privilege: Privilege
  selector: Selector
}

/** An entity's own entries, in the order in which they were given. */
export interface AccessLists {
  plus: readonly Entry[]
  minus: readonly Entry[]
}

/** Who wants to do something. */
export interface Caller {
  userId: string
  /** In the channel that it is about; absent: it is not in it, or there is none. */
  standing?: { status: RelayStatus, admin: boolean } | undefined
}

/** What was decided, and by what. */
export interface Decision {
  allowed: boolean
  because: {
    /** `default`: no list of the entity's own says anything of it; `no-entry`: none of its own entries is about the caller. */
    rule: 'application' | 'own-entry' | 'default' | 'no-entry' | 'minus-entry'
    entry?: Entry
  }
}

export function matches (selector: Selector, { userId, standing }: Caller): boolean {
  switch (selector.kind) {
    case 'user': return selector.userId === userId
    case 'any-user': return true
    case 'participant': return standing !== undefined && isOf(standing.status, selector.status)
    case 'admin': return standing?.status === 'active' && standing.admin
  }
}

function isOf (status: RelayStatus, wanted: ParticipationStatus | undefined): boolean {
  return wanted === undefined ? statusTable[status].receives : statusTable[status].participationStatus === wanted
}

/** Whether somebody may do something with the application, or in a channel. */
export function decide (privilege: PrivilegeOf<'application' | 'channel'>, lists: AccessLists | undefined, caller: Caller): Decision {
  return decideBy(privilege, lists, caller, privilegeTable[privilege].default)
}

/** What a message's default follows from. */
export interface MessageAccess {
  senderId: string
  lists?: AccessLists | undefined
  channelLists?: AccessLists | undefined
}

/**
 * Whether somebody may do something with a message. One with plus entries of its own, for whatever privilege, has no defaults:
 * not even its sender reads it unless it is named.
 * @param byId it is asked for by its id, where its sender reads it also after leaving
 */
export function decideOfMessage (privilege: PrivilegeOf<'message'>, { senderId, lists, channelLists }: MessageAccess, caller: Caller, byId = false): Decision {
  const sender: Selector = { kind: 'user', userId: senderId }
  if (privilege === 'delete_message') return decideBy(privilege, lists, caller, hasPlus(lists) ? undefined : [sender])
  if (privilege === 'modify_acl') return decideBy(privilege, lists, caller, hasPlus(lists) ? undefined : [])
  const inChannel = decide('read_from_channel', channelLists, caller)
  if (!hasPlus(lists)) {
    const decision = byId && caller.userId === senderId && !inChannel.allowed ? allowedBy('default', { privilege, selector: sender }) : inChannel
    return decision.allowed ? unlessMinus(decision, privilege, lists, caller) : decision
  }
  // Whoever is named reads it wherever it is; whoever is of a class that is named, where it may read the channel.
  return decideBy(privilege, lists, caller, undefined, ({ kind }) => kind === 'user' || inChannel.allowed)
}

const hasPlus = (lists: AccessLists | undefined): boolean => lists !== undefined && lists.plus.length > 0

/**
 * @param defaults absent: there are none to fall back on
 * @param counts of a selector that matches, whether it counts
 */
function decideBy (privilege: Privilege, lists: AccessLists | undefined, caller: Caller, defaults?: readonly Selector[], counts: (selector: Selector) => boolean = () => true): Decision {
  if (caller.userId === SYSTEM) return allowedBy('application')
  const own = ownPlus(privilege, lists)
  const byDefault = own.length === 0 && defaults !== undefined
  const selectors = byDefault ? defaults : own.map(({ selector }) => selector)
  const selector = selectors.find(selector => matches(selector, caller) && counts(selector))
  if (selector === undefined) return { allowed: false, because: { rule: byDefault ? 'default' : 'no-entry' } }
  return unlessMinus(allowedBy(byDefault ? 'default' : 'own-entry', { privilege, selector }), privilege, lists, caller)
}

const ownPlus = (privilege: Privilege, lists: AccessLists | undefined): readonly Entry[] => lists?.plus.filter(entry => entry.privilege === privilege) ?? NONE
const NONE: readonly Entry[] = []

/** What results for a channel, or the application: its own entries, and the defaults of what has none, written out. */
export function inForceOf (kind: 'application' | 'channel', lists: AccessLists | undefined): AccessLists {
  const plus = privilegesOf(kind).flatMap(privilege => {
    const own = ownPlus(privilege, lists)
    return own.length > 0 ? own : privilegeTable[privilege].default.map(selector => ({ privilege, selector }))
  })
  return { plus, minus: lists?.minus ?? [] }
}

/**
 * What results for a message: where it has no plus entry of its own, its channel's for reading, and its sender.
 * @param ofChannel whether the channel's are to be shown
 */
export function inForceOfMessage ({ senderId, lists, channelLists }: MessageAccess, ofChannel = true): AccessLists {
  const own = lists?.minus ?? []
  if (lists !== undefined && hasPlus(lists)) return { plus: lists.plus, minus: own }
  const channel = ofChannel ? inForceOf('channel', channelLists) : { plus: NONE, minus: NONE }
  const reading = (entries: readonly Entry[]): Entry[] =>
    entries.filter(({ privilege }) => privilege === 'read_from_channel').map(({ selector }) => ({ privilege: 'read_message', selector }))
  const sender: Selector = { kind: 'user', userId: senderId }
  return {
    plus: [...reading(channel.plus), { privilege: 'read_message', selector: sender }, { privilege: 'delete_message', selector: sender }],
    minus: [...reading(channel.minus), ...own]
  }
}

export const privilegesOf = (kind: EntityKind): Privilege[] =>
  (Object.keys(privilegeTable) as Privilege[]).filter(name => (privilegeTable[name].of as readonly EntityKind[]).includes(kind))

const allowedBy = (rule: Decision['because']['rule'], entry?: Entry): Decision => ({ allowed: true, because: entry === undefined ? { rule } : { rule, entry } })

function unlessMinus (decision: Decision, privilege: Privilege, lists: AccessLists | undefined, caller: Caller): Decision {
  const entry = caller.userId === SYSTEM ? undefined : lists?.minus.find(entry => entry.privilege === privilege && matches(entry.selector, caller))
  return entry === undefined ? decision : { allowed: false, because: { rule: 'minus-entry', entry } }
}
