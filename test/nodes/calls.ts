/** Clients that ask one node, and another one where that gives no answer, until they are told yes or no. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Cluster } from './cluster.ts'
import type { Asked } from './history.ts'

/** How long a client waits for an answer before it takes the node for lost, in milliseconds. */
const CALL_MS = 10_000

/** How long it goes on trying, in milliseconds. */
const PATIENCE_MS = 60_000

/** Between attempts, in milliseconds, about. */
const RETRY_MS = 60

export interface Answer {
  status: number
  headers: Headers
  body: any
}

export interface Request {
  /** Of a user; absent: the application asks. */
  token?: string | undefined
  method: string
  path: string
  body?: unknown
  /** Where to ask first; absent: anywhere. */
  node?: number | undefined
}

/** Counts of a run, for whoever reads them. */
export interface Counts {
  calls: number
  /** Without an answer. */
  lost: number
  unavailable: number
  /** Of any answer, in milliseconds. */
  slowestMs: number
}

export class Callers {
  readonly cluster: Cluster
  readonly counts: Counts = { calls: 0, lost: 0, unavailable: 0, slowestMs: 0 }
  readonly #random: () => number
  #keys = 0

  constructor (cluster: Cluster, random: () => number) {
    this.cluster = cluster
    this.#random = random
  }

  /** Any node, or any but one. */
  anyNode (but?: number): number {
    const count = this.cluster.nodes.length
    if (but === undefined || count === 1) return Math.floor(this.#random() * count)
    return (but + 1 + Math.floor(this.#random() * (count - 1))) % count
  }

  /** Once, of one node. Undefined: there was no answer. */
  async ask ({ token, method, path, body, node = this.anyNode() }: Request, key?: string): Promise<Answer | undefined> {
    const headers: Record<string, string> = { authorization: token === undefined ? this.cluster.authorization : `Bearer ${token}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    if (key !== undefined) headers['idempotency-key'] = key
    const began = performance.now()
    this.counts.calls++
    try {
      const response = await fetch(this.cluster.nodes[node]!.url + path, {
        method, headers, signal: AbortSignal.timeout(CALL_MS), ...(body === undefined ? {} : { body: JSON.stringify(body) })
      })
      const text = await response.text()
      this.counts.slowestMs = Math.max(this.counts.slowestMs, performance.now() - began)
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) }
    } catch {
      this.counts.lost++
      return undefined
    }
  }

  /** Under one key, on one node after the other, until the answer is yes or no. Throws for an answer that nobody should get. */
  async askUntilAnswered (request: Request): Promise<{ asked: Asked, answer: Answer | undefined }> {
    const key = `the-key-${++this.#keys}`
    const asked: Asked = { askedAt: performance.now(), answeredAt: Infinity, nodes: [] }
    for (let node = request.node ?? this.anyNode(); performance.now() < asked.askedAt + PATIENCE_MS; node = this.anyNode(node)) {
      asked.nodes.push(node)
      const answer = await this.ask({ ...request, node }, key)
      if (answer !== undefined && answer.status < 500) {
        Object.assign(asked, { answeredAt: performance.now(), status: answer.status })
        return { asked, answer }
      }
      if (answer !== undefined) {
        if (answer.status !== 503 || !answer.headers.has('retry-after')) throw new Error(`${request.method} ${request.path} was answered ${answer.status} ${JSON.stringify(answer.body)}`)
        this.counts.unavailable++
      }
      await delay(RETRY_MS * (0.5 + this.#random()))
    }
    return { asked, answer: undefined }
  }

  /** As the application, for what a run begins with. Throws where the answer is no. */
  async make (method: string, path: string, body?: unknown): Promise<any> {
    const { answer } = await this.askUntilAnswered({ method, path, body })
    if (answer === undefined || answer.status > 299) throw new Error(`${method} ${path} was answered ${answer?.status} ${JSON.stringify(answer?.body)}`)
    return answer.body
  }
}
