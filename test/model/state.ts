/** What the model keeps: plain data, and a few questions about it. */
import { mitterStatus, SYSTEM, type GroupType, type Happening, type Status } from '../relay/steps.ts'
import type { Past, State as Standing } from '../relay/tables.ts'
import { called, eventGist, saidGist, SENT } from './gists.ts'
import { callingAt, receives, type Entry, type Life, type Said } from './history.ts'

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

export interface Channel extends Life {
  group: GroupType
  /** A DirectMessage: whoever is in it stays in it. */
  direct: boolean
  members: Map<string, Member>
  /** What those who are gone were held from. */
  past: Map<string, Past>
  /** Its last active admin went while nobody was active: the first to become active is admin. */
  vacant: boolean
  /** Its timeline: what it began with, and what was added. */
  began: Happening[]
  added: Happening[]
}

export interface Message {
  name: string
  channel: Channel
  said: Said
  /** What was added to its timeline. */
  added: Happening[]
  /** Index of the entry that deleted it, or all messages, or the channel. */
  goneAt?: number
}

export interface State {
  history: Entry[]
  /** Those that are there. */
  channels: Map<string, Channel>
  /** All that ever were, in order. */
  messages: Map<string, Message>
  /** Everybody who ever was deleted. */
  deleted: Set<string>
}

export const newState = (): State => ({ history: [], channels: new Map(), messages: new Map(), deleted: new Set() })

/** What somebody is in a channel, as the tables have it. */
export function standing ({ members }: Channel, user: string): Standing {
  if (user === SYSTEM) return '.system'
  const member = members.get(user)
  if (member === undefined) return 'stranger'
  return member.status === 'active' && member.admin ? 'admin' : member.status
}

/** A message that is there, in this channel. */
export function messageIn (state: State, channel: Channel, name: string): Message | undefined {
  const message = state.messages.get(name)
  return message?.channel === channel && message.goneAt === undefined ? message : undefined
}

export function messagesIn (state: State, channel: Channel): Message[] {
  return [...state.messages.values()].filter(message => message.channel === channel && message.goneAt === undefined)
}

/** Active and muted members: who gets a message. */
export const recipients = ({ members }: Channel): number => [...members.values()].filter(receives).length

/** Writes an entry. Its members are those of the channel as it is now. */
export function log (state: State, channel: Channel, kind: Entry['kind'], more: Partial<Entry> = {}): void {
  const members = new Map([...channel.members].map(([user, { status, admin, cameWith }]) => [user, { status, admin, cameWith }]))
  state.history.push({ kind, channel, members, ...more })
}

// What lists and answers show, in lines.

const callingNow = ({ history }: State) => callingAt(history, history.length)

/** A member, as `name status role`. */
export function memberLine (state: State, channel: Channel, user: string): string | undefined {
  const member = channel.members.get(user)
  return member && [callingNow(state)(user), member.status, ...(member.admin ? ['admin'] : [])].join(' ')
}

/** Everybody of these statuses in a channel, in the order of names. */
export function memberLines (state: State, channel: Channel, statuses: Status[] = ['active', 'pending', 'muted', 'disabled']): string[] {
  return [...channel.members].filter(([, { status }]) => statuses.includes(status)).map(([user]) => memberLine(state, channel, user)!).sort()
}

/** Everybody, as a list that is asked not to expand them shows: `name ParticipationStatus`. */
export function briefLines (state: State, { members }: Channel): string[] {
  return [...members].map(([user, { status }]) => `${callingNow(state)(user)} ${mitterStatus[status]}`).sort()
}

export const messageLine = (state: State, { name, said }: Message): string => `${name} ${saidGist(called(said, callingNow(state)))}`

export function timelineLines (state: State, events: Happening[]): string[] {
  const call = callingNow(state)
  return events.map(({ type, subject }) => eventGist({ type, subject: call(subject) }))
}

/** The timeline of a message begins with its sending. */
export function messageTimelineLines (state: State, { name, said, added }: Message): string[] {
  return timelineLines(state, [{ type: SENT, subject: said.sender }, ...said.events, ...added]).map(line => `${name} ${line}`)
}
