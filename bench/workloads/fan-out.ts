/** One channel, many streams: what a delivery costs, and how many there are in a second. */
import type { LaneRequest, StreamRequest } from '../generator.ts'
import type { Layout, RunningPeer } from '../peers/peer.ts'
import { deliveryFigures, faultsOf, measured, openAll, text, upTo, withLoad, type Figure, type Workload } from './workload.ts'

/** All are in the one channel. Several streams of one user are allowed, and the rest of them share users. */
export const oneChannel: Layout = { users: 1_000, channels: 1, membersOf: () => upTo(1_000) }

const figures: Figure[] = [
  { key: 'cpuPerDelivery', label: 'µs of CPU per delivery', digits: 2 },
  { key: 'deliveriesPerSecond', label: 'deliveries/s', digits: 0 },
  { key: 'publishesPerSecond', label: 'publishes/s', digits: 0 },
  { key: 'bytesBeyondText', label: 'bytes beyond the text', digits: 0 },
  { key: 'p50', label: 'p50 ms', digits: 2 },
  { key: 'p99', label: 'p99 ms', digits: 2 },
  { key: 'generatorCpuPerDelivery', label: 'generator µs', digits: 2 }
]

/** Streams of channel 0 that get what all the publishers send. */
export function channelStreams (peer: RunningPeer, count: number, publishers: number): StreamRequest[] {
  return upTo(count).map(index => ({ request: peer.channelStream(0, index % oneChannel.users), lanes: { first: 0, last: publishers - 1 } }))
}

/** Each publisher is a user of its own, and sends to channel 0. */
export function channelLanes (peer: RunningPeer, publishers: number, message = text): LaneRequest[] {
  return upTo(publishers).map(publisher => ({ publisher, ...peer.publish(0, publisher, message) }))
}

export function fanOut (publishers: number, streams: number, peers: string[], quick: boolean): Workload {
  return {
    name: `fan-out-${publishers}-${streams}`,
    title: `${publishers === 1 ? 'One publisher' : `${publishers} publishers`}, one channel, ${streams.toLocaleString('en')} streams`,
    peers,
    ...(streams > 1_000 ? { rounds: 2 } : {}),
    quick,
    layout: oneChannel,
    figures,
    chart: publishers === 1 ? 'cpuPerDelivery' : 'deliveriesPerSecond',
    async measure (peer, { seconds, warmUp }) {
      return await withLoad(peer, channelLanes(peer, publishers), channelStreams(peer, streams, publishers), async load => {
        await openAll(load)
        await load.run({ connections: publishers, seconds: warmUp ? seconds : 0.2 })
        const { result, cpu } = await measured(peer, () => load.run({ connections: publishers, seconds }))
        return { figures: deliveryFigures(result, cpu), faults: faultsOf(result) }
      })
    }
  }
}
