/** Several nodes on one PostgreSQL: from one to another, three against one, and one that was away. */
import type { LaneRequest, RunOptions, StreamRequest } from '../generator.ts'
import type { RunningPeer } from '../peers/peer.ts'
import { median } from '../report.ts'
import { CONNECTIONS, lanesOf, manyChannels } from './publish.ts'
import { faultsOf, measured, openAll, publishFigures, text, upTo, withLoad, type Measurement, type Workload } from './workload.ts'

/** The first users have a stream each, of whatever is in their channels: half of all messages are on one. */
const READERS = 50

function streamsOf (peer: RunningPeer): StreamRequest[] {
  const lanes: number[][] = upTo(READERS).map(() => [])
  for (const channel of upTo(manyChannels.channels)) for (const user of manyChannels.membersOf(channel)) lanes[user]?.push(channel)
  return lanes.map((lanes, user) => ({ request: peer.userStream!(user), lanes }))
}

/** Into channels in which none of the readers is. */
function unreadLanes (peer: RunningPeer): LaneRequest[] {
  const unread = upTo(manyChannels.channels).filter(channel => manyChannels.membersOf(channel).every(user => user >= READERS))
  return unread.map((channel, index) => ({ publisher: index % CONNECTIONS, ...peer.publish(channel, manyChannels.membersOf(channel)[0]!, text) }))
}

/** What a node takes that is asked for as much as 64 connections can. */
async function rateOf (peer: RunningPeer, node: number, seconds: number): Promise<number> {
  return await withLoad(peer, lanesOf(peer, CONNECTIONS), [], async load => {
    await load.aim([node])
    const { published, publishSeconds } = await load.run({ connections: CONNECTIONS, seconds })
    return published / publishSeconds
  })
}

/** Published on the first node, received on another. */
async function across (peer: RunningPeer, reading: number, run: RunOptions): Promise<Measurement> {
  const [publishing] = peer.ports as [number]
  return await withLoad(peer, lanesOf(peer, CONNECTIONS), streamsOf(peer), async load => {
    await load.aim([reading])
    await openAll(load)
    await load.aim([publishing])
    await load.run({ ...run, seconds: 0.3 })
    const result = await load.run(run)
    return { figures: { p50: result.latency.p50, p99: result.latency.p99 }, faults: faultsOf(result) }
  })
}

export const acrossNodes = (peers: string[]): Workload => ({
  name: 'across',
  title: `From send to receipt on the same node and on another, ${READERS} user streams, a quarter of what 64 connections publish`,
  peers,
  quick: false,
  layout: manyChannels,
  figures: [
    { key: 'rate', label: 'messages/s', digits: 0 },
    { key: 'sameP50', label: 'same node: p50 ms', digits: 2 },
    { key: 'sameP99', label: 'p99 ms', digits: 1 },
    { key: 'p50', label: 'another: p50 ms', digits: 2 },
    { key: 'p99', label: 'p99 ms', digits: 1 },
    { key: 'ratio', label: 'p50 × same', digits: 2 }
  ],
  async measure (peer, { seconds, warmUp }) {
    const [one, other] = peer.ports as [number, number]
    if (warmUp) await rateOf(peer, one, seconds)
    const rate = await rateOf(peer, one, seconds) / 4
    const run = { connections: CONNECTIONS, rate, seconds: 2 * seconds }
    const same = await across(peer, one, run)
    const another = await across(peer, other, run)
    const { p50, p99 } = another.figures
    return {
      figures: { rate, sameP50: same.figures.p50!, sameP99: same.figures.p99!, p50: p50!, p99: p99!, ratio: p50! / same.figures.p50! },
      faults: [...same.faults, ...another.faults.map(fault => `on another node: ${fault}`)]
    }
  }
})

/** In all, whatever number of nodes they go to. */
const MANY_CONNECTIONS = 600

export const threeNodes = (peers: string[]): Workload => ({
  name: 'three-nodes',
  title: `${MANY_CONNECTIONS} connections publish into 10,000 channels, on one node and on three, 1 ms from PostgreSQL`,
  peers,
  afresh: true,
  quick: false,
  layout: manyChannels,
  figures: [
    { key: 'publishesPerSecond', label: 'publishes/s', digits: 0 },
    { key: 'cpuPerPublish', label: 'µs of CPU per publish', digits: 1 },
    { key: 'publishP50', label: 'p50 ms', digits: 1 },
    { key: 'publishP99', label: 'p99 ms', digits: 1 }
  ],
  async measure (peer, { seconds, warmUp }) {
    return await withLoad(peer, lanesOf(peer, MANY_CONNECTIONS), [], async load => {
      await load.run({ connections: MANY_CONNECTIONS, seconds: warmUp ? 2 * seconds : 0.5 })
      const { result, cpu } = await measured(peer, () => load.run({ connections: MANY_CONNECTIONS, seconds: 2 * seconds }))
      return { figures: publishFigures(result, cpu), faults: faultsOf(result) }
    })
  }
})

/** What is published while a node is away. */
const MISSED = 100_000
/** Of others, before and meanwhile: a second. */
const OTHERS_RATE = 200
/** One by one, each with a p99 of its own. */
const SLICE_SECONDS = 1
const CALM_SLICES = 5
/** How long it may take, in seconds. */
const PATIENCE = 60

export const away = (peers: string[]): Workload => ({
  name: 'away',
  title: `A node stands still (SIGSTOP) while ${MISSED.toLocaleString('en')} messages are published on another, and goes on; ${READERS} user streams on it`,
  peers,
  rounds: 1,
  quick: false,
  layout: manyChannels,
  figures: [
    { key: 'catchUpSeconds', label: 'all caught up, s', digits: 2 },
    { key: 'deliveries', label: 'deliveries', digits: 0 },
    { key: 'calmP99', label: 'publish p99 ms before', digits: 1 },
    { key: 'meanwhileP99', label: 'meanwhile', digits: 1 },
    { key: 'ratio', label: 'ratio', digits: 2 }
  ],
  async measure (peer) {
    const [one, other] = peer.ports as [number, number]
    return await withLoad(peer, unreadLanes(peer), [], async others => await withLoad(peer, lanesOf(peer, CONNECTIONS), streamsOf(peer), async load => {
      const faults: string[] = []
      const publishing: RunOptions = { connections: CONNECTIONS, rate: OTHERS_RATE, seconds: SLICE_SECONDS }
      const slice = async (): Promise<number> => {
        const result = await others.run(publishing)
        faults.push(...faultsOf(result).map(fault => `others: ${fault}`))
        return result.publishLatency.p99
      }
      await load.aim([other])
      await openAll(load)
      await load.aim([one])
      await others.aim([one])
      await load.run({ connections: CONNECTIONS, seconds: 2 })
      const calm: number[] = []
      for (let count = 0; count < CALM_SLICES; count++) calm.push(await slice())
      await whileStopped(peer.pids[1]!, () => load.run({ connections: CONNECTIONS, count: MISSED, settle: 0.1 }))
      const catchingUp = load.run({ connections: 0, keep: 1, settle: PATIENCE, drain: PATIENCE })
      const caughtUp = catchingUp.then(() => true)
      const meanwhile: number[] = []
      do meanwhile.push(await slice())
      while (!await Promise.race([caughtUp, false]))
      const result = await catchingUp
      const [calmP99, meanwhileP99] = [median(calm), median(meanwhile)]
      return {
        figures: { catchUpSeconds: result.seconds, deliveries: result.deliveries, calmP99, meanwhileP99, ratio: meanwhileP99 / calmP99 },
        faults: [...faultsOf(result), ...faults]
      }
    }))
  }
})

/** The process goes on when the work is done. */
async function whileStopped (pid: number, work: () => Promise<unknown>): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  try {
    await work()
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}
