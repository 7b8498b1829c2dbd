/** Who reads a message: the decision of access.ts, asked for many readers at once. */
import { decide, decideOfMessage, type AccessLists, type Caller, type Privilege, type Selector } from './access.ts'
import { SYSTEM } from './identifiers.ts'
import { statusTable, type RelayStatus } from './relay.ts'

/** Whether somebody may read what is said in a channel. */
export function readsChannel (lists: AccessLists | undefined, caller: Caller): boolean {
  return decide('read_from_channel', lists, caller).allowed
}

/** How somebody stands who is of a status, or of none. */
export const standingOf = ({ status, admin }: { status?: RelayStatus | undefined, admin: boolean }): Caller['standing'] =>
  status === undefined ? undefined : { status, admin }

/** Whose stream it is. */
export type StreamOf = 'user' | 'channel'

/** A user's stream is of channels that the user is in, a channel's of whoever reads it. */
const isOfStream = (stream: StreamOf, { standing }: Caller): boolean => stream === 'channel' || standing !== undefined

/** Whether somebody's stream carries what is said in a channel. */
export const carriesChannel = (stream: StreamOf, lists: AccessLists | undefined, caller: Caller): boolean => isOfStream(stream, caller) && readsChannel(lists, caller)

/**
 * Whoever lists name with `user(…)`, on either side.
 * @param of one privilege alone
 */
export function namedIn (lists: AccessLists | undefined, of?: Privilege): string[] {
  if (lists === undefined) return []
  const entries = [...lists.plus, ...lists.minus].filter(({ privilege }) => of === undefined || privilege === of)
  return [...new Set(entries.flatMap(({ selector }) => selector.kind === 'user' ? [selector.userId] : []))]
}

/** Readers whom a message's lists name: it reaches them wherever they are. */
export function readersNamedIn (lists: AccessLists | undefined): string[] {
  return lists === undefined ? [] : [...new Set(plusReading(lists).flatMap(selector => selector.kind === 'user' ? [selector.userId] : []))]
}

/** Whether a message is found by whom its lists name: not with all that is for whoever reads the channel. */
export function isRouted (lists: AccessLists | undefined): boolean {
  return lists !== undefined && lists.plus.length > 0
}

/** Of selectors that name nobody, in an order that stores keep. */
export const readerClasses = ['any_user', 'participant', 'Active', 'ReadOnly', 'Disabled', 'admin'] as const
export type ReaderClass = (typeof readerClasses)[number]

/** The classes whom a message's lists name as its readers. */
export function classesNamedIn (lists: AccessLists | undefined): ReaderClass[] {
  return lists === undefined ? [] : [...new Set(plusReading(lists).flatMap(classOf))]
}

/** The classes that somebody is of. */
export function classesOf ({ standing }: Caller): ReaderClass[] {
  if (standing === undefined) return ['any_user']
  const { receives, participationStatus } = statusTable[standing.status]
  return ['any_user', ...(receives ? ['participant'] as const : []), participationStatus, ...(standing.status === 'active' && standing.admin ? ['admin'] as const : [])]
}

const plusReading = ({ plus }: AccessLists): Selector[] => plus.filter(({ privilege }) => privilege === 'read_message').map(({ selector }) => selector)

function classOf (selector: Selector): ReaderClass[] {
  switch (selector.kind) {
    case 'user': return []
    case 'any-user': return ['any_user']
    case 'participant': return [selector.status ?? 'participant']
    case 'admin': return ['admin']
  }
}

/** Nobody has this id: who is asked about is any one of a class. */
const ANYBODY = ''

/** The readers of one message. It decides once for each class of those whom no list names: one more reader costs the same, however long the lists are. */
export class Audience {
  readonly #lists: AccessLists | undefined
  readonly #channelLists: AccessLists | undefined
  readonly #named: Set<string>
  readonly #readers: Set<string>
  /** By class: `classNumber`. */
  readonly #byClass: boolean[] = []

  constructor (lists: AccessLists | undefined, channelLists: AccessLists | undefined) {
    this.#lists = lists
    this.#channelLists = channelLists
    this.#named = new Set([...namedIn(lists, 'read_message'), ...namedIn(channelLists, 'read_from_channel')])
    this.#readers = new Set(readersNamedIn(lists))
  }

  has (caller: Caller): boolean {
    return this.#named.has(caller.userId) || caller.userId === SYSTEM ? this.#decide(caller) : this.#hasAnyOf(caller.standing)
  }

  /** Whether it comes on a stream of the reader's: on a user's, what is said in channels that the user is in, and what names it. */
  reaches (stream: StreamOf, caller: Caller): boolean {
    return (isOfStream(stream, caller) || this.#readers.has(caller.userId)) && this.has(caller)
  }

  /** How many participants read it, and others whom it names (protocol 6, `recipientsCount`). */
  count (members: MemberCounts, named: Caller[]): number {
    const { active, activeAdmins, muted, pending, disabled } = members
    const classes: Array<[number, RelayStatus, boolean]> = [
      [active - activeAdmins, 'active', false], [activeAdmins, 'active', true], [muted, 'muted', false], [pending, 'pending', false], [disabled, 'disabled', false]
    ]
    const byClass = classes.reduce((sum, [count, status, admin]) => sum + (this.#hasAnyOf({ status, admin }) ? count : 0), 0)
    return named.reduce((sum, caller) => sum + this.#difference(caller), byClass)
  }

  /** Everybody whose decision may differ from that of others of the same class. */
  get named (): Iterable<string> {
    return this.#named
  }

  #difference (caller: Caller): number {
    if (caller.standing === undefined) return Number(this.#readers.has(caller.userId) && this.#decide(caller))
    return Number(this.#decide(caller)) - Number(this.#hasAnyOf(caller.standing))
  }

  #hasAnyOf (standing: Caller['standing']): boolean {
    const number = classNumber(standing)
    return (this.#byClass[number] ??= this.#decide({ userId: ANYBODY, standing }))
  }

  #decide (caller: Caller): boolean {
    return decideOfMessage('read_message', { senderId: ANYBODY, lists: this.#lists, channelLists: this.#channelLists }, caller).allowed
  }
}

const statusNumbers: Record<RelayStatus, number> = { active: 1, muted: 2, pending: 3, disabled: 4 }

/** Of those whom no list names: what decides is this. */
const classNumber = (standing: Caller['standing']): number => standing === undefined ? 0 : 2 * statusNumbers[standing.status] + Number(standing.admin)

/** A channel's members by status, admins among those who are active. */
export interface MemberCounts {
  active: number
  activeAdmins: number
  muted: number
  pending: number
  disabled: number
}
