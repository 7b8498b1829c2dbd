/** What a cluster is disturbed with. What is done when follows from the seed; how far the others are by then does not. */
import { setTimeout as delay } from 'node:timers/promises'
import { randomFrom } from '../durability/conversation.ts'
import type { PostgresServer } from '../support/postgres.ts'
import type { Disturbance, Run } from './campaign.ts'

/** How long a node lives between two kills, in milliseconds. */
const LIFE_MS = 2_000

/** Each node in turn, as the seed has it, is killed and started again, every two seconds; so many times at least. */
export function killsOfNodes (times: number): Disturbance {
  return async run => {
    const random = randomFrom(run.plan.seed + 2)
    for (let kills = 0; !run.over && (kills < times || !run.enough); kills++) {
      const next = delay(LIFE_MS)
      const node = run.cluster.nodes[Math.floor(random() * run.cluster.nodes.length)]!
      run.note(`kill of node ${node.index}`)
      await node.kill('SIGKILL')
      await node.start()
      await next
    }
  }
}

export interface Hardness {
  /** Between two troubles, in milliseconds, at most. */
  calmMs: number
  /** How long PostgreSQL is stopped with SIGSTOP, in milliseconds. */
  pauseMs: number
  /** How long a node's way to it is closed, in milliseconds. */
  closedMs: number
}

type Trouble = (on: { run: Run, postgres: PostgresServer, random: () => number } & Hardness) => Promise<void>

const wayOfOne = ({ run, random }: Parameters<Trouble>[0]) => {
  const node = run.cluster.nodes[Math.floor(random() * run.cluster.nodes.length)]!
  run.note(`it was node ${node.index}`)
  return node.proxy!
}

export const troubles = {
  async 'listening connections ended' ({ postgres }) {
    const [row] = await postgres.query<{ ended: number }>("select count(pg_terminate_backend(pid))::int ended from pg_stat_activity where application_name = 'channel-relay listens'")
    if (row!.ended === 0) throw new Error('nobody listens')
  },
  async 'all connections ended' ({ postgres }) {
    await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'channel-relay %'")
  },
  'a fast restart': ({ postgres }) => postgres.restart('fast'),
  'an immediate restart': ({ postgres }) => postgres.restart('immediate'),
  async 'all processes of PostgreSQL killed' ({ postgres }) {
    await postgres.kill()
    await postgres.start()
  },
  async 'PostgreSQL stopped with SIGSTOP' ({ postgres, pauseMs }) {
    postgres.pause()
    await delay(pauseMs)
    postgres.resume()
  },
  async 'one way cut' (on) {
    const proxy = wayOfOne(on)
    for (let cuts = 0; cuts < 3; cuts++) {
      proxy.cut()
      await delay(on.random() * on.closedMs / 3)
    }
  },
  async 'one way refused' (on) {
    const proxy = wayOfOne(on)
    proxy.refuse()
    proxy.cut()
    await delay(on.closedMs)
    await proxy.heal()
  },
  async 'one way delayed' (on) {
    const proxy = wayOfOne(on)
    proxy.delay(5 + on.random() * 95)
    await delay(on.closedMs)
    await proxy.heal()
  },
  async 'one way black-holed' (on) {
    const proxy = wayOfOne(on)
    proxy.blackHole()
    await delay(on.closedMs)
    await proxy.heal()
  }
} satisfies Record<string, Trouble>

export type TroubleName = keyof typeof troubles

/** Each of them once at least, in an order that the seed gives, one at a time. */
export function troublesOf (postgres: PostgresServer, hardness: Hardness, names: readonly TroubleName[] = Object.keys(troubles) as TroubleName[]): Disturbance {
  return async run => {
    const random = randomFrom(run.plan.seed + 3)
    for (let round = 0; round === 0 || !run.enough; round++) {
      for (const { name } of names.map(name => ({ name, order: random() })).sort((one, other) => one.order - other.order)) {
        await delay(hardness.calmMs * random())
        run.note(name)
        if (run.over || (round > 0 && run.enough)) return
        const trouble: Trouble = troubles[name]
        await trouble({ run, postgres, random, ...hardness })
      }
    }
  }
}
