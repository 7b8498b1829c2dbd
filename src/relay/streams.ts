/** All event streams of this node: what they share, and the end of all of them. */
import type { ServerResponse } from 'node:http'
import type { FastifyBaseLogger } from 'fastify'
import type { Interest } from '../store/contract/log.ts'
import type { Store } from '../store/contract/store.ts'
import { Feed } from './feed.ts'
import type { EndReason } from './frames.ts'
import { Hub } from './hub.ts'
import { STALLED_MS, Stream } from './stream.ts'
import { Turns } from './turns.ts'

/** How often an idle stream's cursor is moved along, in milliseconds (protocol 8, `checkpoint`). */
const CHECKPOINT_MS = 60_000

export interface StreamsOptions {
  store: Store
  logger: FastifyBaseLogger
  heartbeatMs: number
  queueBytes: number
  checkpointMs?: number
  stalledMs?: number
}

/** Who reads what, over which connection. */
export interface Opening {
  response: ServerResponse
  interest: Interest
  /** Tokens whose revocation ends the stream. */
  lineage: readonly string[]
  /** When the reader's token ends, in milliseconds since the epoch. */
  expiresAt?: number | undefined
}

export interface Streams {
  /** A stream that is told of the end of its reader's right from now on, and writes nothing before it is run. */
  attach (opening: Opening): Stream
  /** Why none can be opened now: the service goes, or its store has failed. */
  readonly closedFor: EndReason | undefined
  /** Ends every stream with `bye`, and stops following the log. */
  drain (): Promise<void>
  /** Open streams, for those who watch. */
  readonly count: number
}

export async function createStreams (options: StreamsOptions): Promise<Streams> {
  const { store, logger, heartbeatMs, queueBytes, checkpointMs = CHECKPOINT_MS, stalledMs = STALLED_MS } = options
  const hub = new Hub()
  const turns = new Turns()
  const open = new Map<Stream, PromiseWithResolvers<void>>()
  let closedFor: EndReason | undefined

  const endAll = (reason: EndReason) => { for (const stream of open.keys()) stream.end(reason) }
  const feed = await Feed.start(store, {
    onEntries: entries => hub.dispatch(entries),
    onGap: () => endAll('unavailable')
  }, logger)
  store.onFailure(() => {
    closedFor ??= 'unavailable'
    endAll('unavailable')
  })
  const checkpoints = setInterval(() => {
    for (const stream of open.keys()) stream.checkpoint(feed.head)
  }, checkpointMs)
  checkpoints.unref()

  return {
    get count () { return open.size },
    get closedFor () { return closedFor },

    attach (opening) {
      const closed = Promise.withResolvers<void>()
      const stream = new Stream({
        log: store,
        hub,
        feed,
        turns,
        logger,
        heartbeatMs,
        queueBytes,
        stalledMs,
        ...opening,
        onClose: stream => {
          open.delete(stream)
          closed.resolve()
        }
      })
      if (stream.ended === undefined) open.set(stream, closed)
      // It was asked for before that: whoever opens it sends its reader away.
      if (closedFor !== undefined) stream.end(closedFor)
      return stream
    },

    async drain () {
      closedFor = 'shutdown'
      clearInterval(checkpoints)
      endAll('shutdown')
      await Promise.all([...open.values()].map(({ promise }) => promise))
      feed.stop()
    }
  }
}
