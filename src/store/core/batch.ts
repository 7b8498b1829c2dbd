/** One command after the other, in the one transaction of a batch. Pure: it reads what was loaded, and comes to what is to be written. */
import { Refusal, refuse, type PlainRefusal } from '../../errors.ts'
import type { Command, Outcome } from '../contract/commands.ts'
import type { Cursor, Entry, Position } from '../contract/log.ts'
import type { Changes } from './changes.ts'
import type { Chore } from './chores.ts'
import { formatCursor } from './cursor.ts'
import { decide } from './decide/decide.ts'
import { answerOf, type Remembered } from './decide/idempotency.ts'
import { mustHold, takeNonce } from './decide/users.ts'
import { Draft } from './draft.ts'
import type { LogState } from './records.ts'
import { messageIn } from './render/entry.ts'
import type { Source } from './source.ts'

/** What became of one command. */
export type Result =
  | { outcome: Outcome }
  /** It has written a message, or an edit: what it answers is in that entry, which goes with it. */
  | { written: Position, recipientsCount?: number }
  | { refusal: PlainRefusal }

/** What a command answers. Throws its refusal. */
export function outcomeOf (result: Result, entries: readonly Entry[]): Outcome {
  if ('outcome' in result) return result.outcome
  if ('refusal' in result) throw new Refusal(result.refusal)
  const { payload, cursor } = entries[result.written - entries[0]!.position]!
  const message = messageIn(payload!)
  return result.recipientsCount === undefined ? { message } : { message, recipientsCount: result.recipientsCount, cursor }
}

/** How far times stay ahead of a clock that went back, in milliseconds: beyond, it was wrong before. */
const AHEAD_MS = 60_000

export class Batch {
  readonly #draft: Draft
  readonly #follows: Cursor

  /**
   * @param log as the transaction found it
   * @param now the store's time, in milliseconds since the epoch: one clock for all nodes
   */
  constructor (source: Source, log: LogState, now: number) {
    this.#follows = formatCursor(log.epoch, log.position, log.tag)
    this.#draft = new Draft(source, { ...log, at: log.at > now + AHEAD_MS ? now : Math.max(now, log.at) })
  }

  /** Carries out one command, with what those before it have changed. A refused one leaves nothing but its nonce. Throws `Unloaded`. */
  execute (command: Command | Chore): Result {
    const nonce = 'actor' in command ? command.nonce : undefined
    if (nonce === undefined) return attempt(this.#draft, draft => carryOut(draft, command))
    // In a layer of its own: a command that is tried again, once what it needs was loaded, finds its nonce as it was.
    const layer = new Draft(this.#draft, this.#draft.log)
    const taken = attempt(layer, draft => ({ outcome: takeNonce(draft, nonce) }))
    if ('refusal' in taken) return taken
    const result = attempt(layer, draft => carryOut(draft, command))
    this.#draft.absorb(layer)
    return result
  }

  /** The entries of the log that were written. */
  get entries (): Entry[] {
    const [first, ...rest] = this.#draft.entries()
    return first === undefined ? [] : [{ ...first, follows: this.#follows }, ...rest]
  }

  get log (): Readonly<LogState> {
    return this.#draft.log
  }

  changes (): Changes {
    return this.#draft.changes()
  }
}

/** Changes a draft by what is carried out over it, or not at all. */
function attempt (below: Draft, carryOut: (draft: Draft) => Result): Result {
  const draft = new Draft(below, below.log)
  try {
    const result = carryOut(draft)
    below.absorb(draft)
    return result
  } catch (err) {
    if (err instanceof Refusal) return { refusal: err.toPlain() }
    throw err
  }
}

function carryOut (draft: Draft, command: Command | Chore): Result {
  if ('actor' in command) mustHold(draft, command)
  if (!('idempotency' in command) || command.idempotency === undefined) return firstAnswer(draft, decide(draft, command))
  const { actor, idempotency: { key, fingerprint } } = command
  const known = draft.get('reply', `${actor} ${key}`)
  // However old it is by a clock that may be wrong: what is too old is forgotten in the background.
  if (known !== undefined) {
    if (known.fingerprint !== fingerprint) throw refuse('idempotencyMismatch')
    return { outcome: answerOf(draft, JSON.parse(known.remembered) as Remembered) }
  }
  const remembered = decide(draft, command)
  draft.put('reply', `${actor} ${key}`, { actor, key, fingerprint, at: draft.at, remembered: JSON.stringify(remembered) })
  return firstAnswer(draft, remembered)
}

/** A message is rendered once, for its entry. */
function firstAnswer (draft: Draft, remembered: Remembered): Result {
  if (remembered.type !== 'message') return { outcome: answerOf(draft, remembered) }
  const { position, recipientsCount } = remembered
  return { written: position, ...(recipientsCount === undefined ? {} : { recipientsCount }) }
}
