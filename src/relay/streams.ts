/** All event streams of this node: what they share, and the end of all of them. */
import type { FastifyBaseLogger } from 'fastify'
import type { Store } from '../store/contract/store.ts'
import { Feed } from './feed.ts'
import type { EndReason } from './frames.ts'
import { Hub } from './hub.ts'
import { EXPIRY_LOOK_MS, STALLED_MS, Stream, type Opening } from './stream.ts'
import { Turns } from './turns.ts'

/** How often an idle stream's cursor is moved along, in milliseconds (protocol 8, `checkpoint`). */
const CHECKPOINT_MS = 60_000

/** Unless something else is given, in milliseconds. */
const LINGER_MS = 2_000

/** Rounds of the sweep in one silence. A heartbeat is due one before: after three quarters of it at the earliest, and in time at the latest. */
const ROUNDS_OF_SILENCE = 8

/** Streams that the sweep looks at in one turn of the loop: each may be written to. */
const SWEPT_AT_ONCE = 200

export interface StreamsOptions {
  store: Store
  logger: FastifyBaseLogger
  /** Silence after which a comment is written at the latest, in milliseconds. */
  heartbeatMs: number
  queueBytes: number
  checkpointMs?: number
  stalledMs?: number
  /** How long a reader that was told to go may take to read what it still has, in milliseconds: 2 s unless given. */
  lingerMs?: number
}

export interface Streams {
  /** A stream that is told of the end of its reader's right from now on, and writes nothing before it is run. It must be run, or abandoned. */
  attach (opening: Opening): Stream
  /** Why none can be opened now: the service goes, or its store has failed. */
  readonly closedFor: EndReason | undefined
  /** Ends every stream with `bye`, and stops following the log. */
  drain (): Promise<void>
  /** Open streams, for those who watch. */
  readonly count: number
}

export async function createStreams (options: StreamsOptions): Promise<Streams> {
  const { store, logger, heartbeatMs, queueBytes, checkpointMs = CHECKPOINT_MS, stalledMs = STALLED_MS, lingerMs = LINGER_MS } = options
  const hub = new Hub()
  const open = new Set<Stream>()
  const allClosed = Promise.withResolvers<void>()
  let closedFor: EndReason | undefined

  const endAll = (reason: EndReason) => { for (const stream of open) stream.end(reason) }
  const feed = await Feed.start(store, {
    onEntries: entries => hub.dispatch(entries),
    onGap: () => endAll('unavailable')
  }, logger)
  store.onFailure(() => {
    closedFor ??= 'unavailable'
    endAll('unavailable')
  })

  const rounds = { count: 0, silence: ROUNDS_OF_SILENCE - 1 }
  const shared = {
    log: store,
    hub,
    feed,
    turns: new Turns(),
    logger,
    queueBytes,
    stalledMs,
    lingerMs,
    rounds,
    onClose (stream: Stream) {
      open.delete(stream)
      if (closedFor === 'shutdown' && open.size === 0) allClosed.resolve()
    }
  }
  const sweeps = [
    sweep(open, heartbeatMs / ROUNDS_OF_SILENCE, stream => stream.beat(), () => { rounds.count++ }),
    sweep(open, checkpointMs, stream => stream.checkpoint(feed.head)),
    sweep(open, EXPIRY_LOOK_MS, stream => stream.expire())
  ]

  return {
    get count () { return open.size },
    get closedFor () { return closedFor },

    attach (opening) {
      const stream = new Stream(opening, shared)
      open.add(stream)
      // It was asked for before that: whoever opens it sends its reader away.
      if (closedFor !== undefined) stream.end(closedFor)
      return stream
    },

    async drain () {
      closedFor = 'shutdown'
      for (const stop of sweeps) stop()
      endAll('shutdown')
      if (open.size > 0) await allClosed.promise
      feed.stop()
    }
  }
}

/**
 * Does something with every stream, again and again: with some of them in a turn of the loop, so that nobody waits for all.
 * @returns what ends it
 */
function sweep (streams: Set<Stream>, everyMs: number, visit: (stream: Stream) => void, begin = () => {}): () => void {
  let timer: NodeJS.Timeout
  let ended = false
  const wait = () => { if (!ended) timer = setTimeout(round, everyMs).unref() }
  const round = () => {
    begin()
    const rest = streams.values()
    const visitSome = () => {
      for (let visited = 0; visited < SWEPT_AT_ONCE; visited++) {
        const { done, value } = rest.next()
        if (done === true) return wait()
        visit(value)
      }
      setImmediate(visitSome)
    }
    visitSome()
  }
  wait()
  return () => {
    ended = true
    clearTimeout(timer)
  }
}
