/** Access control lists as plain data, with names in the place of ids, and as they go over the wire. */

export const channelPrivileges = [
  'join_channel', 'remove_self', 'add_participant_to_channel', 'remove_participant', 'list_participants', 'read_from_channel', 'send_to_channel',
  'send_as_other_to_channel', 'modify_channel_participation', 'delete_channel', 'delete_messages_from_channel', 'modify_acl'
] as const
export const messagePrivileges = ['read_message', 'delete_message', 'modify_acl'] as const

export type ChannelPrivilege = (typeof channelPrivileges)[number]
export type MessagePrivilege = (typeof messagePrivileges)[number]
export type Privilege = ChannelPrivilege | MessagePrivilege

/** Selectors that name nobody: anyone, active or muted members, those of a status, active admins. */
export const classes = ['any_user', 'participant', 'Active', 'ReadOnly', 'Disabled', 'admin'] as const

export interface Entry {
  privilege: Privilege
  /** One of `classes`, or a user's name. */
  who: string
}

export interface Lists {
  plus: readonly Entry[]
  minus: readonly Entry[]
}

export const none: Lists = { plus: [], minus: [] }

export type Patch = { set: Lists } | { add: Lists, remove: Lists }

export const isClass = (who: string): boolean => (classes as readonly string[]).includes(who)

/** Users whom entries name. */
export const namesIn = (entries: readonly Entry[]): string[] => entries.map(({ who }) => who).filter(who => !isClass(who))

export const isEmpty = ({ plus, minus }: Lists): boolean => plus.length + minus.length === 0

const lineOf = ({ privilege, who }: Entry): string => `${privilege} ${who}`
const has = (entries: readonly Entry[], entry: Entry): boolean => entries.some(one => lineOf(one) === lineOf(entry))
const distinct = (entries: readonly Entry[]): Entry[] => [...new Map(entries.map(entry => [lineOf(entry), entry])).values()]

/** Entries that were not there before. */
export function newIn (after: Lists, before: Lists): Lists {
  const added = (side: keyof Lists) => after[side].filter(entry => !has(before[side], entry))
  return { plus: added('plus'), minus: added('minus') }
}

export const areSame = (one: Lists, other: Lists): boolean => isEmpty(newIn(one, other)) && isEmpty(newIn(other, one))

export function patched (before: Lists, patch: Patch): Lists {
  const side = (name: keyof Lists) => 'set' in patch
    ? distinct(patch.set[name])
    : distinct([...before[name].filter(entry => !has(patch.remove[name], entry)), ...patch.add[name]])
  return { plus: side('plus'), minus: side('minus') }
}

/** Lists in a line; nothing where there are none. */
export function listsGist (lists: Lists, call: (user: string) => string): string {
  if (isEmpty(lists)) return ''
  const lines = (sign: string, entries: readonly Entry[]) => [...new Set(entries.map(({ privilege, who }) => `${sign}${privilege} ${isClass(who) ? who : call(who)}`))].sort()
  return ` {${[...lines('+', lists.plus), ...lines('-', lists.minus)].join(', ')}}`
}

type Wire = string | { plusAppliedAcls?: string[], minusAppliedAcls?: string[] }

/** As a caller sends them, in either form: by name, or all in one string. */
export function wireOf ({ plus, minus }: Lists, channelId: string, id: (name: string) => string): Wire {
  const write = ({ privilege, who }: Entry) => `${privilege}:${selectorOf(who, channelId, id)}`
  if ((plus.length + minus.length) % 2 === 1) return [...plus.map(entry => `+${write(entry)}`), ...minus.map(entry => `-${write(entry)}`)].join(',')
  return { ...(plus.length > 0 && { plusAppliedAcls: plus.map(write) }), ...(minus.length > 0 && { minusAppliedAcls: minus.map(write) }) }
}

function selectorOf (who: string, channelId: string, id: (name: string) => string): string {
  switch (who) {
    case 'any_user': return 'any_user()'
    case 'participant': return `participant(${channelId})`
    case 'admin': return `admin(${channelId})`
    default: return isClass(who) ? `participant(${channelId}:${who})` : `user(${id(who)})`
  }
}

/** As the service shows them. An entry that none of the channel's can be stays as it is, to be seen in a comparison. */
export function listsOf (wire: { plusAppliedAcls?: string[], minusAppliedAcls?: string[] }, channel: string, name: (id: string) => string): Lists {
  const read = (text: string): Entry => entryOf(text, channel, name)
  return { plus: (wire.plusAppliedAcls ?? []).map(read), minus: (wire.minusAppliedAcls ?? []).map(read) }
}

/** @param channel its name */
export function entryOf (text: string, channel: string, name: (id: string) => string): Entry {
  const [, privilege, selector, given] = /^(\w+):(\w+)\((.*)\)$/.exec(text) ?? []
  const [of, status] = (given ?? '').split(':')
  const who = selector === 'user' ? name(given!) : selector === 'any_user' ? selector : name(of!) === channel ? status ?? selector! : text
  return { privilege: privilege as Privilege, who }
}

/** What a representation shows, in a line: nothing where it shows none, and empty braces where it shows empty ones. */
export function shownGist ({ appliedAcls }: { appliedAcls?: object }, channel: string, name: (id: string) => string): string {
  return appliedAcls === undefined ? '' : listsGist(listsOf(appliedAcls, channel, name), user => user) || ' {}'
}
