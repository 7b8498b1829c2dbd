/** What programs are made of: lines of test/model, with lists, and lines about lists. */
import * as plain from '../../model/lines.ts'
import { SYSTEM } from '../../relay/steps.ts'
import { none, type Entry, type Lists, type Patch, type Privilege } from './lists.ts'
import { listsAt, type State } from './state.ts'
import type { Step } from './steps.ts'

export const users = [...plain.users, 'eve']
export const { channels, pair, SENDER } = plain

/** Entries name users, whoever stands so when the line is taken, `SENDER`, or classes. */
export type Change = Patch | 'empty' | { take: number }

export type Line =
  | Exclude<plain.Line, { do: 'create' | 'send' }>
  | Extract<plain.Line, { do: 'create' | 'send' }> & { lists?: Lists | undefined }
  | { do: 'patch channel', by: string, channel: string, change: Change }
  | { do: 'patch message', by: string, nth: number, change: Change }
  | { do: 'get channel lists', by: string, channel: string }
  | { do: 'get message lists', by: string, nth: number }
  | { do: 'get access', by: string, user: string, channel: string, privilege: Privilege, nth?: number | undefined }

type Taken = Exclude<Line, { do: 'subscribe' | 'cut' | 'nothing' }>

/** The step that a line is, in the state that it meets. */
export function stepOf (line: Taken, state: State): Step {
  switch (line.do) {
    case 'patch channel': {
      const { do: what, channel, change } = line
      const by = plain.playerOf(line.by, channel, state)
      const there = state.channels.get(channel)
      return { do: what, by, channel, patch: patchOf(change, there ? listsAt(there) : none, who => playerOf(who, by, channel, state)) }
    }
    case 'patch message':
    case 'get message lists': {
      const { channel, message, by } = about(line, state)
      if (line.do === 'get message lists') return { do: line.do, by, channel, message }
      const there = state.messages.get(message)
      return { do: line.do, by, channel, message, patch: patchOf(line.change, there ? listsAt(there) : none, who => playerOf(who, there?.said.sender ?? by, channel, state)) }
    }
    case 'get channel lists': return { ...line, by: plain.playerOf(line.by, line.channel, state) }
    case 'get access': {
      const { nth, privilege, ...rest } = line
      const { channel, message, by } = nth === undefined ? { ...rest, message: undefined } : about({ by: rest.by, nth }, state)
      return { do: rest.do, by: plain.playerOf(by, channel, state), user: plain.playerOf(rest.user, channel, state), channel, privilege, ...(message === undefined ? {} : { message }) }
    }
    case 'create':
    case 'send': {
      const { lists, ...rest } = line
      const step = plain.stepOf(rest, state) as Extract<Step, { do: 'create' | 'send' }>
      const as = rest.do === 'send' && step.by !== SYSTEM && mayBeSentAs(step.channel, state) ? rest.as : undefined
      return { ...step, ...(as === undefined ? {} : { as }), ...(lists === undefined ? {} : { lists: namedIn(lists, who => playerOf(who, step.by, step.channel, state)) }) }
    }
    default: return plain.stepOf(line, state)
  }
}

/** A message, by how many were sent after it, and who is about to do something with it. */
function about ({ by, nth }: { by: string, nth: number }, state: State): { channel: string, message: string, by: string } {
  const { message, by: actor } = plain.stepOf({ do: 'get message', by, nth }, state) as { message: string, by: string }
  return { message, by: actor, channel: state.messages.get(message)?.channel.name ?? 'room' }
}

const playerOf = (who: string, sender: string, channel: string, state: State): string => who === SENDER ? sender === SYSTEM ? 'amy' : sender : plain.playerOf(who, channel, state)

function namedIn ({ plus, minus }: Lists, name: (who: string) => string): Lists {
  const named = (entries: readonly Entry[]) => {
    const all = entries.map(({ privilege, who }) => ({ privilege, who: name(who) }))
    return all.filter((one, index) => all.findIndex(({ privilege, who }) => privilege === one.privilege && who === one.who) === index)
  }
  return { plus: named(plus), minus: named(minus) }
}

function patchOf (change: Change, before: Lists, name: (who: string) => string): Patch {
  if (change === 'empty') return { set: none }
  if ('set' in change) return { set: namedIn(change.set, name) }
  if ('add' in change) return { add: namedIn(change.add, name), remove: none }
  const { plus, minus } = before
  const nth = change.take % (plus.length + minus.length)
  return { add: none, remove: { plus: plus.slice(nth, nth + 1), minus: nth < plus.length ? [] : minus.slice(nth - plus.length, nth - plus.length + 1) } }
}

/** Whether anybody may send as another there: tried by others, it is refused. */
const mayBeSentAs = (channel: string, { channels }: State): boolean => channels.get(channel)?.listings.at(-1)?.lists.plus.some(({ privilege }) => privilege === 'send_as_other_to_channel') ?? false
