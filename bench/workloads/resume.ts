/** 5,000 streams are cut, each at a place of its own, and come back all at once while 200 messages a second go on. */
import type { StreamRequest } from '../generator.ts'
import type { Layout, RunningPeer } from '../peers/peer.ts'
import { faultsOf, openAll, text, upTo, withLoad, type Figures, type Workload } from './workload.ts'

const CHANNELS = 100
const STREAMS = 5_000
const BEHIND = 50
const RATE = 200
const PUBLISHERS = 16

/** 100 members each: a user is in two. */
const layout: Layout = {
  users: STREAMS,
  channels: CHANNELS,
  membersOf: channel => [
    ...upTo(50).map(index => channel + index * CHANNELS),
    ...upTo(50).map(index => (channel + 1) % CHANNELS + index * CHANNELS)
  ]
}

/** A user is in the channel of its number, and in the one before. */
const channelsOf = (user: number): number[] => [user % CHANNELS, (user % CHANNELS + CHANNELS - 1) % CHANNELS].toSorted((one, other) => one - other)

async function resume (peer: RunningPeer, streams: StreamRequest[], messagesPerStream: number): Promise<{ figures: Figures, faults: string[] }> {
  const lanes = upTo(CHANNELS).map(channel => ({ publisher: channel % PUBLISHERS, ...peer.publish(channel, channel, text) }))
  return await withLoad(peer, lanes, streams, async load => {
    await openAll(load)
    // Each ends itself after 1 to 50 messages of 75: 25 to 74 are left for it.
    const cut = await load.run({ connections: PUBLISHERS, count: messagesPerStream * CHANNELS, spread: BEHIND, settle: 1 })
    await load.command('cut')
    const back = await load.run({ connections: PUBLISHERS, rate: RATE, seconds: 6, reopen: 1, settle: 5 })
    const faults = [...faultsOf(cut), ...faultsOf(back)]
    if (back.catchUp.count < STREAMS) faults.push(`only ${back.catchUp.count} of ${STREAMS} streams caught up`)
    return {
      figures: {
        catchUpSeconds: back.catchUp.max / 1000, catchUpP50: back.catchUp.p50 / 1000, behind: back.replayed / STREAMS, publishP99: back.publishLatency.p99
      },
      faults
    }
  })
}

const named = (figures: Figures, prefix: string): Figures => Object.fromEntries(Object.entries(figures).map(([key, value]) => [prefix + key, value]))

export const resumes = (peers: string[]): Workload => ({
  name: 'resume',
  title: `${STREAMS.toLocaleString('en')} streams come back at once, about ${BEHIND} messages behind, while ${RATE} messages/s go on`,
  peers,
  rounds: 1,
  quick: false,
  layout,
  figures: [
    { key: 'catchUpSeconds', label: 'channel streams: all caught up, s', digits: 2 },
    { key: 'catchUpP50', label: 'half, s', digits: 2 },
    { key: 'behind', label: 'messages behind', digits: 0 },
    { key: 'publishP99', label: 'publish p99 ms', digits: 0 },
    { key: 'userCatchUpSeconds', label: 'user streams: all caught up, s', digits: 2 },
    { key: 'userPublishP99', label: 'publish p99 ms', digits: 0 }
  ],
  chart: 'catchUpSeconds',
  async measure (peer) {
    const ofChannels = await resume(peer, upTo(STREAMS).map(user => ({ request: peer.channelStream(user % CHANNELS, user), lanes: [user % CHANNELS] })), 75)
    const ofUsers = await resume(peer, upTo(STREAMS).map(user => ({ request: peer.userStream!(user), lanes: channelsOf(user) })), 38)
    return {
      figures: { ...ofChannels.figures, userCatchUpSeconds: ofUsers.figures.catchUpSeconds!, ...named({ PublishP99: ofUsers.figures.publishP99! }, 'user') },
      faults: [...ofChannels.faults, ...ofUsers.faults.map(fault => `user streams: ${fault}`)]
    }
  }
})
