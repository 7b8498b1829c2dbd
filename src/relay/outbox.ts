/** What is on its way to one reader: frames of one turn, which are written together, and bytes that it has not taken yet. */
import type { ServerResponse } from 'node:http'
import { heartbeatFrame } from './frames.ts'

/** How long a reader that was told to go may take to read what it still has, in milliseconds. */
const LINGER_MS = 2_000

export interface OutboxOptions {
  response: ServerResponse
  /** Silence after which a comment is written, in milliseconds. */
  heartbeatMs: number
  /** Bytes that may wait for a reader. */
  queueBytes: number
  /** How long a reader that is waited for may take nothing, in milliseconds. */
  stalledMs: number
  /** Told where it has taken nothing for longer. */
  onStalled: () => void
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #response: ServerResponse
  #pending: Buffer[] = []
  #pendingBytes = 0
  #closing = false
  #heartbeat: NodeJS.Timeout | undefined
  #linger: NodeJS.Timeout | undefined
  /** Lets go of whoever waits until the reader has taken what was written. */
  #release: (() => void) | undefined

  constructor (options: OutboxOptions) {
    this.#options = options
    this.#response = options.response
    this.#response.on('error', () => {}) // the reader went away: `close` follows
  }

  /** From now on the reader hears something at least every `heartbeatMs`. */
  start (): void {
    this.#response.on('timeout', this.#options.onStalled)
    // Only where nothing waits that would tell it as much.
    this.#heartbeat = setInterval(() => { if (this.isEmpty) this.write(heartbeatFrame) }, this.#options.heartbeatMs)
  }

  /** Whether all was taken. */
  get isEmpty (): boolean {
    return this.#waitingBytes === 0
  }

  /** Whether a frame may wait with what waits already; any may wait alone. */
  hasRoomFor (frame: Buffer): boolean {
    return this.isEmpty || this.#waitingBytes + frame.length <= this.#options.queueBytes
  }

  get #waitingBytes (): number {
    return this.#pendingBytes + this.#response.writableLength
  }

  /** Keeps a frame until `flush`. */
  push (frame: Buffer): void {
    this.#pending.push(frame)
    this.#pendingBytes += frame.length
  }

  flush (): void {
    const frames = this.#pending
    if (frames.length === 0) return
    this.#pending = []
    this.#pendingBytes = 0
    if (frames.length > 1) this.#response.cork()
    for (const frame of frames) this.write(frame)
    if (frames.length > 1) this.#response.uncork()
  }

  write (frame: Buffer, taken?: () => void): void {
    if (this.#response.destroyed || this.#response.writableEnded) return
    this.#response.write(frame, taken)
    this.#heartbeat?.refresh()
  }

  /** Writes what is pending, and waits until the reader has taken all that was written, or is gone. */
  async taken (): Promise<void> {
    this.flush()
    if (this.#response.writableLength === 0 || this.#closing) return
    // A socket's time begins anew whenever the kernel has taken some: in steps, which the time must leave room for.
    this.#response.setTimeout(this.#options.stalledMs)
    await new Promise<void>(resolve => {
      this.#release = resolve
      this.write(heartbeatFrame, resolve)
    })
    this.#response.setTimeout(0)
  }

  /** Writes what is pending and a last frame, lets the reader take it, and lets go of it. */
  finish (last: Buffer): void {
    this.#closing = true
    this.flush()
    this.write(last)
    this.#response.end()
    this.#linger = setTimeout(() => this.#response.destroy(), LINGER_MS)
  }

  /** The connection is gone, or is somebody else's. */
  dispose (): void {
    this.#closing = true
    this.#pending = []
    this.#pendingBytes = 0
    this.#release?.()
    clearInterval(this.#heartbeat)
    clearTimeout(this.#linger)
  }
}
