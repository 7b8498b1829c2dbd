/** Ten streams and one publisher that is never in a hurry: from send to receipt. */
import { channelLanes, channelStreams, oneChannel } from './fan-out.ts'
import { faultsOf, measured, openAll, withLoad, type Measurement, type Workload } from './workload.ts'

const STREAMS = 10
/** Messages a second, at times set beforehand. */
const RATE = 100

export const latency = (peers: string[]): Workload => ({
  name: 'latency',
  title: `One publisher, ${STREAMS} streams, ${RATE} messages a second`,
  peers,
  quick: true,
  layout: oneChannel,
  figures: [
    { key: 'p50', label: 'p50 ms from send to receipt', digits: 3 },
    { key: 'p99', label: 'p99 ms', digits: 2 },
    { key: 'publishP50', label: 'p50 ms of the answer', digits: 3 }
  ],
  chart: 'p50',
  async measure (peer, { seconds, warmUp }) {
    if (peer.commits !== undefined) return ofCommits(await peer.commits(RATE * seconds, 1000 / RATE))
    return await withLoad(peer, channelLanes(peer, 1), channelStreams(peer, STREAMS, 1), async load => {
      await openAll(load)
      if (warmUp) await load.run({ connections: 1, seconds: 0.5 })
      const { result } = await measured(peer, () => load.run({ connections: 1, rate: RATE, seconds }))
      return { figures: { p50: result.latency.p50, p99: result.latency.p99, publishP50: result.publishLatency.p50 }, faults: faultsOf(result) }
    })
  }
})

function ofCommits (times: number[]): Measurement {
  const sorted = times.toSorted((one, other) => one - other)
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!
  return { figures: { p50: at(0.5), p99: at(0.99) }, faults: [] }
}
