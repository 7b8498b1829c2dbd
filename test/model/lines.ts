/** What programs are made of: steps, whose actors and messages may be left to who is there when they are taken, and streams. */
import { SYSTEM, type Happening, type Status, type Step } from '../relay/steps.ts'
import type { State } from './state.ts'

export const users = ['amy', 'bob', 'cleo', 'dan']
/** A DirectMessage, whenever it is made; the others are GroupChats. */
export const pair = 'pair'
export const channels = ['room', 'hall', pair]

/** Whoever sent the message that a line is about. */
export const SENDER = 'its sender'
/** Somebody who stands so in the channel that a line is about, if anybody does: as an actor, or as whom it is done to. */
export const roles = {
  'an admin': { status: 'active', admin: true, nth: 0 },
  'one who is active': { status: 'active', nth: 0 },
  'another who is active': { status: 'active', nth: 1 },
  'one who is muted': { status: 'muted', nth: 0 },
  'one who waits': { status: 'pending', nth: 0 }
} as const
/** As the subject of an event: whoever adds it. */
export const ONESELF = 'oneself'

/** A message, by how many were sent after it; those that are gone come after those that are there. */
type Nth = number

/** A line about messages; `channel` where it is not the one that they were sent to. */
type Saying =
  /** `again`: under the id of a message that there was before. */
  | { do: 'send', by: string, channel: string, as?: string | undefined, event?: Happening | undefined, again?: Nth | undefined }
  | { do: 'edit', by: string, nth: Nth, channel?: string | undefined }
  | { do: 'get message', by: string, nth: Nth }
  | { do: 'delete messages' | 'list message events', by: string, nths: Nth[], channel?: string | undefined }
  | { do: 'add message event', by: string, nths: Nth[], event: Happening, channel?: string | undefined }

/**
 * `what` is a channel, `me` or `all`. `from`: the log's head, where that reader's last such stream was cut, or what
 * was read last by a GET. `wait`: until it is live, before anything else happens.
 */
export interface Subscribe {
  do: 'subscribe'
  by: string
  what: string
  from: 'head' | 'cut' | 'read'
  wait: boolean
}

/** `cut` ends one of the streams that are open, 0 the one that was opened last. */
export type Line = Exclude<Step, { do: Saying['do'] }> | Saying | Subscribe | { do: 'cut', nth: number } | { do: 'nothing' }

/** Who plays a role in a channel; anybody where nobody does. Whoever is named is who it is. */
export function playerOf (name: string, channel: string | undefined, { channels }: State): string {
  if (!(name in roles)) return name
  const role: { status: Status, admin?: boolean, nth: number } = roles[name as keyof typeof roles]
  const members = channel === undefined ? undefined : channels.get(channel)?.members
  const players = [...members ?? []].filter(([, { status, admin }]) => status === role.status && admin === (role.admin ?? admin)).map(([user]) => user).sort()
  return players[role.nth % players.length] ?? users[role.nth]!
}

/** The step that a line is, in the state that it meets. What it says is left to who runs it. */
export function stepOf (line: Exclude<Line, { do: 'subscribe' | 'cut' | 'nothing' }>, state: State): Step {
  const sent = [...state.messages.values()].reverse().sort((one, other) => Number(one.goneAt !== undefined) - Number(other.goneAt !== undefined))
  const nths = 'nth' in line ? [line.nth] : 'nths' in line ? line.nths : []
  const found = nths.map(nth => sent[nth % sent.length])
  const names = [...new Set(found.map(message => message?.name ?? 'unheard-of'))]
  const channel = 'channel' in line && line.channel !== undefined ? line.channel : found[0]?.channel.name ?? 'room'
  const by = line.by === SENDER ? found[0]?.said.sender ?? SYSTEM : playerOf(line.by, channel, state)
  const happening = 'event' in line ? line.event : undefined
  const event = happening && { ...happening, subject: happening.subject === ONESELF ? by : happening.subject }
  switch (line.do) {
    case 'send': {
      const message = (line.again === undefined ? undefined : sent[line.again % sent.length]?.name) ?? `message${state.messages.size}`
      return { do: line.do, by, channel, text: '', message, ...(line.as === undefined || by !== SYSTEM ? {} : { as: line.as }), ...(event && { event }) }
    }
    case 'edit': return { do: line.do, by, channel, message: names[0]!, text: '' }
    case 'get message': return { do: line.do, by, message: names[0]! }
    case 'delete messages':
    case 'list message events': return { do: line.do, by, channel, messages: names }
    case 'add message event': return { do: line.do, by, channel, messages: names, event: event! }
    case 'add channel event': return { ...line, by, event: event! }
    case 'create': return { ...line, by, ...(event && { event }) }
    default: return 'user' in line ? { ...line, by, user: playerOf(line.user, channel, state) } : { ...line, by }
  }
}
