/** What the model keeps besides what test/model does: which lists were in force from which entry on, and what follows from them. */
import { SYSTEM } from '../../relay/steps.ts'
import * as plain from '../../model/state.ts'
import { membersAt, type Entry } from '../../model/history.ts'
import { namesIn, none, type Lists } from './lists.ts'
import { may, mayRead, names, recipientsOf, type Listed, type Who } from './rights.ts'

/** Lists, in force right after the entry of this index. */
interface Listing {
  at: number
  lists: Lists
}

/** Whatever has lists of its own: those that were in force, in order. Before the first: none. */
interface Listable {
  listings: Listing[]
}

export interface Channel extends plain.Channel, Listable {}

export interface Message extends plain.Message, Listable {
  channel: Channel
}

export interface State extends plain.State {
  channels: Map<string, Channel>
  messages: Map<string, Message>
}

export const newState = (): State => plain.newState() as State

export const thereIs = (message: Message | undefined): Message | undefined => message?.goneAt === undefined ? message : undefined
export const messageIn = (state: State, channel: Channel, name: string): Message | undefined => plain.messageIn(state, channel, name) as Message | undefined
export const messagesIn = (state: State, channel: Channel): Message[] => plain.messagesIn(state, channel) as Message[]

/** The lists of something at a moment: when so many entries had happened. */
export const listsAt = ({ listings }: Listable, moment = Infinity): Lists => listings.findLast(({ at }) => at < moment)?.lists ?? none

/** What an entry is about, with its lists. */
export const channelOf = ({ channel }: Entry): Channel => channel as Channel
export const messageOf = ({ message }: Entry): Message => message as Message

/** Whether an entry changed a message's lists. */
export const isRelisting = (entry: Entry, index: number): boolean => entry.kind === 'message-updated' && messageOf(entry).listings.some(({ at }) => at === index)

/** A message as it may be read at a moment. */
export function listedAt (message: Message, moment?: number): Listed {
  return { sender: message.said.sender, lists: listsAt(message, moment), channelLists: listsAt(message.channel, moment) }
}

/** Whom lists are about, now. A deleted user is nobody of whom they say anything. */
export function whoIn ({ deleted }: State, { members }: Channel, user: string): Who {
  return { user: deleted.has(user) ? '' : user, member: members.get(user) }
}

/** A user at a moment; undefined where the channel is gone. */
export function whoAt (history: Entry[], channel: Channel, user: string, moment: number): Who | undefined {
  const members = membersAt(history, channel, moment)
  return members && { user, member: members.get(user) }
}

export function readsChannelAt (history: Entry[], channel: Channel, user: string, moment: number): boolean {
  const who = whoAt(history, channel, user, moment)
  return who !== undefined && may('read_from_channel', listsAt(channel, moment), who)
}

/** Whether a message is one that comes on a stream of the user's at a moment: of one channel, or of all that is the user's. */
export function reachesAt (history: Entry[], message: Message, user: string, of: 'user' | 'channel', moment: number): boolean {
  const who = whoAt(history, message.channel, user, moment)
  if (who === undefined) return false
  const comes = of === 'channel' || who.member !== undefined || names(listsAt(message, moment), user)
  return comes && mayRead(listedAt(message, moment), who)
}

/** Whether a message of the channel that was sent since it was truncated has named somebody, up to an entry. */
export function wasNamed (history: Entry[], channel: Channel, user: string, index: number): boolean {
  for (let earlier = index - 1; earlier > channel.created; earlier--) {
    const entry = history[earlier]!
    if (entry.channel !== channel) continue
    if (entry.kind === 'messages-truncated') return false
    if (entry.kind === 'message' && messageOf(entry).listings.some(({ at, lists }) => at < index && names(lists, user))) return true
  }
  return false
}

/** Whom a message that is sent now is for: how many. */
export function recipients (state: State, message: Message): number {
  const { channel } = message
  const members = [...channel.members].map(([user, member]) => ({ user: whoIn(state, channel, user).user, member }))
  const { plus } = listsAt(message)
  const others = new Set(namesIn(plus).filter(who => !channel.members.has(who) && !state.deleted.has(who)))
  return recipientsOf(listedAt(message), members, [...others])
}

/** The messages of a channel that somebody may read in a list of them. */
export function readable (state: State, channel: Channel, user: string): Message[] {
  return messagesIn(state, channel).filter(message => user === SYSTEM || mayRead(listedAt(message), whoIn(state, channel, user)))
}
