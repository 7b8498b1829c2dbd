/** Streams of all channels of a user: a chat of many small channels, and channels of 200. */
import type { LaneRequest, StreamRequest } from '../generator.ts'
import type { Layout, RunningPeer } from '../peers/peer.ts'
import { deliveryFigures, faultsOf, measured, openAll, text, upTo, withLoad, type Figure, type Workload } from './workload.ts'

const PUBLISHERS = 64

/** 2 to 10 members each, spread over all users. */
const chat: Layout = {
  users: 10_000,
  channels: 5_000,
  membersOf: channel => upTo(2 + channel % 9).map(index => (channel * 2 + index * 1_117) % 10_000)
}

/** 200 members each: a user is in 20. */
const large: Layout = {
  users: 1_000,
  channels: 100,
  membersOf: channel => upTo(200).map(index => (channel * 10 + index * 5 + channel % 5) % 1_000)
}

/** Each channel is published to by one of its members, and by one connection only. */
function lanesOf (peer: RunningPeer, layout: Layout, connections: number): LaneRequest[] {
  return upTo(layout.channels).map(channel => ({ publisher: channel % connections, ...peer.publish(channel, layout.membersOf(channel)[0]!, text) }))
}

function streamsOf (peer: RunningPeer, layout: Layout): StreamRequest[] {
  const channels: number[][] = upTo(layout.users).map(() => [])
  for (const channel of upTo(layout.channels)) for (const user of layout.membersOf(channel)) channels[user]!.push(channel)
  return channels.map((lanes, user) => ({ request: peer.userStream!(user), lanes }))
}

const figures: Figure[] = [
  { key: 'cpuPerPublish', label: 'µs of CPU per message', digits: 1 },
  { key: 'deliveriesPerMessage', label: 'deliveries a message', digits: 1 },
  { key: 'publishesPerSecond', label: 'messages/s', digits: 0 },
  { key: 'deliveriesPerSecond', label: 'deliveries/s', digits: 0 },
  { key: 'p50', label: 'p50 ms', digits: 2 },
  { key: 'p99', label: 'p99 ms', digits: 2 }
]

export const realChat = (peers: string[]): Workload => ({
  name: 'chat',
  title: '10,000 user streams, 5,000 channels of 2 to 10 members, 64 publishers',
  peers,
  quick: false,
  layout: chat,
  figures,
  chart: 'cpuPerPublish',
  async measure (peer, { seconds, warmUp }) {
    return await withLoad(peer, lanesOf(peer, chat, PUBLISHERS), streamsOf(peer, chat), async load => {
      await openAll(load)
      await load.run({ connections: PUBLISHERS, seconds: warmUp ? seconds : 0.3 })
      const { result, cpu } = await measured(peer, () => load.run({ connections: PUBLISHERS, seconds }))
      return { figures: { ...deliveryFigures(result, cpu), deliveriesPerMessage: result.deliveries / result.published }, faults: faultsOf(result) }
    })
  }
})

/** As many channel streams with the same fan-out: five channels, all their members, the same number of publishers. */
async function asChannelStreams (peer: RunningPeer, seconds: number): Promise<number> {
  const channels = 5
  const lanes = upTo(PUBLISHERS).map(publisher => {
    const channel = publisher % channels
    return { publisher, ...peer.publish(channel, large.membersOf(channel)[publisher]!, text) }
  })
  const streams = upTo(channels).flatMap(channel => large.membersOf(channel).map(user => ({
    request: peer.channelStream(channel, user), lanes: upTo(PUBLISHERS).filter(publisher => publisher % channels === channel)
  })))
  return await withLoad(peer, lanes, streams, async load => {
    await openAll(load)
    await load.run({ connections: PUBLISHERS, seconds: 0.3 })
    const result = await load.run({ connections: PUBLISHERS, seconds })
    return result.deliveries / result.seconds
  })
}

export const largeChannels = (peers: string[]): Workload => ({
  name: 'user-streams',
  title: '1,000 user streams, each in 20 channels of 200 members, 64 publishers',
  peers,
  quick: false,
  layout: large,
  figures: [
    { key: 'deliveriesPerSecond', label: 'deliveries/s', digits: 0 },
    { key: 'channelDeliveriesPerSecond', label: 'as channel streams', digits: 0 },
    { key: 'share', label: 'share', digits: 2 },
    { key: 'cpuPerDelivery', label: 'µs of CPU per delivery', digits: 2 },
    { key: 'p99', label: 'p99 ms', digits: 1 }
  ],
  chart: 'deliveriesPerSecond',
  async measure (peer, { seconds, warmUp }) {
    const measurement = await withLoad(peer, lanesOf(peer, large, PUBLISHERS), streamsOf(peer, large), async load => {
      await openAll(load)
      await load.run({ connections: PUBLISHERS, seconds: warmUp ? seconds : 0.3 })
      const { result, cpu } = await measured(peer, () => load.run({ connections: PUBLISHERS, seconds }))
      return { figures: deliveryFigures(result, cpu), faults: faultsOf(result) }
    })
    const channelDeliveriesPerSecond = await asChannelStreams(peer, seconds)
    const share = measurement.figures.deliveriesPerSecond! / channelDeliveriesPerSecond
    return { ...measurement, figures: { ...measurement.figures, channelDeliveriesPerSecond, share } }
  }
})
