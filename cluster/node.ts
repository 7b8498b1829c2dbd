/** One node of a cluster, as a process of its own, which is started again when it ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'

/** After an end that nobody asked for, in milliseconds: long enough to see the others go on. */
const AGAIN_MS = 3_000

const project = resolve(import.meta.dirname, '..')

export interface NodeOptions {
  /** Its settings; PORT is 0. */
  env: NodeJS.ProcessEnv
  /** Told what the node says, line by line, and what becomes of it. */
  tell: (line: string) => void
  /** How long an end may take, in milliseconds. */
  stopMs: number
}

export class ClusterNode {
  readonly #options: NodeOptions
  #process: ChildProcess | undefined
  #port: number | undefined
  #again: NodeJS.Timeout | undefined
  #stopping = false

  constructor (options: NodeOptions) {
    this.#options = options
  }

  /** Undefined: it does not listen now. */
  get port (): number | undefined {
    return this.#port
  }

  get pid (): number | undefined {
    return this.#process?.pid
  }

  /** Resolves when it listens. Throws an Error with what it said where it ends before. */
  async start (): Promise<void> {
    const { env, tell } = this.#options
    // In a process group of its own: a Ctrl-C in the terminal is for whoever stops it in order.
    const child = spawn(process.execPath, ['src/server.ts'], { cwd: project, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#process = child
    endWithUs(child)
    createInterface(child.stdout).on('line', tell)
    const said: string[] = []
    const listening = new Promise<number>((resolve, reject) => {
      createInterface(child.stderr).on('line', line => {
        // The first thing that is said there is where it listens, and how to try that: not for this node alone.
        if (this.#port === undefined) said.push(line)
        const port = /listens on http:\S+:(\d+)$/.exec(line)?.[1]
        if (port !== undefined) resolve(Number(port))
      })
      child.once('error', reject)
      child.once('close', () => reject(new Error(said.join('\n'))))
    })
    this.#port = await listening
    child.once('exit', (code, signal) => {
      this.#port = undefined
      this.#startAgain(`ended (${signal ?? `exit code ${code}`})`)
    })
  }

  #startAgain (because: string): void {
    if (this.#stopping) return
    const { tell } = this.#options
    tell(`${because}: it starts again in ${AGAIN_MS / 1000} s`)
    this.#again = setTimeout(() => {
      this.start().then(() => tell(`is there again, with pid ${this.pid}`), (err: Error) => this.#startAgain(err.message))
    }, AGAIN_MS)
  }

  /** Ends it at once. */
  kill (): void {
    this.#process?.kill('SIGKILL')
  }

  /** Ends it: streams are told to come back, requests under way are answered. */
  async stop (): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#again)
    const child = this.#process
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#options.stopMs)
    await ended
    clearTimeout(timer)
  }
}

/** Has a process ended should this one be killed: a pipe is closed then, whatever has happened, and a shell waits for that. */
function endWithUs (child: ChildProcess): void {
  if (child.pid === undefined) return
  const watchdog = spawn('sh', ['-c', 'read -r line || kill "$0"', String(child.pid)], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  watchdog.stdin.on('error', () => {})
  child.once('exit', () => watchdog.stdin.end('\n'))
}
