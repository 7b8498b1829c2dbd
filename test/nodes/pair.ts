/** A primary and a standby that takes its place, again and again, behind two addresses that stay. */
import { setTimeout as delay } from 'node:timers/promises'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { createStandby } from '../support/standby.ts'
import { startProxy, type ProxyTarget, type TcpProxy } from '../support/tcp-proxy.ts'
import type { Disturbance } from './campaign.ts'

/** How long a primary goes on alone before it is lost, where its standby is to lack something, in milliseconds, about. */
const ALONE_MS = 400

/** A way that stays, to whichever server is there now. */
interface Side {
  server: PostgresServer
  target: ProxyTarget
  proxy: TcpProxy
}

const sideOf = async (server: PostgresServer): Promise<Side> => {
  const target = { port: server.port }
  return { server, target, proxy: await startProxy(target) }
}

export interface PairOptions {
  /** What was acknowledged is on the standby, too. Otherwise it lacks what was written last when it is promoted. */
  synchronous: boolean
}

export class Pair {
  readonly #synchronous: boolean
  #primary: Side
  #standby: Side
  /** What the standby follows through. */
  #following: TcpProxy

  private constructor (primary: Side, standby: Side, following: TcpProxy, { synchronous }: PairOptions) {
    this.#primary = primary
    this.#standby = standby
    this.#following = following
    this.#synchronous = synchronous
  }

  static async start (options: PairOptions): Promise<Pair> {
    const primary = await sideOf(await startPostgres())
    const following = await startProxy({ port: primary.server.port })
    const standby = await createStandby(primary.server, { ...options, port: following.port }).catch(async (err: Error) => {
      await primary.server.stop()
      throw err
    })
    return new Pair(primary, await sideOf(standby), following, options)
  }

  /** `DATABASE_URL`: the addresses of both. */
  get url (): string {
    const { password } = this.#primary.server
    const hosts = [this.#primary, this.#standby].map(({ proxy }) => `127.0.0.1:${proxy.port}`)
    return `postgres://postgres:${password}@${hosts.join(',')}/postgres?target_session_attrs=read-write`
  }

  /** The primary is lost, and the standby is one now. Resolves when it takes writes. */
  async failOver (): Promise<void> {
    if (!this.#synchronous) {
      this.#following.blackHole()
      await delay(ALONE_MS)
    }
    await this.#primary.server.kill()
    // What it had not handed on is lost with it.
    this.#following.close()
    await this.#standby.server.promote()
  }

  /** In the place of the one that was lost there is a new standby. */
  async renew (): Promise<void> {
    const [lost, primary] = [this.#primary, this.#standby]
    await lost.server.stop()
    this.#following = await startProxy({ port: primary.server.port })
    lost.server = await createStandby(primary.server, { synchronous: this.#synchronous, port: this.#following.port })
    lost.target.port = lost.server.port
    this.#primary = primary
    this.#standby = lost
  }

  async stop (): Promise<void> {
    this.#following.close()
    for (const { proxy, server } of [this.#standby, this.#primary]) {
      proxy.close()
      await server.stop()
    }
  }
}

/** The sides change so many times, each time after the load has gone on for a while. */
export function failovers (pair: Pair, times: number, loadMs: number): Disturbance {
  return async run => {
    for (let count = 1; count <= times; count++) {
      await delay(loadMs)
      run.note(`failover ${count}`)
      await pair.failOver()
      run.note('promoted')
      await delay(loadMs)
      if (count < times) await pair.renew()
    }
  }
}
