/** 100 of 1,000 streams are not read any more: what the others notice, and what the process holds for the 100. */
import { textOf } from '../generator.ts'
import { memoryOf } from '../process.ts'
import { channelLanes, channelStreams, oneChannel } from './fan-out.ts'
import { faultsOf, measured, openAll, withLoad, type Workload } from './workload.ts'

const STREAMS = 1_000
const STALLED = 100
const PUBLISHERS = 8
/** Longer texts than elsewhere, so that what the kernel takes for a stream is soon full. */
const CHARACTERS = 8_000
const RATE = 20
const CALM_SECONDS = 5
const STALLED_SECONDS = 15

export const stalled = (peers: string[]): Workload => ({
  name: 'stalled',
  title: `${STALLED} stalled readers among ${STREAMS.toLocaleString('en')}, ${RATE} messages/s of ${CHARACTERS.toLocaleString('en')} characters`,
  peers,
  rounds: 1,
  afresh: true,
  quick: false,
  layout: oneChannel,
  figures: [
    { key: 'calmP99', label: 'p99 ms before', digits: 2 },
    { key: 'stalledP99', label: 'p99 ms with them', digits: 2 },
    { key: 'ratio', label: 'ratio', digits: 2 },
    { key: 'kibPerStalled', label: 'KiB for each of them', digits: 0 },
    { key: 'cut', label: 'of them cut', digits: 0 }
  ],
  chart: 'ratio',
  async measure (peer) {
    const message = textOf(CHARACTERS)
    return await withLoad(peer, channelLanes(peer, PUBLISHERS, message), channelStreams(peer, STREAMS, PUBLISHERS), async load => {
      await openAll(load, { small: STALLED })
      await load.run({ connections: PUBLISHERS, rate: RATE, seconds: 2 })
      const calm = await load.run({ connections: PUBLISHERS, rate: RATE, seconds: CALM_SECONDS })
      const before = memoryOf(peer.pids).pssKiB
      await load.command(`stall ${STALLED}`)
      let most = 0
      const watching = setInterval(() => { most = Math.max(most, memoryOf(peer.pids).pssKiB) }, 500)
      const { result } = await measured(peer, () => load.run({ connections: PUBLISHERS, rate: RATE, seconds: STALLED_SECONDS })).finally(() => clearInterval(watching))
      const faults = [...faultsOf(calm), ...faultsOf({ ...result, ended: Math.max(0, result.ended - STALLED) })]
      return {
        figures: {
          calmP99: calm.latency.p99, stalledP99: result.latency.p99, ratio: result.latency.p99 / calm.latency.p99, kibPerStalled: (most - before) / STALLED, cut: result.ended
        },
        faults
      }
    })
  }
})
