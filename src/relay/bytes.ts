/** From frames to the bytes that leave: made once, the transfer framing included, however many streams they go to. */
import type { Entry } from '../store/contract/log.ts'
import { entryFrame, type Format } from './frames.ts'

/** How the bytes of a stream are made. There are four: `encodingOf`. */
export interface Encoding {
  readonly format: Format
  /** Whether each write is a chunk (HTTP/1.1); otherwise the end of the connection ends the stream. */
  readonly chunked: boolean
  /** 0 to 3. */
  readonly index: number
}

const formats: Format[] = ['mitter', 'compact']
const encodings: Encoding[] = formats.flatMap((format, index) => [true, false].map((chunked, other) => ({ format, chunked, index: 2 * index + other })))

export function encodingOf (format: Format, chunked: boolean): Encoding {
  return encodings.find(encoding => encoding.format === format && encoding.chunked === chunked)!
}

/** One frame. */
export interface Frame {
  /** As it leaves by itself where each write is a chunk. */
  readonly bytes: Buffer
  /** Where in it the text begins, and how long that is: what leaves elsewhere. */
  readonly start: number
  readonly length: number
}

const CHUNK_END = '\r\n'

/** In memory of its own: a frame may be kept for long, and must not keep a whole pool of others. */
function encode (text: string): Frame {
  const length = Buffer.byteLength(text)
  const size = chunkSize(length)
  const bytes = Buffer.allocUnsafeSlow(size.length + length + CHUNK_END.length)
  bytes.write(size, 'latin1')
  bytes.write(text, size.length)
  bytes.write(CHUNK_END, size.length + length, 'latin1')
  return { bytes, start: size.length, length }
}

/** The line in front of a chunk (RFC 9112, 7.1). */
const chunkSize = (length: number): string => `${length.toString(16)}\r\n`

/** What ends a chunked stream. */
export const LAST_CHUNK = '0\r\n\r\n'

/** The bytes of a frame that goes to one stream alone. */
export const encoded = (text: string, encoding: Encoding): Buffer => bytesOf(encode(text), encoding)

/** A frame by itself, as it leaves. */
export function bytesOf ({ bytes, start, length }: Frame, { chunked }: Encoding): Buffer {
  return chunked ? bytes : bytes.subarray(start, start + length)
}

/** By their entries, in either format, and kept as long as these are. */
const made = new WeakMap<Entry, { [F in Format]?: Frame }>()

/** The frame of an entry that has a payload. */
export function frameOf (entry: Entry, { format }: Encoding): Frame {
  let frames = made.get(entry)
  if (frames === undefined) made.set(entry, frames = {})
  frames[format] ??= encode(entryFrame(entry, format))
  return frames[format]
}

/** Several frames, one at least, as one write. */
export function joined (frames: readonly Frame[], encoding: Encoding): Buffer {
  if (frames.length === 1) return bytesOf(frames[0]!, encoding)
  const { chunked } = encoding
  const length = frames.reduce((sum, frame) => sum + frame.length, 0)
  const size = chunked ? chunkSize(length) : ''
  const bytes = Buffer.allocUnsafeSlow(size.length + length + (chunked ? CHUNK_END.length : 0))
  let at = bytes.write(size, 'latin1')
  for (const { bytes: from, start, length } of frames) at += from.copy(bytes, at, start, start + length)
  if (chunked) bytes.write(CHUNK_END, at, 'latin1')
  return bytes
}

const heartbeats = encodings.map(encoding => encoded(':\n\n', encoding))

/** Keeps proxies and clients from taking silence for a dead connection. */
export const heartbeatFor = ({ index }: Encoding): Buffer => heartbeats[index]!
