/** What is on its way to one reader: bytes that it has not taken yet. */
import type { Socket } from 'node:net'
import { untakenOf } from '../untaken.ts'
import { encoded, heartbeatFor, LAST_CHUNK, type Encoding } from './bytes.ts'

/** A connection whose headers were sent, and which is the stream's from then on. */
export interface Connection {
  socket: Socket
  /** Whether each write is to be a chunk (HTTP/1.1). */
  chunked: boolean
}

/** Rounds of the sweep that looks after silent streams (streams.ts), and how many of them are one silence. */
export interface Rounds {
  count: number
  readonly silence: number
}

export interface OutboxOptions {
  rounds: Rounds
  /** Bytes that may wait for a reader. */
  queueBytes: number
  /** A reader that is waited for may take nothing for this long, and is cut before it has done so twice as long, in milliseconds. */
  stalledMs: number
  /** How long a reader that was told to go may take to read what it still has, in milliseconds. */
  lingerMs: number
}

export class Outbox {
  readonly encoding: Encoding
  readonly #options: OutboxOptions
  readonly #socket: Socket
  #closing = false
  /** In which round something was written last. */
  #written: number
  #linger: NodeJS.Timeout | undefined
  /** Lets go of whoever waits until the reader has taken what was written. */
  #release: (() => void) | undefined

  constructor (socket: Socket, encoding: Encoding, options: OutboxOptions) {
    this.#socket = socket
    this.encoding = encoding
    this.#options = options
    this.#written = options.rounds.count
  }

  /** Whether all was taken. */
  get isEmpty (): boolean {
    return this.#socket.writableLength === 0
  }

  /** Whether as many bytes may wait with what waits already; any number may wait alone. */
  hasRoomFor (bytes: number): boolean {
    const { writableLength } = this.#socket
    return writableLength === 0 || writableLength + bytes <= this.#options.queueBytes
  }

  /** @param bytes as they leave, encoded */
  write (bytes: Buffer): void {
    if (this.#closing) return
    this.#socket.write(bytes)
    this.#written = this.#options.rounds.count
  }

  /** What is written until the next turn, or `taken`, leaves together. */
  cork (): void {
    if (this.#socket.writableCorked === 0) this.#socket.cork()
  }

  uncork (): void {
    while (this.#socket.writableCorked > 0) this.#socket.uncork()
  }

  /** So that the reader hears something at least once in a silence: only where nothing waits that would tell it as much. */
  beat (): void {
    const { count, silence } = this.#options.rounds
    if (count - this.#written >= silence && this.isEmpty) this.write(heartbeatFor(this.encoding))
  }

  /** Waits until the reader has taken all that was written, or is gone; tells where it has taken nothing for too long, whatever it says meanwhile. */
  async taken (onStalled: () => void): Promise<void> {
    this.uncork()
    if (this.isEmpty || this.#closing) return
    let before = untakenOf(this.#socket)
    const looking = setInterval(() => {
      const now = untakenOf(this.#socket)
      if (now === before) onStalled()
      before = now
    }, this.#options.stalledMs)
    await new Promise<void>(resolve => {
      this.#release = resolve
      this.#socket.write(heartbeatFor(this.encoding), () => resolve())
    })
    clearInterval(looking)
  }

  /** Writes a last frame, lets the reader take it, and lets go of it. */
  finish (last: string): void {
    this.uncork()
    this.write(encoded(last, this.encoding))
    this.#closing = true
    this.#socket.end(this.encoding.chunked ? LAST_CHUNK : '')
    this.#linger = setTimeout(() => this.#socket.destroy(), this.#options.lingerMs)
  }

  /** The connection is gone. */
  dispose (): void {
    this.#closing = true
    this.#release?.()
    clearTimeout(this.#linger)
  }
}
