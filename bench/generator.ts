/** The load generator (generator/*.c), driven by lines of text. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { compile } from './compile.ts'
import { killWithUs, makeDirectory, removeDirectory } from './machine.ts'

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
  /** 1: what the run before has left outstanding is waited for, too. */
  keep?: number
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
  readonly #process = spawn(compile('generator'), { stdio: ['pipe', 'pipe', 'inherit'] })
  readonly #answers: AsyncIterator<string> = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  #files = 0

  private constructor () {
    killWithUs(this.#process)
  }

  /**
   * @param ports of one server, or of the nodes of one: the first connection goes to the first, the second to the second, and so on
   * @param ready a text in the first line of a stream that has begun; empty: the headers are enough
   */
  static async start (ports: number[], ready: string, secret?: Buffer): Promise<Generator> {
    const generator = new Generator()
    await generator.aim(ports)
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

  /** Where connections go that are made from now on. */
  async aim (ports: number[]): Promise<void> {
    await this.command(`target ${ports.join()}`)
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
