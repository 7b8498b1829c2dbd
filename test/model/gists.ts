/** What happened, in a line: the same line of an entry of the model's history and of a frame of the service. */
import { mitterStatus, type Happening, type ParticipationStatus, type Status } from '../relay/steps.ts'
import type { Entry, Said } from './history.ts'

/** What the service notes of each message. */
export const SENT = 'mitter.mtet.SentTime'

export const eventGist = ({ type, subject }: Happening): string => `[${type} ${subject}]`

/** A message: its sender, its text, and what its timeline began with, but for the sending by its sender. */
export function saidGist ({ sender, text, edited, events }: Said): string {
  const told = events.filter(({ type, subject }) => !(type === SENT && subject === sender)).map(eventGist)
  return [sender, text, ...(edited ? ['edited'] : []), ...told].join(' ')
}

export const participationGist = (channel: string, user: string, now: ParticipationStatus, old: ParticipationStatus | undefined, relay: Status, admin: boolean): string =>
  `participation ${channel} ${user} ${old ?? 'new'} to ${now}, ${relay}${admin ? ' admin' : ''}`

/** An entry, its senders and subjects called by `call`, which knows who is deleted. Who came, went or changed keeps its name. */
export function entryGist ({ kind, channel, about, change, message, said, event }: Entry, call: (user: string) => string): string {
  const name = channel?.name ?? ''
  switch (kind) {
    case 'message': return `message ${name} ${saidGist(called(said!, call))}`
    case 'message-updated': return `message-updated ${name} ${message!.name} ${saidGist(called(said!, call))}`
    case 'message-deleted': return `message-deleted ${name} ${message!.name}`
    case 'message-timeline': return `message-timeline ${name} ${message!.name} ${eventGist({ ...event!, subject: call(event!.subject) })}`
    case 'channel-timeline': return `channel-timeline ${name} ${eventGist({ ...event!, subject: call(event!.subject) })}`
    case 'channel': return ['channel', name, ...(event === undefined ? [] : [eventGist({ ...event, subject: call(event.subject) })])].join(' ')
    case 'participation': {
      const { old, status, admin } = change!
      return participationGist(name, about!, mitterStatus[status], old && mitterStatus[old], status, admin)
    }
    case 'participation-deleted': return `participation-deleted ${name} ${about}`
    case 'messages-truncated':
    case 'channel-acls-changed':
    case 'channel-deleted': return `${kind} ${name}`
    case 'user-deleted': return `user-deleted ${about}`
  }
}

export function called (said: Said, call: (user: string) => string): Said {
  return { ...said, sender: call(said.sender), events: said.events.map(({ type, subject }) => ({ type, subject: call(subject) })) }
}

/** A frame of an entry, ids turned into names by `name`. */
export function frameGist ({ event, json }: { event?: string, json: any }, name: (id: string) => string): string {
  const channel = name((json.channel ?? json.channelId).identifier)
  const user = json.participantId && name(json.participantId.identifier)
  const message = json.messageId && name(json.messageId.identifier)
  switch (event) {
    case 'message': return `message ${channel} ${saidGist(saidOf(json.message, name))}`
    case 'message-updated': return `message-updated ${channel} ${name(json.message.messageId)} ${saidGist(saidOf(json.message, name))}`
    case 'message-deleted': return `message-deleted ${channel} ${message}`
    case 'message-timeline': return `message-timeline ${channel} ${message} ${eventGist(happeningOf(json.timelineEvent, name))}`
    case 'channel-timeline': return `channel-timeline ${channel} ${eventGist(happeningOf(json.timelineEvent, name))}`
    case 'channel': return ['channel', channel, ...json.channel.timelineEvents.map((one: unknown) => eventGist(happeningOf(one, name)))].join(' ')
    case 'participation': return participationGist(channel, user, json.newStatus, json.oldStatus, json.relayStatus, json.roles.includes('admin'))
    case 'participation-deleted': return `participation-deleted ${channel} ${user}`
    default: return `${event} ${channel}`
  }
}

/** A Message as the service has it. */
export function saidOf (message: any, name: (id: string) => string): Said {
  return {
    sender: name(message.senderId.identifier),
    text: message.textPayload,
    edited: message.editedAt !== undefined,
    events: message.timelineEvents.map((event: unknown) => happeningOf(event, name))
  }
}

/** A TimelineEvent as the service has it. */
export function happeningOf (event: any, name: (id: string) => string): Happening {
  return { type: event.type, subject: name(event.subject.identifier) }
}
