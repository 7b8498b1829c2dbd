/** The part of the model that is about what is said, changed, deleted and noted (protocol 5, 6). Answers are status and reason. */
import { SYSTEM, type Happening, type On } from '../relay/steps.ts'
import { receiving, sending } from '../relay/tables.ts'
import { log, messageIn, messagesIn, standing, type Channel, type Message, type State } from './state.ts'

export function send (state: State, channel: Channel, step: On<'send'>): string {
  const { by, as: sender = by, text, event, message: name = `unnamed ${state.messages.size}` } = step
  const refused = sending[standing(channel, by)]
  if (refused !== undefined) return refused
  if (sender !== by && by !== SYSTEM) return '403 send_as_other_to_channel'
  if (state.deleted.has(sender)) return '404 ?'
  if (event !== undefined) {
    const wrong = newEvent(state, by, event)
    if (wrong !== undefined) return wrong
  }
  if (state.messages.has(name)) return '409 ?'
  const said = { sender, text, edited: false, events: event === undefined ? [] : [event] }
  const message = { name, channel, said, added: [] }
  state.messages.set(name, message)
  log(state, channel, 'message', { message, said })
  return '200'
}

/** A user's events are about itself; those of `.system` about anyone there is. */
export function newEvent ({ deleted }: State, by: string, { subject }: Happening): string | undefined {
  if (by !== SYSTEM) return subject === by ? undefined : '403 ?'
  return deleted.has(subject) ? '404 ?' : undefined
}

/** Why somebody may not change a message or delete it. A stranger to the channel does not learn whether there is one. */
function mayNotChange (channel: Channel, message: Message | undefined, by: string): string | undefined {
  if (by !== SYSTEM && message?.said.sender !== by) {
    const refused = receiving[standing(channel, by)]
    if (refused !== undefined) return refused
  }
  if (message === undefined) return '404 ?'
  return by === SYSTEM || message.said.sender === by ? undefined : '403 ?'
}

export function edit (state: State, channel: Channel, { by, message: name, text }: On<'edit'>): string {
  const message = messageIn(state, channel, name)
  const refused = mayNotChange(channel, message, by) ?? sending[standing(channel, by)]
  if (refused !== undefined) return refused
  message!.said = { ...message!.said, text, edited: true }
  log(state, channel, 'message-updated', { message: message!, said: message!.said })
  return '200'
}

export function deleteMessages (state: State, channel: Channel, { by, messages }: On<'delete messages'>): string {
  const found = messages.map(name => messageIn(state, channel, name))
  for (const message of found) {
    const refused = mayNotChange(channel, message, by)
    if (refused !== undefined) return refused
  }
  for (const message of found as Message[]) {
    message.goneAt = state.history.length
    log(state, channel, 'message-deleted', { message })
  }
  return '204'
}

export function truncate (state: State, channel: Channel, { by }: On<'truncate'>): string {
  if (by !== SYSTEM) return '403 ?'
  loseMessages(state, channel)
  log(state, channel, 'messages-truncated')
  return '204'
}

/** All messages of a channel are gone with the entry that is written next. */
export function loseMessages (state: State, channel: Channel): void {
  for (const message of messagesIn(state, channel)) message.goneAt = state.history.length
}

export function addChannelEvent (state: State, channel: Channel, { by, event }: On<'add channel event'>): string {
  const refused = mayNotNote(channel, by, event) ?? newEvent(state, by, event)
  if (refused !== undefined) return refused
  channel.added.push(event)
  log(state, channel, 'channel-timeline', { event })
  return '204'
}

export function addMessageEvent (state: State, channel: Channel, { by, messages, event }: On<'add message event'>): string {
  const refused = mayNotNote(channel, by, event) ?? newEvent(state, by, event)
  if (refused !== undefined) return refused
  const found = messages.map(name => messageIn(state, channel, name))
  if (found.includes(undefined)) return '404 ?'
  for (const message of found as Message[]) {
    message.added.push(event)
    log(state, channel, 'message-timeline', { message, event })
  }
  return '200'
}

/** A muted member may say of messages what happened to them, and nothing else. */
function mayNotNote (channel: Channel, by: string, event: Happening): string | undefined {
  const as = standing(channel, by)
  if (receiving[as] !== undefined) return receiving[as]
  if (by !== SYSTEM && event.subject !== by) return '403 ?'
  return as === 'muted' && !event.type.startsWith('mitter.mtet.') ? '403 muted' : undefined
}
