/** 10,000 streams of one channel on which nothing happens: what the process holds for each. The kernel's part is not in it. */
import { memoryOf } from '../process.ts'
import { channelLanes, channelStreams, oneChannel } from './fan-out.ts'
import { openAll, withLoad, type Workload } from './workload.ts'

const STREAMS = 10_000
/** How long what opening them took may take to be given back, in seconds. */
const REST_SECONDS = 5

export const idle = (peers: string[]): Workload => ({
  name: 'idle',
  title: `${STREAMS.toLocaleString('en')} idle streams`,
  peers,
  rounds: 1,
  afresh: true,
  quick: false,
  layout: oneChannel,
  figures: [
    { key: 'kibPerStream', label: 'KiB per stream', digits: 1 },
    { key: 'beforeMib', label: 'MiB before', digits: 0 },
    { key: 'opensPerSecond', label: 'opened/s', digits: 0 }
  ],
  chart: 'kibPerStream',
  async measure (peer) {
    // What a first stream needs, code above all, is not each one's.
    await withLoad(peer, channelLanes(peer, 1), channelStreams(peer, 100, 1), async load => { await openAll(load) })
    const before = memoryOf(peer.pids).pssKiB
    return await withLoad(peer, channelLanes(peer, 1), channelStreams(peer, STREAMS, 1), async load => {
      const seconds = await openAll(load)
      let least = Infinity
      for (let waited = 0; waited < REST_SECONDS; waited++) {
        await load.command('wait 1')
        least = Math.min(least, memoryOf(peer.pids).pssKiB)
      }
      return { figures: { kibPerStream: (least - before) / STREAMS, beforeMib: before / 1024, opensPerSecond: STREAMS / seconds }, faults: [] }
    })
  }
})
