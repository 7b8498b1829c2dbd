/** What a workload needs of whatever it measures. */
import type { LaneRequest } from '../generator.ts'

/** Who is in which channel. Peers that know neither users nor channels beforehand take no notice of it. */
export interface Layout {
  users: number
  channels: number
  /** At most 1,000. */
  membersOf (channel: number): number[]
}

export interface RunningPeer {
  /** All that serve, their children apart: the nodes first, as in `ports`. */
  pids: number[]
  /** Of each node where it listens. */
  ports: number[]
  /** A text in a line of a stream that has begun; empty: its headers are enough. */
  ready: string
  /** Of signed calls. */
  secret?: Buffer
  /** The request of a channel's stream, without the empty line at its end. */
  channelStream (channel: number, user: number): string
  /** The request of a stream of all channels of a user. */
  userStream? (user: number): string
  /** Into a channel as one of its members; `text` has the marker in it. */
  publish (channel: number, user: number, text: string): Omit<LaneRequest, 'publisher'>
  /** The same, signed by the application. */
  publishSigned? (channel: number, text: string): Omit<LaneRequest, 'publisher'>
  /** In the place of all that: milliseconds of each of so many commits, for what is no server. */
  commits? (count: number, gapMs: number): Promise<number[]>
  /** The same: so many rows a second, written for so many seconds. */
  rows? (seconds: number): Promise<number>
  stop (): Promise<void>
}

export interface Peer {
  name: string
  /** What it is, in a few words. */
  about: string
  /** Why it cannot run here and what helps; undefined: it can. */
  missing (): string | undefined
  start (layout: Layout): Promise<RunningPeer>
}

/** The head of a request with a body. */
export function headOf (path: string, body: string, headers: Record<string, string>): string {
  const all = { Host: '127.0.0.1', ...headers, 'Content-Length': String(Buffer.byteLength(body)) }
  return `POST ${path} HTTP/1.1\r\n${linesOf(all)}\r\n`
}

/** The request of a stream, without its empty line. */
export function streamOf (path: string, headers: Record<string, string> = {}): string {
  return `GET ${path} HTTP/1.1\r\n${linesOf({ Host: '127.0.0.1', Accept: 'text/event-stream', ...headers })}`
}

function linesOf (headers: Record<string, string>): string {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('')
}
