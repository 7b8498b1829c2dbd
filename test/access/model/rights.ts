/**
 * Who may do what, as docs/access.md says it, and nothing of the service's code: plain questions about one
 * user, lists, and how it stands in the channel.
 */
import { mitterStatus, SYSTEM, type Status } from '../../relay/steps.ts'
import type { ChannelPrivilege, Entry, Lists, MessagePrivilege, Privilege } from './lists.ts'

/** A user; `member` where it is in the channel. */
export interface Who {
  user: string
  member?: { status: Status, admin: boolean } | undefined
}

/** `refused by default`: the defaults are in force, and none of them is about the user. */
export type Verdict = 'application' | 'own-entry' | 'default' | 'refused by default' | 'no-entry' | 'minus-entry'

export const allows = (verdict: Verdict): boolean => verdict === 'application' || verdict === 'own-entry' || verdict === 'default'

/** The column "by default" of its privileges. */
const defaults: Record<ChannelPrivilege, readonly string[]> = {
  join_channel: ['any_user'],
  remove_self: ['Active', 'ReadOnly', 'Disabled'],
  add_participant_to_channel: [],
  remove_participant: [],
  list_participants: ['participant'],
  read_from_channel: ['participant'],
  send_to_channel: ['Active'],
  send_as_other_to_channel: [],
  modify_channel_participation: [],
  delete_channel: [],
  delete_messages_from_channel: [],
  modify_acl: []
}

/** Its table of selectors. */
export function fits (selector: string, { user, member }: Who): boolean {
  switch (selector) {
    case 'any_user': return true
    case 'participant': return member?.status === 'active' || member?.status === 'muted'
    case 'Active':
    case 'ReadOnly':
    case 'Disabled': return member !== undefined && mitterStatus[member.status] === selector
    case 'admin': return member?.status === 'active' && member.admin
    default: return user === selector
  }
}

const of = (entries: readonly Entry[], privilege: Privilege): Entry[] => entries.filter(entry => entry.privilege === privilege)
const isTaken = (lists: Lists, privilege: Privilege, who: Who): boolean => of(lists.minus, privilege).some(entry => fits(entry.who, who))

/** Of a channel: how it is decided, from the second line on. */
export function verdictOf (privilege: ChannelPrivilege, lists: Lists, who: Who): Verdict {
  if (who.user === SYSTEM) return 'application'
  const own = of(lists.plus, privilege)
  const [matched, unmatched] = own.length > 0 ? ['own-entry' as const, 'no-entry' as const] : ['default' as const, 'refused by default' as const]
  const selectors = own.length > 0 ? own.map(entry => entry.who) : defaults[privilege]
  if (!selectors.some(selector => fits(selector, who))) return unmatched
  return isTaken(lists, privilege, who) ? 'minus-entry' : matched
}

export const may = (privilege: ChannelPrivilege, lists: Lists, who: Who): boolean => allows(verdictOf(privilege, lists, who))

export interface Listed {
  sender: string
  lists: Lists
  channelLists: Lists
}

/** Of a message. `byId`: its sender reads it also where it may not read the channel. */
export function messageVerdictOf (privilege: MessagePrivilege, { sender, lists, channelLists }: Listed, who: Who, byId: boolean): Verdict {
  if (who.user === SYSTEM) return 'application'
  const taken = isTaken(lists, privilege, who)
  const reads = verdictOf('read_from_channel', channelLists, who)
  const own = of(lists.plus, privilege)
  if (lists.plus.length > 0) {
    // Whoever is named reads it wherever it is; whoever is of a class that is, if it may read the channel.
    const counts = (entry: Entry) => fits(entry.who, who) && (privilege !== 'read_message' || entry.who === who.user || allows(reads))
    return !own.some(counts) ? 'no-entry' : taken ? 'minus-entry' : 'own-entry'
  }
  if (privilege === 'read_message') {
    const verdict = !allows(reads) && byId && who.user === sender ? 'default' : reads
    return allows(verdict) && taken ? 'minus-entry' : verdict
  }
  if (privilege === 'modify_acl' || who.user !== sender) return 'refused by default'
  return taken ? 'minus-entry' : 'default'
}

export const mayRead = (message: Listed, who: Who, byId = false): boolean => allows(messageVerdictOf('read_message', message, who, byId))

/** Whether a message names somebody as its reader, wherever it is. */
export const names = ({ plus }: Lists, user: string): boolean => of(plus, 'read_message').some(entry => entry.who === user)

/** Members of whatever status who may read it, and others whom it names. */
export function recipientsOf (message: Listed, members: Array<Required<Who>>, others: string[]): number {
  const outside = others.filter(user => names(message.lists, user) && mayRead(message, { user }))
  return members.filter(who => mayRead(message, who)).length + outside.length
}

/** What results for a channel: its own entries, and the defaults of what has none. */
export function inForce (lists: Lists): Lists {
  const byDefault = (Object.keys(defaults) as ChannelPrivilege[]).filter(privilege => of(lists.plus, privilege).length === 0)
    .flatMap(privilege => defaults[privilege].map(who => ({ privilege, who })))
  return { plus: [...lists.plus, ...byDefault], minus: lists.minus }
}
