/**
 * One session of the database server, from its beginning to its end. The driver would go on with another one where it was
 * lost; a transaction that was begun in one must never go on in another, so ours ends with it.
 */
import type { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import postgres from 'postgres'
import type { Sql } from '../sql/dialect.ts'
import type { Parameter } from './parameters.ts'

/** One server, of those that a DATABASE_URL names. */
export interface Address {
  url: string
  host: string
  port: number
}

export interface SessionOptions {
  /** What the server shows of it (`pg_stat_activity`). */
  name: string
  /** Settings of the server for it. */
  settings?: Record<string, string | number>
  /** Told of what is sent to the channels that it listens to. */
  onNotify?: (payload: string) => void
  /** Told once, when it has ended, whoever ended it. */
  onEnd?: (session: Session) => void
}

/** All tables are in it: `public` may be somebody else's. */
export const SCHEMA = 'channel_relay'

/** Until a session is there, in seconds. */
const CONNECT_SECONDS = 1.5

/** Statements that may be on their way at once: more than one batch, or one question, ever has. */
const PIPELINED = 1_000

/** How long plans are kept, in milliseconds: at first, twice as long each time, and at most. */
const PLANS_MS = { least: 1_000, most: 60_000 }

/** int8: what we keep in it are safe integers. */
const NUMBERS = { to: 20, from: [20], serialize: String, parse: Number }

/** What was to be done in a session cannot be: it has ended. */
export class SessionEnded extends Error {
  readonly code = 'SESSION_ENDED'

  constructor () {
    super('the session with the database has ended')
  }
}

/** The servers that a URL names, in its order. */
export function addressesOf (url: string): Address[] {
  const { host, port } = postgres(url).options
  return host.map((host, index) => ({ url, host, port: port[index]! }))
}

/** What may be shown of a URL. */
export function placeOf (url: string): string {
  const { user, database } = postgres(url).options
  return `postgres://${encodeURIComponent(String(user))}@${addressesOf(url).map(({ host, port }) => `${host}:${port}`).join()}/${database}`
}

export class Session {
  readonly #sql: postgres.Sql
  readonly #options: SessionOptions
  #unconfirmed = 0
  #ended = false
  #late = false
  #plansMs = PLANS_MS.least
  #plansEndAt = performance.now() + PLANS_MS.least

  private constructor ({ url, host, port }: Address, options: SessionOptions) {
    this.#options = options
    this.#sql = postgres(url, {
      host,
      port,
      max: 1,
      max_pipeline: PIPELINED,
      max_lifetime: null,
      idle_timeout: undefined,
      connect_timeout: CONNECT_SECONDS,
      fetch_types: false,
      target_session_attrs: undefined, // we look ourselves
      types: { numbers: NUMBERS },
      // Warnings are heard, whatever the database is set to: onnotice has to.
      connection: { application_name: options.name, search_path: SCHEMA, client_min_messages: 'warning', ...options.settings },
      // The function of the server that waits for standbys, in all versions: its words are in the server's language.
      onnotice: ({ severity, routine }) => { if (severity === 'WARNING' && routine === 'SyncRepWaitForLSN') this.#unconfirmed++ },
      onnotify: (_channel: string, payload: string) => options.onNotify?.(payload),
      onclose: () => this.#end()
    } as postgres.Options<{}>)
  }

  /** Throws where no session can be had. */
  static async open (address: Address, options: SessionOptions): Promise<Session> {
    const session = new Session(address, options)
    try {
      // The driver waits so long for each of its attempts, and begins anew where a server closes without a word.
      await session.within(CONNECT_SECONDS * 1_000, () => session.exec('select 1'))
      return session
    } catch (err) {
      session.destroy()
      throw err
    }
  }

  get isOpen (): boolean {
    return !this.#ended
  }

  /** It was ended because it took too long: another one would, too. */
  get wasLate (): boolean {
    return this.#late
  }

  /** How many commits are done here that a standby was to have too, and may not: the wait for it was cancelled. */
  get unconfirmed (): number {
    return this.#unconfirmed
  }

  /** Runs a statement, after those that were given before, without waiting for them. It is prepared once. */
  run<Row> (statement: Sql<Row>, parameters?: readonly Parameter[]): Promise<Row[]>
  run (statement: string, parameters?: readonly Parameter[]): Promise<unknown[]>
  run (statement: string, parameters: readonly Parameter[] = []): Promise<unknown[]> {
    if (this.#ended) return Promise.reject(new SessionEnded())
    return this.#sql.unsafe(statement, parameters.map(storable), { prepare: true, simple: false } as postgres.UnsafeQueryOptions).execute()
  }

  /** Runs statements without parameters, one behind the other; each finds what those before it, and others before it began, have left. */
  exec (statements: string): Promise<unknown> {
    if (this.#ended) return Promise.reject(new SessionEnded())
    return this.#sql.unsafe(statements).execute()
  }

  /**
   * Puts rows into a table, all or none of them, at the pace at which they are taken. Nothing else may be under way. The session
   * ends where it fails.
   * @param statement a COPY from standard input
   * @param lines in the text format, whole ones, any number of them in each
   */
  async copyIn (statement: string, lines: Iterable<string>): Promise<void> {
    await this.exec('begin')
    const rows = await this.#sql.unsafe(statement).writable()
    rows.on('error', () => {}) // whoever writes is told
    try {
      for (const some of lines) await new Promise<void>((resolve, reject) => rows.write(some, err => { if (err == null) resolve(); else reject(err) }))
      rows.end()
      await setImmediate() // the driver takes the next statement when it has sent the end of this one
      // If this one failed when all rows were sent, the driver tells nobody: that the transaction is of no use any more does.
      await this.exec('select 1; commit')
    } catch (err) {
      this.destroy()
      if ((err as { code?: string }).code !== '25P02') throw err
      throw new Error('the database did not take the rows, and its log says why', { cause: err })
    }
  }

  /** What a COPY to standard output yields, in pieces of whatever size, at the pace at which they are taken. Nothing else may be under way. */
  async copyOut (statement: string): Promise<Readable> {
    if (this.#ended) throw new SessionEnded()
    return await this.#sql.unsafe(statement).readable()
  }

  /** Throws old plans away, without waiting for it: they were made for tables as these were, which may have been empty. */
  freshen (): void {
    if (performance.now() < this.#plansEndAt) return
    this.#plansMs = Math.min(2 * this.#plansMs, PLANS_MS.most)
    this.#plansEndAt = performance.now() + this.#plansMs
    this.exec('discard plans').catch(() => {}) // it has ended, as whoever uses it is told
  }

  /** Does something with it, and ends it where that takes longer, in milliseconds: its way to the server may have fallen silent. */
  async within<T> (ms: number, work: () => Promise<T>): Promise<T> {
    const late = setTimeout(() => {
      this.#late = !this.#ended
      this.destroy()
    }, ms)
    try {
      return await work()
    } finally {
      clearTimeout(late)
    }
  }

  /** Ends it at once: what is under way is rejected, and whether it was done is not known. */
  destroy (): void {
    this.#end()
  }

  /** Ends it when what is under way has ended. */
  async close (): Promise<void> {
    await this.#sql.end({ timeout: 1 })
    this.#end()
  }

  /** The driver would send what has waited by a connection of its own: it gets none any more. */
  #end (): void {
    if (this.#ended) return
    this.#ended = true
    ;(this.#sql.options as { socket?: () => never }).socket = () => { throw new SessionEnded() }
    this.#sql.end({ timeout: 0 }).catch(() => {})
    this.#options.onEnd?.(this)
  }
}

/** No text of PostgreSQL holds NUL: what is written has it escaped, and an id that has one is nobody's, as is one with a noncharacter. */
const storable = (parameter: Parameter): Parameter => typeof parameter === 'string' && parameter.includes('\0') ? parameter.replaceAll('\0', '\uffff') : parameter
