/**
 * Batches of commands for whichever store: what arrives while one transaction is on its way shares the next
 * one, and its sync. Each caller's commands are carried out in the order in which they came, but for those of a batch that one of them
 * broke. Users take turns, and so do all of them with the application: each waits for a transaction and its turn, however much others bring.
 */
import { Refusal, refuse } from '../errors.ts'
import { FairQueue } from '../fair-queue.ts'
import { SYSTEM, type Actor, type Command, type Outcome, type OutcomeOf } from './contract/commands.ts'
import type { Entry } from './contract/log.ts'
import { outcomeOf, type Result } from './core/batch.ts'
import type { Chore } from './core/chores.ts'

/** Commands in one transaction at most: enough to share a sync among all, few enough to answer the first soon. */
const BATCH_COMMANDS = 256

/** What one transaction takes of callers' data, in bytes, give or take one command. */
const BATCH_BYTES = 4 * 1024 * 1024

/** Members of new channels in one transaction: each is three rows. */
const BATCH_MEMBERS = 1_000

/** What may wait for a transaction; a caller beyond is told to come back (503). */
const QUEUED_COMMANDS = 20_000
const QUEUED_BYTES = 64 * 1024 * 1024

/** Of that, how much may be one user's. */
const USERS_SHARE = 1 / 4

/** What became of a batch. */
export interface Committed {
  /** One for each command, in order; fewer where the batch was cut short: the rest is to be tried again. */
  results: Result[]
  /** What they wrote to the log. */
  entries: Entry[]
}

/**
 * @param onSent may be called once it is decided what becomes of how many of them, and the next batch can be on its way, to be carried out after this one,
 * whether this one is committed or not. What it is about to find is not known yet.
 */
export type Commit = (commands: Array<Command | Chore>, onSent: (decided: number) => void) => Promise<Committed>

export interface GroupCommitOptions {
  /**
   * Carries out a batch in one transaction. Rejects with the refusal `unavailable` where it may not be
   * blamed on a command; with anything else where one of the commands broke it: each is then tried alone.
   */
  commit: Commit
  /** Hands the entries of a batch over, before its callers are answered. */
  publish: (entries: Entry[]) => void
  /** Told of what went wrong without being anybody's fault. */
  onError: (err: Error) => void
}

interface Waiting {
  command: Command | Chore
  caller: string
  bytes: number
  resolve: (outcome: Outcome) => void
  reject: (err: Error) => void
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  readonly #ofUsers = new FairQueue<Waiting>()
  /** The application's, and those of background work. */
  #ofApplication: Waiting[] = []
  #usersAreNext = false
  /** What is left of a batch that was cut short: the next one begins with it. */
  #rest: Waiting[] = []
  /** Of batches that one of their commands broke: each goes by itself. */
  #alone: Waiting[] = []
  #queuedBytes = 0
  /** The batch of which it is not decided yet what becomes of it. */
  #undecided: Waiting[] | undefined
  /** Batches that are being committed. */
  readonly #underWay = new Set<Promise<void>>()
  /** The next batch leaves at the end of this turn of the loop. */
  #leaving = false
  #closed = false

  constructor (options: GroupCommitOptions) {
    this.#options = options
  }

  append<C extends Command> (command: C): Promise<OutcomeOf<C>>
  append (command: Command | Chore): Promise<Outcome>
  append (command: Command | Chore): Promise<Outcome> {
    const caller = callerOf(command)
    const bytes = sizeOf(command)
    if (this.#closed || this.#isFull(caller, bytes)) return Promise.reject(refuse('unavailable'))
    return new Promise<Outcome>((resolve, reject) => {
      const waiting = { command, caller, bytes, resolve, reject }
      if (caller === SYSTEM) this.#ofApplication.push(waiting)
      else this.#ofUsers.push(caller, waiting)
      this.#queuedBytes += bytes
      this.#leave()
    })
  }

  get #length (): number {
    return this.#alone.length + this.#rest.length + this.#ofApplication.length + this.#ofUsers.length
  }

  #isFull (caller: Actor, bytes: number): boolean {
    if (this.#length >= QUEUED_COMMANDS || (this.#queuedBytes > 0 && this.#queuedBytes + bytes > QUEUED_BYTES)) return true
    if (caller === SYSTEM) return false
    const own = this.#ofUsers.of(caller)
    if (own.length >= QUEUED_COMMANDS * USERS_SHARE) return true
    const mostBytes = QUEUED_BYTES * USERS_SHARE
    return this.#queuedBytes + bytes > mostBytes && own.length > 0 && bytesOf(own) + bytes > mostBytes
  }

  /** Refuses what comes from now on, and waits for what came. */
  async close (): Promise<void> {
    this.#closed = true
    this.#next()
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  /** Refuses what comes from now on, and what waits. The batch that is under way ends as its commit does. */
  fail (): void {
    this.#closed = true
    for (let batch = this.#take(); batch.length > 0; batch = this.#take()) for (const { reject } of batch) reject(refuse('unavailable'))
    this.#queuedBytes = 0
  }

  /** What one turn of the loop brings goes together: the first of a burst does not go alone, and no other waits longer. */
  #leave (): void {
    if (this.#undecided !== undefined || this.#leaving) return
    this.#leaving = true
    setImmediate(() => {
      this.#leaving = false
      this.#next()
    })
  }

  #next (): void {
    if (this.#undecided !== undefined || this.#length === 0) return
    const batch = this.#take()
    this.#undecided = batch
    const underWay = this.#commit(batch).finally(() => {
      this.#underWay.delete(underWay)
      this.#next()
    })
    this.#underWay.add(underWay)
  }

  /** Of the first of a batch it is decided what becomes of them: the rest, and what came since, can go. */
  #decided (batch: Waiting[], count: number): void {
    if (this.#undecided !== batch) return
    this.#undecided = undefined
    this.#rest = batch.splice(count)
    this.#queuedBytes += bytesOf(this.#rest)
  }

  #take (): Waiting[] {
    const alone = this.#alone.splice(0, 1)
    const batch = alone.length > 0 ? alone : this.#rest.splice(0)
    let bytes = bytesOf(batch)
    let members = batch.reduce((sum, waiting) => sum + membersOf(waiting), 0)
    const fits = (next: Waiting): boolean => {
      const more = membersOf(next)
      return more === 0 || members === 0 || members + more <= BATCH_MEMBERS
    }
    while (alone.length === 0 && batch.length < BATCH_COMMANDS && bytes < BATCH_BYTES) {
      const next = this.#shift(fits)
      if (next === undefined) break
      batch.push(next)
      bytes += next.bytes
      members += membersOf(next)
    }
    this.#queuedBytes -= bytes
    return batch
  }

  #shift (fits: (next: Waiting) => boolean): Waiting | undefined {
    this.#usersAreNext = !this.#usersAreNext
    const [first] = this.#ofApplication
    const ofApplication = () => first !== undefined && fits(first) ? this.#ofApplication.shift() : undefined
    return this.#usersAreNext ? this.#ofUsers.shift(fits) ?? ofApplication() : ofApplication() ?? this.#ofUsers.shift(fits)
  }

  async #commit (batch: Waiting[]): Promise<void> {
    let committed: Committed
    try {
      committed = await this.#options.commit(batch.map(({ command }) => command), count => {
        this.#decided(batch, count)
        this.#next()
      })
    } catch (err) {
      this.#decided(batch, batch.length)
      return this.#failed(batch, err as Error)
    }
    const { results, entries } = committed
    if (results.length === 0) for (const waiting of batch.splice(0)) waiting.reject(refuse('unknownError'))
    this.#decided(batch, results.length)
    this.#publish(entries)
    batch.forEach((waiting, index) => answer(waiting, results[index]!, entries))
  }

  #failed (batch: Waiting[], err: Error): void {
    if (isUnavailable(err)) return batch.forEach(({ reject }) => reject(refuse('unavailable')))
    if (batch.length > 1) {
      this.#alone.push(...batch)
      this.#queuedBytes += bytesOf(batch)
      return
    }
    this.#options.onError(err)
    batch[0]!.reject(refuse('unknownError'))
  }

  /** What was committed is answered, whatever becomes of those who are told of it. */
  #publish (entries: Entry[]): void {
    if (entries.length === 0) return
    try {
      this.#options.publish(entries)
    } catch (err) {
      this.#options.onError(err as Error)
    }
  }
}

/** In whose place it waits: what the application sends for a user, in that user's. */
function callerOf (command: Command | Chore): Actor {
  if (!('actor' in command)) return SYSTEM
  return command.type === 'send-message' && command.actor === SYSTEM ? command.senderId : command.actor
}

const membersOf = ({ command }: Waiting): number => command.type === 'create-channel' ? command.participants.length : 0

const bytesOf = (waiting: readonly Waiting[]): number => waiting.reduce((sum, { bytes }) => sum + bytes, 0)

function isUnavailable (err: unknown): boolean {
  return err instanceof Refusal && err.refusal === 'unavailable'
}

function answer ({ resolve, reject }: Waiting, result: Result, entries: Entry[]): void {
  try {
    resolve(outcomeOf(result, entries))
  } catch (err) {
    reject(err as Error)
  }
}

/** What a command holds of its caller's data, in bytes, about: text counts as if each character took two. */
function sizeOf (command: Command | Chore): number {
  switch (command.type) {
    case 'send-message': return 2 * (command.textPayload.length + sizeOfJson(command.messageData) + sizeOfJson(command.timelineEvents))
    case 'edit-message': return 2 * ((command.textPayload?.length ?? 0) + sizeOfJson(command.messageData))
    case 'create-channel': return 2 * (sizeOfJson(command.participants) + sizeOfJson(command.timelineEvents))
    case 'create-user': return 2 * sizeOfJson(command.userLocators)
    default: return 0
  }
}

function sizeOfJson (value: unknown[] | undefined): number {
  return value === undefined || value.length === 0 ? 0 : JSON.stringify(value).length
}
