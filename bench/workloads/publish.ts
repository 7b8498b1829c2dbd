/** 64 connections, 10,000 channels, nobody listens: what taking a message costs. */
import type { LaneRequest } from '../generator.ts'
import type { Layout, RunningPeer } from '../peers/peer.ts'
import { faultsOf, measured, publishFigures, text, upTo, withLoad, type Figure, type Workload } from './workload.ts'

export const CONNECTIONS = 64
const CHANNELS = 10_000
const USERS = 1_000
const MEMBERS = 10

/** Ten members each; the first of them publishes. */
export const manyChannels: Layout = {
  users: USERS,
  channels: CHANNELS,
  membersOf: channel => upTo(MEMBERS).map(index => (channel + index * 97) % USERS)
}

/** Each connection has channels of its own. */
export const lanesOf = (peer: RunningPeer, connections: number, signed = false): LaneRequest[] => upTo(CHANNELS).map(channel => ({
  publisher: channel % connections, ...(signed ? peer.publishSigned!(channel, text) : peer.publish(channel, channel % USERS, text))
}))

const figures: Figure[] = [
  { key: 'publishesPerSecond', label: 'publishes/s', digits: 0 },
  { key: 'cpuPerPublish', label: 'µs of CPU per publish', digits: 1 },
  { key: 'publishP50', label: 'p50 ms', digits: 2 },
  { key: 'publishP99', label: 'p99 ms', digits: 2 },
  { key: 'generatorCpuPerPublish', label: 'generator µs', digits: 2 }
]

function publishing (name: string, title: string, peers: string[], signed: boolean, quick: boolean): Workload {
  return {
    name,
    title,
    peers,
    quick,
    layout: manyChannels,
    figures,
    chart: 'publishesPerSecond',
    async measure (peer, { seconds, warmUp }) {
      return await withLoad(peer, lanesOf(peer, CONNECTIONS, signed), [], async load => {
        await load.run({ connections: CONNECTIONS, seconds: warmUp ? seconds : 0.3 })
        const { result, cpu } = await measured(peer, () => load.run({ connections: CONNECTIONS, seconds }))
        return { figures: publishFigures(result, cpu), faults: faultsOf(result) }
      })
    }
  }
}

export const publish = (peers: string[]): Workload =>
  publishing('publish', '64 connections publish into 10,000 channels without streams', peers, false, true)

export const publishSigned = (peers: string[]): Workload =>
  publishing('publish-signed', 'The same, signed by the application', peers, true, true)
