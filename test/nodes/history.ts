/** What clients of several nodes asked, were answered and were told: what a run leaves for `check` (check.ts). */

/** One of the stream, as far as it matters here, in whichever form it came (protocol 8). */
export interface Told {
  /** A place in the log: of an entry its own, the same on every stream. */
  id?: string
  event: string
  channel?: string
  /** Id and text of a message. */
  message?: string
  text?: string
  /** Whom it is from, or about. */
  user?: string
  /** What a participant has become. */
  status?: string
  /** Of a `gap` or a `bye`. */
  reason?: string
}

/** Times are milliseconds of one clock, that of the process in which all clients are. */
export interface Asked {
  /** When it was asked first. */
  askedAt: number
  /** When the answer was there; infinite where there was none. */
  answeredAt: number
  /** Of the answer: 2xx or 4xx; absent where there was none, however often it was tried. */
  status?: number
  /** Where it was tried, under one key. */
  nodes: number[]
}

export interface Send extends Asked {
  user: string
  channel: string
  /** No two sends have the same. */
  text: string
  /** What a 200 said. */
  cursor?: string
  message?: string
  /** Why it was refused. */
  reason?: string
}

/** What somebody in a channel was to become. Of one user in one channel they are made one after the other, each until it is done. */
export interface Change extends Asked {
  user: string
  channel: string
  to: 'active' | 'muted' | 'out'
}

export interface Connection {
  node: number
  status: number
  /** The place that it was to go on from; absent: now. */
  after?: string
  told: Told[]
}

/** Of the application, whole or of a channel, or of one user. */
export interface Stream {
  name: string
  user?: string
  channel?: string
  /** One after the other, each going on from the last id of those before. */
  connections: Connection[]
}

export interface List {
  node: number
  channel: string
  /** In the order of the log. */
  messages: Array<{ id: string, text: string }>
}

export interface History {
  sends: Send[]
  changes: Change[]
  streams: Stream[]
  /** The application's stream from its beginning, read from each node when all was over. The first one is held for the truth. */
  logs: Array<{ node: number, told: Told[] }>
  lists: List[]
  /** A standby that lacked commits has become the primary: what was acknowledged may be gone, and streams may have a gap. */
  lossy?: boolean
}

/** Names of what is no entry of the log. */
export const control = new Set(['ready', 'caught-up', 'checkpoint', 'gap', 'bye'])

export const isEntry = ({ event }: Told): boolean => !control.has(event)

/** All that it says, for messages and to compare. */
export function inWords (told: Told | undefined): string {
  if (told === undefined) return 'nothing'
  const { id, event, channel, message, user, status, text, reason } = told
  return [id, event, channel, message, user, status, text, reason].filter(part => part !== undefined).join(' ')
}
