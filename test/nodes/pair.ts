/** Two PostgreSQL servers, of which one follows the other until it takes over. */
import { setTimeout as delay } from 'node:timers/promises'
import { randomFrom } from '../durability/conversation.ts'
import { freePort } from '../support/ports.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { createStandby } from '../support/standby.ts'
import { startProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import type { Disturbance } from './campaign.ts'

/** A primary and its standby, which takes over, and is given a standby in the place of the old primary, again and again. */
export class Pair {
  primary: PostgresServer
  #standby: PostgresServer | undefined
  /** Between the two. */
  #way: TcpProxy | undefined
  readonly #synchronous: boolean
  readonly #otherPort: number

  private constructor (primary: PostgresServer, otherPort: number, synchronous: boolean) {
    this.primary = primary
    this.#otherPort = otherPort
    this.#synchronous = synchronous
  }

  static async start ({ synchronous }: { synchronous: boolean }): Promise<Pair> {
    const pair = new Pair(await startPostgres(), await freePort(), synchronous)
    try {
      await pair.#addStandby(pair.#otherPort)
      return pair
    } catch (err) {
      await pair.stop()
      throw err
    }
  }

  /** Of a new database, wherever it can be written to. */
  async createDatabase (): Promise<string> {
    const url = new URL(this.primary.url(await this.primary.createDatabase()))
    return `postgres://${url.username}:${url.password}@127.0.0.1:${url.port},127.0.0.1:${this.#otherPort}${url.pathname}?target_session_attrs=read-write`
  }

  /** Under load the primary is killed, and the standby promoted; so many times. Where it is not synchronous it lacks the last moments. */
  failovers (times: number, loadMs: number): Disturbance {
    return async run => {
      const random = randomFrom(run.plan.seed + 4)
      for (let count = 0; count < times && !run.over; count++) {
        await delay(loadMs * (0.5 + random()))
        if (!this.#synchronous) {
          this.#way!.blackHole()
          await delay(300 * random())
        }
        const [old, next] = [this.primary, this.#standby!]
        run.note(`the primary on port ${old.port} is killed`)
        await old.kill()
        this.#way!.close()
        await next.promote()
        run.note(`the one on port ${next.port} is promoted`)
        this.primary = next
        this.#standby = undefined
        await old.stop()
        await this.#addStandby(old.port)
        run.note('it has a standby')
      }
    }
  }

  async stop (): Promise<void> {
    this.#way?.close()
    await Promise.all([this.primary.stop(), this.#standby?.stop()])
  }

  async #addStandby (port: number): Promise<void> {
    this.#way = await startProxy({ port: this.primary.port })
    this.#standby = await createStandby(this.primary, { synchronous: this.#synchronous, port, primaryPort: this.#way.port })
  }
}
