/** What streams carry where nothing has access control lists. */
import { entryGist, frameGist } from './gists.ts'
import { callingAt, carriedLater, carriedLive, endsWith, membersAt, receives, type Law } from './history.ts'

export const plainLaw: Law = {
  live: (reader, history, index) => carriedLive(reader, history[index]!) ? entryGist(history[index]!, callingAt(history, index)) : undefined,
  later: (reader, history, index, moment) =>
    carriedLater(reader, history[index]!, history, moment) ? entryGist(history[index]!, callingAt(history, moment)) : undefined,
  endsWith: (reader, history, index) => endsWith(reader, history[index]!),
  receives: (reader, history, moment) =>
    reader.of !== 'channel' || reader.user === undefined || receives(membersAt(history, reader.channel, moment)?.get(reader.user)),
  told: frameGist
}
