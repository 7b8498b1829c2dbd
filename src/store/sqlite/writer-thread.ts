/**
 * The thread that writes: the event loop of the service never waits for a disk. One message is one batch,
 * one transaction and one sync, however many commands it holds.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { refuse, type PlainRefusal } from '../../errors.ts'
import type { Command } from '../contract/commands.ts'
import type { Chore } from '../core/chores.ts'
import type { Committed } from '../group-commit.ts'
import { emptyLog, inPlace, isUnavailable, Misplaced, movesLog, openWriter, probe } from './database.ts'
import { Transactions } from './transactions.ts'

export interface WriterOptions {
  dataDir: string
}

/**
 * A string is a batch: JSON text of its commands, which is made and read with less than a clone of many small objects takes.
 * `checkpoint`, and `close` too: everything that was written moves into the database file, and the write-ahead log is emptied.
 */
export type ToWriter = string | { type: 'checkpoint' } | { type: 'probe' } | { type: 'close' }

/** A string is what a batch has come to: JSON text of `Committed`. */
export type FromWriter =
  | string
  | { type: 'ready' }
  /** The batch's transaction left nothing behind; with a refusal: `unavailable`. */
  | { type: 'failed', error: Error, refusal?: PlainRefusal }
  | { type: 'checkpointed', done: boolean, error?: Error }
  /** It can be written to again. */
  | { type: 'recovered' }

if (parentPort !== null) serve(parentPort, workerData as WriterOptions)

function serve (port: NonNullable<typeof parentPort>, options: WriterOptions): void {
  const db = openWriter(options.dataDir)
  const isInPlace = inPlace(options.dataDir)
  const transactions = new Transactions(db)
  const moveLog = movesLog(db)
  const post = (message: FromWriter) => port.postMessage(message)

  const commit = (commands: Array<Command | Chore>): Committed => {
    // Before it, so that what is refused has not happened; and after it, so that what is answered is there.
    if (!isInPlace()) throw new Misplaced(options.dataDir)
    const committed = transactions.commit(commands)
    if (!isInPlace()) throw new Misplaced(options.dataDir)
    return committed
  }

  port.on('message', (message: ToWriter) => {
    if (typeof message === 'string') {
      try {
        post(JSON.stringify(commit(JSON.parse(message) as Array<Command | Chore>)))
      } catch (err) {
        post({ type: 'failed', error: err as Error, ...(isUnavailable(err) || err instanceof Misplaced ? { refusal: refuse('unavailable').toPlain() } : {}) })
      }
      moveLog()
    } else if (message.type === 'probe') {
      try {
        probe(db)
        post({ type: 'recovered' })
      } catch {} // it is asked again
    } else {
      try {
        post({ type: 'checkpointed', done: emptyLog(db) })
      } catch (err) {
        post({ type: 'checkpointed', done: false, error: err as Error })
      }
      if (message.type === 'checkpoint') return
      db.close()
      port.close()
    }
  })
  post({ type: 'ready' })
}
