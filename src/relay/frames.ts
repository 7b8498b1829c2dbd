/** From entries to the bytes of `text/event-stream` (protocol 8). A frame is made once and written to every stream. */
import { randomUUID } from 'node:crypto'
import type { Cursor, Entry, EntryKind } from '../store/contract/log.ts'

/** Why a stream ends; each is also what a client reads in `bye`. */
export type EndReason = 'shutdown' | 'slow' | 'expired' | 'removed' | 'deleted' | 'overloaded' | 'unavailable'

/** mitter's names of the events' payloads, which its SDKs tell them apart by. */
const payloadTypes: Partial<Record<EntryKind, string>> = {
  message: 'new-message-payload',
  'message-updated': 'message-updated-payload',
  'message-timeline': 'new-message-timeline-event-payload',
  'message-deleted': 'message-deleted-payload',
  'messages-truncated': 'messages-truncated-payload',
  channel: 'new-channel-payload',
  'channel-deleted': 'channel-deleted-payload',
  'channel-timeline': 'new-channel-timeline-event-payload',
  participation: 'participation-changed-event-payload',
  'participation-deleted': 'participation-deleted-payload',
  'channel-acls-changed': 'channel-acls-changed-payload'
}

/** What an `EventSource` waits before it connects again, in milliseconds, while nothing is wrong. */
export const RETRY_MS = 2_000

/**
 * After a `bye`, clients come back spread over this time, in milliseconds, so that they do not come all at once:
 * later than a restart takes, and much later where there is nothing to come back for.
 */
const BYE_RETRY_MS = { least: 3_000, most: 8_000 }
const FINAL_RETRY_MS = { least: 120_000, most: 300_000 }
const finalReasons: EndReason[] = ['expired', 'removed', 'deleted']

/** Keeps proxies and clients from taking silence for a dead connection. */
export const heartbeatFrame = Buffer.from(':\n\n')

/** Frames by their entries: made once, however many streams carry them, and kept as long as the entry is. */
const made = new WeakMap<Entry, Buffer>()

/** The frame of an entry that has a payload. */
export function entryFrame (entry: Entry): Buffer {
  let frame = made.get(entry)
  if (frame === undefined) made.set(entry, frame = makeFrame(entry))
  return frame
}

/** JSON escapes line breaks, so that data is one line whatever a text holds. */
function makeFrame ({ cursor, kind, payload }: Entry): Buffer {
  const fields = payload === undefined || payload === '{}' ? '' : `,${payload.slice(1, -1)}`
  return Buffer.from(
    `id: ${cursor}\nevent: ${kind}\ndata: {"@type":"${payloadTypes[kind]}","globalPipelinePayloadId":"${cursor}"${fields}}\n\n`
  )
}

/** First on every stream; a cut right after it loses nothing, because its id is where the stream starts. */
export function readyFrame (cursor: Cursor | undefined): Buffer {
  return controlFrame('ready', { id: cursor, retry: RETRY_MS })
}

export const caughtUpFrame = (cursor: Cursor): Buffer => controlFrame('caught-up', { id: cursor })

export const checkpointFrame = (cursor: Cursor): Buffer => controlFrame('checkpoint', { id: cursor })

export const gapFrame = (cursor: Cursor, reason: 'expired' | 'unknown'): Buffer => controlFrame('gap', { id: cursor, reason })

/** The last frame. Without an id: what the client has seen stays what it goes on from. */
export function byeFrame (reason: EndReason): Buffer {
  const { least, most } = finalReasons.includes(reason) ? FINAL_RETRY_MS : BYE_RETRY_MS
  return controlFrame('bye', { retry: Math.round(least + Math.random() * (most - least)), reason })
}

const controlTypes = {
  ready: 'stream-ready-payload',
  'caught-up': 'stream-caught-up-payload',
  checkpoint: 'stream-checkpoint-payload',
  gap: 'stream-gap-payload',
  bye: 'stream-closed-payload'
}

function controlFrame (event: keyof typeof controlTypes, { id, retry, reason }: { id?: Cursor | undefined, retry?: number, reason?: string }): Buffer {
  const data = { '@type': controlTypes[event], globalPipelinePayloadId: randomUUID(), ...(reason === undefined ? {} : { reason }) }
  return Buffer.from(
    (id === undefined ? '' : `id: ${id}\n`) + (retry === undefined ? '' : `retry: ${retry}\n`) + `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
  )
}
