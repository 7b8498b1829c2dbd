/** What a cluster is disturbed with. What is done when follows from the seed; how far the others are by then does not. */
import { setTimeout as delay } from 'node:timers/promises'
import { randomFrom, until } from '../durability/conversation.ts'
import type { PostgresServer } from '../support/postgres.ts'
import type { Disturbance, Run } from './campaign.ts'

/** How long a listening session may be waited for, in milliseconds. */
const LISTENS_MS = 10_000

/** How long a node lives between two kills, in milliseconds. */
const LIFE_MS = 2_000

/** One node or another, as the seed has it, is killed and started again, every two seconds; so many times, or as long as messages are sent. */
export function killsOfNodes (times = Infinity): Disturbance {
  return async run => {
    const random = randomFrom(run.plan.seed + 2)
    const isOver = (kills: number) => times === Infinity ? run.enough : kills === times
    for (let kills = 0; !isOver(kills); kills++) {
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
  /** Between two of them, in milliseconds, about. */
  betweenMs: number
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
    await until('somebody listens', async () => {
      const ended = await postgres.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'channel-relay listens'")
      return ended.length > 0
    }, LISTENS_MS)
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

/** Each of them once, in an order that the seed gives; and so for so many rounds. */
export function troublesOf (postgres: PostgresServer, { rounds, ...hardness }: Hardness & { rounds: number }, names: readonly TroubleName[] = Object.keys(troubles) as TroubleName[]): Disturbance {
  return async run => {
    const random = randomFrom(run.plan.seed + 3)
    for (let round = 0; round < rounds; round++) {
      for (const { name } of names.map(name => ({ name, order: random() })).sort((one, other) => one.order - other.order)) {
        await delay(2 * hardness.betweenMs * random())
        run.note(name)
        const trouble: Trouble = troubles[name]
        await trouble({ run, postgres, random, ...hardness })
      }
    }
    run.note('no more')
  }
}
