/** All reads of the contract, for whatever runs them. */
import type { Log } from '../../contract/log.ts'
import type { Reads } from '../../contract/reads.ts'
import { getChannels, listChannels, listChannelsOf, listParticipants } from './channels.ts'
import { head, openStream, tail } from './log.ts'
import { getMessage, listChannelEvents, listMessageEvents, listMessages } from './messages.ts'
import type { Read, ReadRows } from './queries.ts'
import { read } from './replay.ts'
import { getToken, getUser, listTokens, listUsers, userExists } from './users.ts'

const lookups = { head, userExists, getToken }

const pages = {
  tail,
  openStream,
  read,
  getUser,
  listUsers,
  listTokens,
  getChannels,
  listChannels,
  listChannelsOf,
  listParticipants,
  listMessages,
  getMessage,
  listChannelEvents,
  listMessageEvents
}

type Reader = (...args: unknown[]) => Read<unknown>

/** @param run runs a read on one snapshot; told whether it looks at a few rows or at a page of them */
export function readsBy (run: <T>(read: Read<T>, rows: ReadRows) => Promise<T>): Reads & Omit<Log, 'onCommitted'> {
  const bound = (reads: object, rows: ReadRows) =>
    Object.entries(reads as Record<string, Reader>).map(([name, read]) => [name, (...args: unknown[]) => run(read(...args), rows)])
  return Object.fromEntries([...bound(lookups, 'few'), ...bound(pages, 'page')]) as unknown as ReturnType<typeof readsBy>
}
