/** The load generator (generator/*.c): compiled when it is first needed, driven by lines of text. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { killWithUs, makeDirectory, removeDirectory } from './machine.ts'

const SOURCES = join(import.meta.dirname, 'generator')
const BUILT = join(import.meta.dirname, 'built')
const BINARY = join(BUILT, 'generator')

/** Whether this machine can compile it. */
export const hasCompiler = (): boolean => spawnSync('cc', ['--version'], { stdio: 'ignore' }).status === 0

/** Answers its path. Throws where there is no compiler, or it does not compile. */
export function compileGenerator (): string {
  const sources = readdirSync(SOURCES).map(name => join(SOURCES, name))
  if (existsSync(BINARY) && sources.every(path => statSync(path).mtimeMs < statSync(BINARY).mtimeMs)) return BINARY
  if (!hasCompiler()) throw new Error('The load generator is written in C and there is no C compiler here: install one that is called cc (Debian: apt-get install gcc libc6-dev)')
  mkdirSync(BUILT, { recursive: true })
  const cFiles = sources.filter(path => path.endsWith('.c'))
  // Under a name of its own first: another process may be about to start it.
  const made = `${BINARY}-${process.pid}`
  const { status, stderr } = spawnSync('cc', ['-D_GNU_SOURCE', '-O2', '-Wall', '-o', made, ...cFiles, '-lm'], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`The load generator does not compile:\n${stderr}`)
  renameSync(made, BINARY)
  return BINARY
}

/** What a lane sends again and again. `publisher`: the connection that sends it. */
export interface LaneRequest {
  publisher: number
  head: string
  body: string
}

export interface StreamRequest {
  /** Everything but the empty line at the end. */
  request: string
  /** The lanes that it is to get, rising; or all from one to another. */
  lanes: number[] | { first: number, last: number }
}

/** Of values in milliseconds. */
export interface Histogram { count: number, mean: number, p50: number, p90: number, p99: number, p999: number, max: number }

export interface Opened { streams: number, live: number, refused: number, ended: number, reason: string, seconds: number }

export interface RunResult extends Opened {
  publishSeconds: number
  sent: number
  published: number
  failed: number
  broken: number
  publishReason: string
  deliveries: number
  bytes: number
  lost: number
  doubles: number
  swapped: number
  foreign: number
  replayed: number
  cut: number
  aborted: boolean
  events: Record<string, number>
  latency: Histogram
  publishLatency: Histogram
  catchUp: Histogram
  cpuSeconds: number
}

export interface RunOptions {
  connections: number
  seconds?: number
  count?: number
  /** A second; absent: a closed loop. */
  rate?: number
  /** Seconds without any delivery after which what is missing counts as lost. */
  settle?: number
  drain?: number
  spread?: number
  reopen?: number
  parallel?: number
  abort?: number
}

const placeholder = (name: string, width: number): string => `{${name}`.padEnd(width - 1, '-') + '}'

/** What the generator puts in the place of, each as long as what comes there. */
export const fill = {
  marker: placeholder('marker', 34),
  key: placeholder('key', 32),
  date: placeholder('date', 29),
  nonce: placeholder('nonce', 24),
  md5: placeholder('md5', 24),
  digest: placeholder('digest', 28)
}

/** A text that is told apart from all others. */
export const textOf = (characters: number): string => fill.marker.padEnd(characters, '.')

export class Generator {
  readonly #directory = makeDirectory()
  readonly #process = spawn(compileGenerator(), { stdio: ['pipe', 'pipe', 'inherit'] })
  readonly #answers: AsyncIterator<string> = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  #files = 0

  private constructor () {
    killWithUs(this.#process)
  }

  /** @param ready a text in the first line of a stream that has begun; empty: the headers are enough */
  static async start (port: number, ready: string, secret?: Buffer): Promise<Generator> {
    const generator = new Generator()
    await generator.command(`target ${port}`)
    await generator.command(`ready ${ready}`)
    if (secret !== undefined) await generator.command(`secret ${secret.toString('hex')}`)
    return generator
  }

  async command<T = { live: number, ended: number }> (line: string): Promise<T> {
    this.#process.stdin.write(`${line}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error(`The load generator ended at "${line.slice(0, 60)}"`)
    const answer = JSON.parse(value) as T & { error?: string }
    if (answer.error !== undefined) throw new Error(`The load generator: ${answer.error}`)
    return answer
  }

  async lanes (requests: LaneRequest[]): Promise<void> {
    await this.#load('lanes', requests.map(({ publisher, head, body }) => `L ${publisher} ${Buffer.byteLength(head)} ${Buffer.byteLength(body)}\n${head}${body}\n`))
  }

  async streams (requests: StreamRequest[]): Promise<void> {
    await this.#load('streams', requests.map(({ request, lanes }) => {
      const list = Array.isArray(lanes) ? lanes.join(',') : `${lanes.first}-${lanes.last}`
      return `S ${Buffer.byteLength(request)} ${list}\n${request}\n`
    }))
  }

  async #load (what: string, records: string[]): Promise<void> {
    const path = join(this.#directory, `${what}-${this.#files++}`)
    writeFileSync(path, records.join(''))
    await this.command(`${what} ${path}`)
  }

  async open (options: { parallel?: number, small?: number } = {}): Promise<Opened> {
    return await this.command(`open${argumentsOf(options)}`)
  }

  async run (options: RunOptions): Promise<RunResult> {
    return await this.command(`run${argumentsOf(options)}`)
  }

  async stop (): Promise<void> {
    this.#process.stdin.end('quit\n')
    await new Promise(resolve => this.#process.once('close', resolve))
    removeDirectory(this.#directory)
  }
}

function argumentsOf (options: object): string {
  return Object.entries(options).filter(([, value]) => value !== undefined).map(([name, value]) => ` ${name}=${value}`).join('')
}
