/**
 * This node's sessions with the database: one that listens, and tells whether the server is there; one that writes;
 * some that read. All are with the same server, the one that can be written to.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { refuse } from '../../errors.ts'
import { yields } from '../sql/dialect.ts'
import { locks } from './locks.ts'
import { addressesOf, Session, type Address } from './session.ts'
import { isRefused } from './unavailable.ts'

/** Sessions that read, at most. A node has two more. */
export const READERS = 8

/** How often the server is asked whether it is there, and how long it may take to say so, in milliseconds: a caller waits for 2 s at most. */
const BEAT_MS = 300
const BEAT_WITHIN_MS = 1_000

/** How long a server may take to say whether it can be used, in milliseconds. */
const USABLE_WITHIN_MS = 1_500
const LOOK_MS = 100

/** Without a session that listens for this long, in milliseconds, the server is away. */
const AWAY_MS = 1_000

/** Between attempts to reach a server, in milliseconds: at first, and at most. */
const RETRY_MS = { least: 25, most: 1_000 }

/** How long a node waits for the database when it starts, in milliseconds. */
const START_MS = 30_000

/** The channel of hints. */
export const CHANNEL = 'channel_relay'

/**
 * Every statement finds its rows by an index, and is planned once in a while. The planner is told so, because it goes by statistics: of a table that was
 * empty when they were made it would read every row.
 */
export const SEEK = { enable_seqscan: 'off', enable_hashjoin: 'off', enable_mergejoin: 'off', enable_material: 'off', jit: 'off', plan_cache_mode: 'force_generic_plan' }

/** A node that stops in the middle of a batch holds up the others no longer than this, in milliseconds. None waits longer for what others have locked, or reads longer. */
export const IDLE_IN_BATCH_MS = 2_000

/** A session in which a read takes longer, in milliseconds, has nobody at its other end: the server would have given up. */
const READ_MS = 11_000

/** How long a batch waits for what others have locked, in milliseconds: longer than they may stand still in one. */
const LOCK_MS = 3_000
/** And how long each half of a batch may take: beyond, nothing that has to confirm it does, a standby, say. */
export const HALF_BATCH_MS = 2 * LOCK_MS

const WRITER_SETTINGS = { ...SEEK, lock_timeout: LOCK_MS, idle_in_transaction_session_timeout: IDLE_IN_BATCH_MS }
const READER_SETTINGS = { ...SEEK, statement_timeout: 10_000, idle_in_transaction_session_timeout: 10_000 }

const beat = yields<{ now: number }>('select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as now')

const lockUpkeep = yields<{ locked: boolean }>(`select pg_try_advisory_lock(${locks.upkeep}) as locked`)
const unlockUpkeep = yields<object>(`select pg_advisory_unlock(${locks.upkeep})`)

/** What is told of a server that answers, and cannot be used. */
export class Unusable extends Error {}

export interface SessionsOptions {
  url: string
  /** Whether a server has its tables. Throws `Unusable` where it cannot be used, whoever comes back; anything else: not now. */
  isReady: (session: Session) => Promise<boolean>
  /** Makes its tables, which may take a while. Throws as `isReady`. */
  migrate: (session: Session) => Promise<void>
  /** Told of what went wrong without being anybody's fault, once for each time that the server goes away. */
  onError: (err: Error) => void
}

export class Sessions {
  /** Called when others have committed up to a position; absent: perhaps. */
  onHint: (position?: number) => void = () => {}
  readonly #options: SessionsOptions
  readonly #addresses: Address[]
  /** The server in use. */
  #address: Address
  #listener: Session | undefined
  #writer: Promise<Session> | undefined
  /** Sessions that read, and nothing does. */
  #idle: Session[] = []
  /** Those that there are, and those that are being opened. */
  #readers = new Set<Session>()
  #opening = 0
  #waiting: Array<PromiseWithResolvers<Session>> = []
  #away = true
  #closing = false
  /** How far others are to be told that the log goes; they are being told. */
  #hinted = 0
  #hinting = false
  /** By how much the server's clock is ahead of ours, in milliseconds. */
  #ahead = 0

  private constructor (options: SessionsOptions) {
    this.#options = options
    this.#addresses = addressesOf(options.url)
    this.#address = this.#addresses[0]!
  }

  /** Waits for a server, for half a minute. Throws what it cannot be used for, or that there is none. */
  static async start (options: SessionsOptions): Promise<Sessions> {
    const sessions = new Sessions(options)
    const giveUpAt = performance.now() + START_MS
    for (let told = false; ; told = true) {
      try {
        await sessions.#listen()
        return sessions
      } catch (err) {
        if (err instanceof Unusable) throw err
        if (performance.now() > giveUpAt || isRefused(err)) throw new Error(`No database of DATABASE_URL can be used: ${(err as Error).message}`, { cause: err })
        if (!told) options.onError(new Error(`no database can be used yet (${(err as Error).message}): waiting for one`, { cause: err }))
        await sleep(RETRY_MS.most * (0.5 + Math.random() / 2))
      }
    }
  }

  /** Nothing can be read or written now. */
  get away (): boolean {
    return this.#away
  }

  /** The server is away, or may be: what fails now fails because of that. */
  get troubled (): boolean {
    return this.#away || this.#listener === undefined
  }

  /** The server's time, about: milliseconds since the epoch. */
  now (): number {
    return Math.round(Date.now() + this.#ahead)
  }

  /** The session that writes. Throws where none can be had. */
  async writer (): Promise<Session> {
    const opening = this.#writer ??= this.#open('writes', WRITER_SETTINGS)
    const forget = () => { if (this.#writer === opening) this.#writer = undefined }
    const writer = await opening.catch((err: unknown) => {
      forget()
      throw err
    })
    if (writer.isOpen) {
      writer.freshen()
      return writer
    }
    forget()
    return await this.writer()
  }

  /** Does something with a session that reads, which nobody else has meanwhile. Throws `unavailable` where the server is away. */
  async read<T> (work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#take()
    try {
      session.freshen()
      return await session.within(READ_MS, () => work(session))
    } finally {
      this.#giveBack(session)
    }
  }

  async #take (): Promise<Session> {
    if (this.#away) throw refuse('unavailable')
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (idle.isOpen) return idle
    if (this.#readers.size + this.#opening < READERS) return await this.#openReader()
    const waiting = Promise.withResolvers<Session>()
    this.#waiting.push(waiting)
    return await waiting.promise
  }

  async #openReader (): Promise<Session> {
    this.#opening++
    try {
      const session = await this.#open('reads', READER_SETTINGS, session => { this.#readers.delete(session) })
      this.#readers.add(session)
      return session
    } finally {
      this.#opening--
      // Nobody is left who would give one back.
      if (this.#readers.size + this.#opening === 0) this.#refuseWaiting()
    }
  }

  #refuseWaiting (): void {
    for (const { reject } of this.#waiting.splice(0)) reject(refuse('unavailable'))
  }

  #giveBack (session: Session): void {
    if (!session.isOpen) return this.#openForNext()
    const next = this.#waiting.shift()
    if (next !== undefined) next.resolve(session)
    else this.#idle.push(session)
  }

  /** In the place of one that has ended: whoever waits for it would wait for ever. */
  #openForNext (): void {
    const next = this.#waiting.shift()
    if (next !== undefined) this.#openReader().then(next.resolve, next.reject)
  }

  /** Tells other nodes how far the log goes: nobody waits for it, and it may be lost. */
  hint (position: number): void {
    this.#hinted = Math.max(this.#hinted, position)
    if (!this.#hinting) this.#sendHints().catch(() => {}) // they look by themselves
  }

  async #sendHints (): Promise<void> {
    this.#hinting = true
    try {
      for (let sent = 0; sent < this.#hinted && this.#listener?.isOpen === true;) {
        sent = this.#hinted
        await this.#listener.run('select pg_notify($1, $2)', [CHANNEL, String(sent)])
      }
    } finally {
      this.#hinting = false
    }
  }

  /** Does something as the only one of all nodes; undefined, at once, where another is at it. The lock goes with the session that listens. */
  async exclusively<T> (work: () => Promise<T>): Promise<T | undefined> {
    const listener = this.#listener
    if (this.#away || listener === undefined) throw refuse('unavailable')
    const [row] = await listener.run(lockUpkeep)
    if (!row!.locked) return undefined
    try {
      return await work()
    } finally {
      listener.run(unlockUpkeep).catch(() => {}) // it has ended, and the lock with it
    }
  }

  async close (): Promise<void> {
    this.#closing = true
    this.#away = true
    this.#refuseWaiting()
    const writer = await this.#writer?.catch(() => undefined)
    await Promise.all([writer, this.#listener, ...this.#readers].map(session => session?.close()))
  }

  async #open (what: string, settings: Record<string, string | number>, onEnd?: (session: Session) => void): Promise<Session> {
    if (this.#away) throw refuse('unavailable')
    const address = this.#address
    const session = await Session.open(address, { name: `channel-relay ${what}`, settings, ...(onEnd === undefined ? {} : { onEnd }) })
    if (!this.#away && address === this.#address) return session
    session.destroy()
    throw refuse('unavailable')
  }

  /** Finds the server to use: one that can be written to, the one in use first. */
  async #listen (): Promise<void> {
    const addresses = [this.#address, ...this.#addresses.filter(address => address !== this.#address)]
    let failure: unknown
    for (const address of addresses) {
      try {
        return await this.#listenTo(address)
      } catch (err) {
        if (err instanceof Unusable || this.#closing) throw err
        failure ??= err
      }
    }
    throw failure
  }

  async #listenTo (address: Address): Promise<void> {
    const listener = await Session.open(address, {
      name: 'channel-relay listens',
      onNotify: payload => this.onHint(positionOf(payload)),
      onEnd: session => { if (session === this.#listener) this.#lost() }
    })
    try {
      if (!await listener.within(USABLE_WITHIN_MS, () => this.#options.isReady(listener))) await this.#options.migrate(listener)
      await listener.within(USABLE_WITHIN_MS, async () => {
        await listener.exec(`listen ${CHANNEL}`)
        await this.#beat(listener)
      })
      if (!listener.isOpen || this.#closing) throw new Error('the session has ended')
    } catch (err) {
      listener.destroy()
      throw err
    }
    if (address !== this.#address) this.#endOthers()
    this.#address = address
    this.#listener = listener
    this.#away = false
    this.#watch(listener).catch(this.#options.onError)
  }

  async #beat (listener: Session): Promise<void> {
    const asked = Date.now()
    const [row] = await listener.run(beat)
    this.#ahead = row!.now - (asked + Date.now()) / 2
  }

  /** Ends with the session, and ends it where the server does not answer. */
  async #watch (listener: Session): Promise<void> {
    while (listener.isOpen) {
      await sleep(BEAT_MS, undefined, { ref: false })
      if (!await answers(this.#beat(listener)) && listener.isOpen) {
        this.#goAway(new Error('the database does not answer'))
        listener.destroy()
      }
    }
  }

  /** The session that listens has ended: the others may be well, for as long as another can be had. */
  #lost (): void {
    if (this.#closing) return
    this.#listener = undefined
    const late = setTimeout(() => this.#goAway(new Error('the database cannot be reached')), AWAY_MS)
    this.#listenAgain().catch(this.#options.onError).finally(() => clearTimeout(late))
  }

  async #listenAgain (): Promise<void> {
    let told: string | undefined
    for (let wait = RETRY_MS.least; !this.#closing; wait = Math.min(2 * wait, RETRY_MS.most)) {
      try {
        await this.#listen()
        this.onHint()
        return
      } catch (err) {
        if (err instanceof Unusable && err.message !== told) this.#options.onError(err)
        if (err instanceof Unusable) told = err.message
      }
      await sleep(wait * (0.5 + Math.random() / 2))
    }
  }

  #goAway (reason: Error): void {
    if (this.#away) return
    this.#away = true
    this.#options.onError(reason)
    this.#endOthers()
  }

  /** Whoever waits for one of them is told at once. */
  #endOthers (): void {
    this.#writer?.then(session => session.destroy(), () => {})
    this.#writer = undefined
    for (const session of [...this.#readers]) session.destroy()
    this.#readers.clear()
    this.#idle = []
    this.#refuseWaiting()
  }
}

/** Whoever may connect may send a hint: one that names no position says that there may be more. */
function positionOf (payload: string): number | undefined {
  const position = Number(payload)
  return Number.isSafeInteger(position) && position > 0 ? position : undefined
}

/** Whether something answers in time. While this process stands still no time passes: neither was it asked, nor could it be heard. */
async function answers (asked: Promise<unknown>): Promise<boolean> {
  const answered = asked.then(() => true, () => false)
  for (let waited = 0; waited < BEAT_WITHIN_MS; waited += LOOK_MS) {
    const answer = await Promise.race([answered, sleep(LOOK_MS)])
    if (answer !== undefined) return answer
  }
  return false
}
