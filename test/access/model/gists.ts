/** What happened, in a line, as test/model/gists.ts writes it, with lists where they are shown. */
import { callingAt, type Entry } from '../../model/history.ts'
import * as plain from '../../model/gists.ts'
import type { Frame } from '../../support/sse.ts'
import { listsGist, shownGist } from './lists.ts'
import { channelOf, listsAt, messageOf } from './state.ts'

/** How an entry is told: as what it is, or to those who might read before it, and may no more. */
export type Form = 'as it is' | 'as lost'

/** @param moment when it is told */
export function entryGist (history: Entry[], index: number, form: Form, moment: number): string {
  const entry = history[index]!
  const call = callingAt(history, moment)
  const line = plain.entryGist(entry, call)
  switch (entry.kind) {
    case 'message-updated':
      if (form === 'as lost') return `message-deleted ${entry.channel!.name} ${messageOf(entry).name}`
      return line + listsGist(listsAt(messageOf(entry), index + 1), call)
    case 'message': return line + listsGist(listsAt(messageOf(entry), index + 1), call)
    case 'channel': return line + listsGist(listsAt(channelOf(entry), index + 1), call)
    case 'channel-acls-changed': return form === 'as lost' ? line : line + (listsGist(listsAt(channelOf(entry), index + 1), call) || ' {}')
    default: return line
  }
}

export function frameGist (frame: Pick<Frame, 'event' | 'json'>, name: (id: string) => string): string {
  const { event, json } = frame
  const shows = event === 'channel-acls-changed' ? json : json.message ?? json.channel ?? {}
  return plain.frameGist(frame, name) + shownGist(shows, name((json.channel ?? json.channelId).identifier), name)
}
