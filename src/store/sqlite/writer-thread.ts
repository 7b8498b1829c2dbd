/**
 * The thread that writes: the event loop of the service never waits for a disk. One message is one batch,
 * one transaction and one sync, however many commands it holds.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { Refusal, refuse, type PlainRefusal } from '../../errors.ts'
import type { Command, Outcome } from '../commands.ts'
import type { Entry } from '../store.ts'
import { Background } from './background.ts'
import { isUnavailable, openWriter } from './database.ts'
import { Writer } from './writer.ts'

export interface WriterOptions {
  dataDir: string
  /** For how long an entry can be resumed from, in milliseconds. */
  retentionMs: number
}

export type ToWriter =
  | { type: 'batch', commands: Command[] }
  | { type: 'settle', now: number }
  | { type: 'close' }

/** What became of one command. */
export type Result = { outcome: Outcome } | { refusal: PlainRefusal }

export type FromWriter =
  | { type: 'ready' }
  /** The answer to a batch: a result for each command, and the entries that they made. */
  | { type: 'batch', results: Result[], entries: Entry[], errors: Error[] }
  /** Entries of background work. */
  | { type: 'background', entries: Entry[], error?: Error }
  | { type: 'settled' }

/** How often time alone may have made work: retention, forgotten keys. */
const BACKGROUND_INTERVAL_MS = 30_000

if (parentPort !== null) serve(parentPort, workerData as WriterOptions)

function serve (port: NonNullable<typeof parentPort>, options: WriterOptions): void {
  const db = openWriter(options.dataDir)
  const writer = new Writer(db)
  const background = new Background(writer, options.retentionMs)
  const post = (message: FromWriter) => port.postMessage(message)

  /** Runs `work` in a transaction; what it throws leaves nothing behind. */
  const transact = <T>(work: () => T): T => {
    try {
      db.exec('begin immediate')
      writer.log.begin()
      const result = work()
      db.exec('commit')
      return result
    } catch (err) {
      if (db.isTransaction) db.exec('rollback')
      throw err
    }
  }

  const carryOut = (command: Command): Result => {
    try {
      return { outcome: writer.execute(command) }
    } catch (err) {
      if (err instanceof Refusal) return { refusal: err.toPlain() }
      throw err
    }
  }

  const carryOutBatch = (commands: Command[]): { results: Result[], entries: Entry[], errors: Error[] } => {
    try {
      const results = transact(() => commands.map(carryOut))
      return { results, entries: writer.log.entries(), errors: [] }
    } catch (err) {
      if (isUnavailable(err)) return failed(commands, refuse('unavailable'), err)
      if (commands.length === 1) return failed(commands, refuse('unknownError'), err)
      // One of them broke the batch: each for itself, so that its neighbours do not suffer.
      const parts = commands.map(command => carryOutBatch([command]))
      return {
        results: parts.flatMap(({ results }) => results),
        entries: parts.flatMap(({ entries }) => entries),
        errors: parts.flatMap(({ errors }) => errors)
      }
    }
  }

  /** One step of background work; false where there is none. */
  const backgroundStep = (now: number): boolean => {
    try {
      const worked = transact(() => background.step(now))
      if (writer.log.entries().length > 0) post({ type: 'background', entries: writer.log.entries() })
      return worked
    } catch (err) {
      post({ type: 'background', entries: [], error: err as Error })
      return false
    }
  }

  let timer: NodeJS.Immediate | undefined
  const work = () => {
    timer = backgroundStep(Date.now()) ? setImmediate(work) : undefined
  }
  const wake = () => { timer ??= setImmediate(work) }
  const interval = setInterval(wake, BACKGROUND_INTERVAL_MS)

  port.on('message', (message: ToWriter) => {
    if (message.type === 'batch') {
      post({ type: 'batch', ...carryOutBatch(message.commands) })
      if (message.commands.some(makesBackgroundWork)) wake()
    } else if (message.type === 'settle') {
      while (backgroundStep(message.now));
      post({ type: 'settled' })
    } else {
      clearInterval(interval)
      clearImmediate(timer)
      db.close()
      port.close()
    }
  })
  wake()
  post({ type: 'ready' })
}

function failed (commands: Command[], refusal: Refusal, err: unknown) {
  return { results: commands.map(() => ({ refusal: refusal.toPlain() })), entries: [], errors: [err as Error] }
}

function makesBackgroundWork ({ type }: Command): boolean {
  return type === 'delete-user' || type === 'delete-channel' || type === 'truncate-channel'
}
