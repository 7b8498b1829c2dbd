/** What is said, changed, deleted and noted, where lists decide who may. Answers are status and reason. */
import { newEvent } from '../../model/messages.ts'
import { log, standing } from '../../model/state.ts'
import { SYSTEM, type Happening, type On } from '../../relay/steps.ts'
import { receiving } from '../../relay/tables.ts'
import { isEmpty, namesIn, none, type Lists } from './lists.ts'
import { faults, notFound, readingRefused, reads, refusal, refusalBy, sendingRefused, type Expected } from './refusals.ts'
import { allows, may, messageVerdictOf, names } from './rights.ts'
import { listedAt, listsAt, messageIn, messagesIn, whoIn, type Channel, type Message, type State } from './state.ts'
import type { StepOf } from './steps.ts'

export function send (state: State, channel: Channel, step: StepOf<'send'>): Expected {
  const { by, as: sender = by, text, event, message: name = `unnamed ${state.messages.size}`, lists = none } = step
  const refused = sendingRefused(state, channel, by) ?? (sender === by ? undefined : refusal(state, channel, 'send_as_other_to_channel', by, '403 send_as_other_to_channel'))
  if (refused !== undefined) return refused
  const wrong = faults(
    state.deleted.has(sender) ? '404 ?' : undefined, mayNotName(state, channel, by, lists), event && newEvent(state, by, event), state.messages.has(name) ? '409 ?' : undefined)
  if (wrong !== undefined) return wrong
  const said = { sender, text, edited: false, events: event === undefined ? [] : [event] }
  const message: Message = { name, channel, said, added: [], listings: isEmpty(lists) ? [] : [{ at: state.history.length, lists }] }
  state.messages.set(name, message)
  log(state, channel, 'message', { message, said })
  return '200'
}

/** Users named must be there; whom does not receive the channel, only the application names. */
export function mayNotName (state: State, channel: Channel, by: string, { plus, minus }: Lists): Expected | undefined {
  const strangers = namesIn(plus).filter(user => receiving[standing(channel, user)] !== undefined)
  return faults(
    namesIn([...plus, ...minus]).some(user => state.deleted.has(user)) ? '404 ?' : undefined,
    by !== SYSTEM && strangers.length > 0 ? '403 ?' : undefined)
}

export function edit (state: State, channel: Channel, { by, message: name, text }: On<'edit'>): Expected {
  const message = messageIn(state, channel, name)
  if (message === undefined || (by !== SYSTEM && by !== message.said.sender)) return notFound(state, channel, message, by, true) ?? '403 ?'
  const refused = sendingRefused(state, channel, by)
  if (refused !== undefined) return refused
  message.said = { ...message.said, text, edited: true }
  log(state, channel, 'message-updated', { message, said: message.said })
  return '200'
}

export function deleteMessages (state: State, channel: Channel, { by, messages }: On<'delete messages'>): Expected {
  const found = messages.map(name => messageIn(state, channel, name))
  const refused = faults(...found.map(message => mayNotDelete(state, channel, message, by)))
  if (refused !== undefined) return refused
  for (const message of found as Message[]) {
    message.goneAt = state.history.length
    log(state, channel, 'message-deleted', { message })
  }
  return '204'
}

function mayNotDelete (state: State, channel: Channel, message: Message | undefined, by: string): string | undefined {
  if (message === undefined) return notFound(state, channel, message, by, true)
  const who = by === SYSTEM ? { user: by } : whoIn(state, channel, by)
  const verdict = messageVerdictOf('delete_message', listedAt(message), who, false)
  if (allows(verdict) || may('delete_messages_from_channel', listsAt(channel), who)) return undefined
  return notFound(state, channel, message, by, true) ?? refusalBy(verdict, 'delete_message', '403 ?')
}

export function truncate (state: State, channel: Channel, { by }: On<'truncate'>): Expected {
  const refused = refusal(state, channel, 'delete_messages_from_channel', by)
  if (refused !== undefined) return refused
  loseMessages(state, channel)
  log(state, channel, 'messages-truncated')
  return '204'
}

/** All messages of a channel are gone with the entry that is written next. */
export function loseMessages (state: State, channel: Channel): void {
  for (const message of messagesIn(state, channel)) message.goneAt = state.history.length
}

export function addChannelEvent (state: State, channel: Channel, { by, event }: On<'add channel event'>): Expected {
  const refused = readingRefused(state, channel, by) ?? faults(newEvent(state, by, event), mayNotNote(state, channel, by, event, false))
  if (refused !== undefined) return refused
  channel.added.push(event)
  log(state, channel, 'channel-timeline', { event })
  return '204'
}

export function addMessageEvent (state: State, channel: Channel, { by, messages, event }: On<'add message event'>): Expected {
  const found = messages.map(name => messageIn(state, channel, name))
  const unread = found.some(message => message === undefined || !reads(state, message, by, false))
  const isNamed = !unread && found.every(message => names(listsAt(message!), by))
  const hidden = unread ? readingRefused(state, channel, by) ?? '404 ?' : undefined
  const refused = faults(hidden, newEvent(state, by, event), mayNotNote(state, channel, by, event, isNamed))
  if (refused !== undefined) return refused
  for (const message of found as Message[]) {
    message.added.push(event)
    log(state, channel, 'message-timeline', { message, event })
  }
  return '200'
}

/** Receipts are said by members that read, and by whoever is named by the messages; anything else by whoever may send. */
function mayNotNote (state: State, channel: Channel, by: string, { type }: Happening, isNamed: boolean): string | undefined {
  if (by === SYSTEM) return undefined
  if (!type.startsWith('mitter.mtet.')) return sendingRefused(state, channel, by)
  return isNamed || channel.members.has(by) ? undefined : '403 ?'
}
