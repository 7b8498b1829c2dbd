/** All reads of the contract, for whatever runs them. */
import type { Log } from '../../contract/log.ts'
import type { Reads } from '../../contract/reads.ts'
import { explainAccess, getAcls } from './access.ts'
import { getChannels, listChannels, listChannelsOf, listParticipants } from './channels.ts'
import { head, openStream, tail } from './log.ts'
import { getMessage, listChannelEvents, listMessageEvents, listMessages } from './messages.ts'
import type { Read } from './queries.ts'
import { read, rights } from './replay.ts'
import { getToken, getUser, listTokens, listUsers, userExists } from './users.ts'

const reads = {
  head,
  tail,
  openStream,
  read,
  rights,
  getUser,
  userExists,
  listUsers,
  getToken,
  listTokens,
  getChannels,
  listChannels,
  listChannelsOf,
  listParticipants,
  listMessages,
  getMessage,
  listChannelEvents,
  listMessageEvents,
  getAcls,
  explainAccess
}

/** @param run runs a read on one snapshot */
export function readsBy (run: <T>(read: Read<T>) => Promise<T>): Reads & Omit<Log, 'onCommitted'> {
  const entries = Object.entries(reads) as Array<[string, (...args: unknown[]) => Read<unknown>]>
  return Object.fromEntries(entries.map(([name, read]) => [name, (...args: unknown[]) => run(read(...args))])) as unknown as ReturnType<typeof readsBy>
}
