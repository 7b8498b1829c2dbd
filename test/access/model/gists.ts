/** What happened, in a line, as test/model/gists.ts writes it, with lists where they are shown. */
import { callingAt, type Entry } from '../../model/history.ts'
import * as plain from '../../model/gists.ts'
import type { Frame } from '../../support/sse.ts'
import { listsGist, shownGist } from './lists.ts'
import { channelOf, listsAt, messageOf } from './state.ts'

/** How an entry is told: as what it is; to those who might read before it, and may no more; and a new channel to those who may not read what it began with. */
export type Form = 'as it is' | 'as lost' | 'as begun with nothing'

/** @param moment when it is told */
export function entryGist (history: Entry[], index: number, form: Form, moment: number): string {
  const entry = history[index]!
  const call = callingAt(history, moment)
  const { event, ...rest } = entry
  const line = plain.entryGist(form === 'as begun with nothing' ? rest : entry, call)
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
