/** What streams carry: "What streams carry" of docs/access.md, and protocol 8, promise 4. */
import { membersAt, type Entry, type Law, type Reader } from '../../model/history.ts'
import { entryGist, frameGist, type Form } from './gists.ts'
import { channelOf, isRelisting, listsAt, messageOf, reachesAt, readsChannelAt, wasNamed } from './state.ts'
import { names } from './rights.ts'

type Somebody = Exclude<Reader, { of: 'application' }> & { user: string }

/** Reads everything, or all of a channel: the application. */
const readsAll = (reader: Reader): boolean => reader.of === 'application' || reader.user === undefined
const isApart = (reader: Reader, entry: Entry): boolean => entry.channel === undefined || (reader.of === 'channel' && reader.channel !== entry.channel)

/** A user's stream carries the channels in which the user is a participant of any status and may read; a channel's stream is its readers'. */
function carries ({ of, user }: Somebody, entry: Entry, history: Entry[], moment: number): boolean {
  const channel = channelOf(entry)
  return readsChannelAt(history, channel, user, moment) && (of === 'channel' || membersAt(history, channel, moment)!.has(user))
}

/** As of the entry itself. */
function formAt (reader: Reader, history: Entry[], index: number): Form | undefined {
  const entry = history[index]!
  if (isApart(reader, entry)) return undefined
  if (readsAll(reader)) return 'as it is'
  const somebody = reader as Somebody
  const { of, user } = somebody
  if (entry.about === user || isFormAt(somebody, history, index)) return 'as it is'
  if (entry.kind === 'channel-acls-changed') {
    const here = of === 'channel' || entry.members.has(user)
    return here && readsChannelAt(history, channelOf(entry), user, index) ? 'as lost' : undefined
  }
  return isRelisting(entry, index) && reachesAt(history, messageOf(entry), user, of, index) ? 'as lost' : undefined
}

function isFormAt (reader: Somebody, history: Entry[], index: number): boolean {
  const { of, user } = reader
  const entry = history[index]!
  switch (entry.kind) {
    case 'channel': return of === 'user' && entry.members.has(user)
    case 'channel-deleted':
      return of === 'channel' ? readsChannelAt(history, channelOf(entry), user, index) : entry.members.has(user) || isNamedFor(reader, history, index)
    case 'messages-truncated': return carries(reader, entry, history, index + 1) || isNamedFor(reader, history, index)
    case 'message':
    case 'message-updated':
    case 'message-deleted':
    case 'message-timeline': return reachesAt(history, messageOf(entry), user, of, index + 1)
    default: return carries(reader, entry, history, index + 1)
  }
}

/** Those named from outside also get truncations and the channel's deletion. */
const isNamedFor = ({ of, user }: Somebody, history: Entry[], index: number): boolean => of === 'user' && wasNamed(history, channelOf(history[index]!), user, index)

/** Whether somebody who missed it, and was to have it, is to have it still. */
function isStillFor (reader: Somebody, history: Entry[], index: number, form: Form, moment: number): boolean {
  const { of, user } = reader
  const entry = history[index]!
  if (entry.about === user) return true
  switch (entry.kind) {
    // Exempt, like what concerns the reader itself.
    case 'channel-deleted':
    case 'channel-acls-changed': return true
    case 'messages-truncated': return isNamedFor(reader, history, index) || carries(reader, entry, history, moment)
    case 'channel': {
      if (carries(reader, entry, history, moment) && carries(reader, entry, history, index + 1)) return true
      // The entry that made it a participant, as long as it is one of that making.
      return membersAt(history, entry.channel!, moment)?.get(user)?.cameWith === entry.channel!.created
    }
    case 'message':
    case 'message-updated':
    case 'message-deleted':
    case 'message-timeline': {
      const message = messageOf(entry)
      if (form === 'as it is') return reachesAt(history, message, user, of, moment)
      if (membersAt(history, message.channel, moment) === undefined) return false
      return carries(reader, entry, history, moment) || (of === 'user' && names(listsAt(message, index), user))
    }
    default: return carries(reader, entry, history, moment)
  }
}

/** What a channel with lists began with is for those who may read it, then and when they are told. */
function beginning (reader: Reader, history: Entry[], index: number, form: Form, moments: number[]): Form {
  const entry = history[index]!
  if (entry.kind !== 'channel' || readsAll(reader)) return form
  const { plus, minus } = listsAt(channelOf(entry), index + 1)
  const reads = moments.every(moment => readsChannelAt(history, channelOf(entry), (reader as Somebody).user, moment))
  return plus.length + minus.length === 0 || reads ? form : 'as begun with nothing'
}

/** Whether the content that it tells of was deleted by then. */
const isGone = ({ kind, message }: Entry, form: Form, moment: number): boolean =>
  message?.goneAt !== undefined && kind !== 'message-deleted' && form === 'as it is' && message.goneAt < moment

export const law: Law = {
  live (reader, history, index) {
    const form = formAt(reader, history, index)
    return form && entryGist(history, index, beginning(reader, history, index, form, [index + 1]), index)
  },

  later (reader, history, index, moment) {
    const form = formAt(reader, history, index)
    if (form === undefined || isGone(history[index]!, form, moment)) return undefined
    return readsAll(reader) || isStillFor(reader as Somebody, history, index, form, moment)
      ? entryGist(history, index, beginning(reader, history, index, form, [index + 1, moment]), moment)
      : undefined
  },

  mayMiss (reader, history, index, moment) {
    const entry = history[index]!
    if (readsAll(reader) || reader.of === 'channel' || entry.message === undefined || entry.kind === 'message') return false
    const [message, somebody] = [messageOf(entry), reader as Somebody]
    return !names(listsAt(message, index + 1), somebody.user) && !carries(somebody, entry, history, moment)
  },

  endsWith (reader, history, index) {
    const entry = history[index]!
    if (reader.of === 'application') return undefined
    if (entry.kind === 'user-deleted') return entry.about === reader.user ? 'expired' : undefined
    if (reader.of !== 'channel' || isApart(reader, entry)) return undefined
    if (entry.kind === 'channel-deleted') return 'deleted'
    return law.receives(reader, history, index) && !law.receives(reader, history, index + 1) ? 'removed' : undefined
  },

  receives (reader, history, moment) {
    if (reader.of !== 'channel') return true
    return readsAll(reader) ? membersAt(history, reader.channel, moment) !== undefined : readsChannelAt(history, channelOf({ channel: reader.channel } as Entry), reader.user!, moment)
  },

  told: frameGist
}
