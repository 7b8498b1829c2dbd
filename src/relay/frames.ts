/** From entries to the text of `text/event-stream` (protocol 8). */
import { randomUUID } from 'node:crypto'
import type { Cursor, Entry, EntryKind } from '../store/contract/log.ts'
import { compactData } from './compact.ts'

/** What the data of events looks like: as mitter's clients read it, or with each thing said once. */
export type Format = 'mitter' | 'compact'

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

/** The frame of an entry that has a payload. JSON escapes line breaks, so that data is one line whatever a text holds. */
export function entryFrame ({ cursor, kind, payload = '{}' }: Entry, format: Format): string {
  if (format === 'compact') {
    // What an `EventSource` takes an event without a name for.
    const name = kind === 'message' ? '' : `event: ${kind}\n`
    return `id: ${cursor}\n${name}data: ${compactData(kind, payload)}\n\n`
  }
  const fields = payload === '{}' ? '' : `,${payload.slice(1, -1)}`
  return `id: ${cursor}\nevent: ${kind}\ndata: {"@type":"${payloadTypes[kind]}","globalPipelinePayloadId":"${cursor}"${fields}}\n\n`
}

/** First on every stream; a cut right after it loses nothing, because its id is where the stream starts. */
export function readyFrame (cursor: Cursor | undefined, format: Format): string {
  return controlFrame('ready', format, { id: cursor, retry: RETRY_MS })
}

export const caughtUpFrame = (cursor: Cursor, format: Format): string => controlFrame('caught-up', format, { id: cursor })

export const checkpointFrame = (cursor: Cursor, format: Format): string => controlFrame('checkpoint', format, { id: cursor })

export const gapFrame = (cursor: Cursor, reason: 'expired' | 'unknown', format: Format): string => controlFrame('gap', format, { id: cursor, reason })

/** The last frame. Without an id: what the client has seen stays what it goes on from. */
export function byeFrame (reason: EndReason, format: Format): string {
  const { least, most } = finalReasons.includes(reason) ? FINAL_RETRY_MS : BYE_RETRY_MS
  return controlFrame('bye', format, { retry: Math.round(least + Math.random() * (most - least)), reason })
}

const controlTypes = {
  ready: 'stream-ready-payload',
  'caught-up': 'stream-caught-up-payload',
  checkpoint: 'stream-checkpoint-payload',
  gap: 'stream-gap-payload',
  bye: 'stream-closed-payload'
}

interface ControlFrame {
  id?: Cursor | undefined
  retry?: number
  reason?: string
}

function controlFrame (event: keyof typeof controlTypes, format: Format, { id, retry, reason }: ControlFrame): string {
  const data = { ...(format === 'compact' ? {} : { '@type': controlTypes[event], globalPipelinePayloadId: randomUUID() }), reason }
  return (id === undefined ? '' : `id: ${id}\n`) + (retry === undefined ? '' : `retry: ${retry}\n`) + `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
}
