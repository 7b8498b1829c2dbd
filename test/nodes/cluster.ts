/** Several nodes of one service, each a process of its own, on one PostgreSQL; or one on the embedded store. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../support/ports.ts'
import type { PostgresServer } from '../support/postgres.ts'
import { spawnService, type ServiceProcess } from '../support/process.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'

/** How long a node may take to start while PostgreSQL comes and goes, on a busy machine, in milliseconds. */
const START_MS = 60_000

export interface ClusterOptions {
  /** 3 unless given. */
  nodes?: number
  /** A database is made on it, and each node has a way of its own to it. */
  postgres?: PostgresServer
  /** Instead: where all nodes find their database. */
  databaseUrl?: string
  env?: Record<string, string>
}

export class Node {
  readonly index: number
  readonly url: string
  /** Its way to PostgreSQL. */
  readonly proxy: TcpProxy | undefined
  readonly #options: { dataDir: string, env: Record<string, string> }
  #service: ServiceProcess | undefined
  #output = ''

  constructor (index: number, dataDir: string, port: number, env: Record<string, string>, proxy?: TcpProxy) {
    this.index = index
    this.url = `http://127.0.0.1:${port}`
    this.proxy = proxy
    this.#options = { dataDir, env: { LOG_LEVEL: 'warn', ...env, PORT: String(port) } }
  }

  /** Resolves when it listens: on the same port as ever. */
  async start (): Promise<void> {
    this.#service = await spawnService({ ...this.#options, startMs: START_MS })
  }

  /** Resolves when it has ended. */
  async kill (signal: NodeJS.Signals): Promise<void> {
    await this.#service?.kill(signal)
    this.#output += this.#service?.output() ?? ''
    this.#service = undefined
  }

  async end (): Promise<void> {
    await this.kill('SIGKILL')
    this.proxy?.close()
    await rm(this.#options.dataDir, { recursive: true, force: true })
  }

  /** The end of all that it has logged. */
  get output (): string {
    return (this.#output + (this.#service?.output() ?? '')).slice(-3_000)
  }
}

export class Cluster {
  readonly nodes: Node[]
  /** The application's own (Basic). */
  readonly authorization: string

  private constructor (nodes: Node[], authorization: string) {
    this.nodes = nodes
    this.authorization = authorization
  }

  static async start (options: ClusterOptions): Promise<Cluster> {
    const { nodes: count = 3, postgres, databaseUrl } = options
    const [accessKey, accessSecret] = ['the-access-key', randomBytes(32).toString('base64')]
    const env = {
      APPLICATION_ID: 'the-application', ACCESS_KEY: accessKey, ACCESS_SECRET: accessSecret, TOKEN_SECRET: randomBytes(64).toString('hex'), ...options.env
    }
    const database = await postgres?.createDatabase()
    const nodes = await Promise.all(Array.from({ length: count }, async (_, index) => {
      const dataDir = await mkdtemp(join(tmpdir(), 'channel-relay-node-'))
      const proxy = postgres === undefined ? undefined : await startProxy({ port: postgres.port })
      const url = proxy === undefined ? databaseUrl : postgres!.url(database, proxy.port)
      return new Node(index, dataDir, await freePort(), { ...env, ...(url === undefined ? {} : { DATABASE_URL: url }) }, proxy)
    }))
    const cluster = new Cluster(nodes, `Basic ${Buffer.from(`${accessKey}:${accessSecret}`).toString('base64')}`)
    try {
      await Promise.all(nodes.map(node => node.start()))
      return cluster
    } catch (err) {
      await cluster.stop()
      throw err
    }
  }

  async stop (): Promise<void> {
    await Promise.all(this.nodes.map(node => node.end()))
  }

  /** What all nodes have logged last. */
  get output (): string {
    return this.nodes.map(({ index, output }) => `node ${index}:\n${output}`).join('\n')
  }
}
