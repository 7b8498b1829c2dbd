/** The highest rate into a channel of 1,000 streams at which 99 of 100 deliveries take 100 ms at most. */
import type { RunningPeer } from '../peers/peer.ts'
import { channelLanes, channelStreams, oneChannel } from './fan-out.ts'
import { faultsOf, openAll, withLoad, type Workload } from './workload.ts'

const STREAMS = 1_000
const PUBLISHERS = 64
const LONGEST_MS = 100
/** A second. Doubled until three of them in a row are too much. */
const FIRST_RATE = 50
/** Halvings of what is left between enough and too much: the answer is then known within 6 %. */
const HALVINGS = 4
/** Of each try. */
const SECONDS = 1
/** Of what was to be sent, so much must have been. */
const SENT_SHARE = 0.98

/** Of two tries one is enough: whatever disturbs the machine for a moment is not the peer's. */
const carries = async (peer: RunningPeer, rate: number): Promise<boolean> => await attempt(peer, rate) || await attempt(peer, rate)

/** True: the peer carries it. At times that are set beforehand: a late message counts from when it was to be sent. */
async function attempt (peer: RunningPeer, rate: number): Promise<boolean> {
  return await withLoad(peer, channelLanes(peer, PUBLISHERS), channelStreams(peer, STREAMS, PUBLISHERS), async load => {
    await openAll(load)
    const result = await load.run({ connections: PUBLISHERS, rate, seconds: SECONDS, abort: LONGEST_MS * 5, settle: 1 })
    return !result.aborted && faultsOf(result).length === 0 && result.latency.p99 <= LONGEST_MS && result.published >= rate * SECONDS * SENT_SHARE
  })
}

export const highestRate = (peers: string[]): Workload => ({
  name: 'highest-rate',
  title: `The highest rate into a channel of 1,000 streams with p99 ≤ ${LONGEST_MS} ms`,
  peers,
  rounds: 1,
  quick: false,
  layout: oneChannel,
  figures: [
    { key: 'rate', label: 'messages/s', digits: 0 },
    { key: 'deliveriesPerSecond', label: 'deliveries/s', digits: 0 }
  ],
  chart: 'rate',
  async measure (peer) {
    // What comes together is delivered together, and then costs less: a rate may be carried though half of it was not.
    let [enough, failures] = [0, 0]
    for (let rate = FIRST_RATE; failures < 3; rate *= 2) {
      if (await carries(peer, rate)) [enough, failures] = [rate, 0]
      else failures++
    }
    let tooMuch = Math.max(enough * 2, FIRST_RATE)
    for (let step = 0; step < HALVINGS; step++) {
      const rate = Math.round((enough + tooMuch) / 2)
      if (await carries(peer, rate)) enough = rate
      else tooMuch = rate
    }
    return { figures: { rate: enough, deliveriesPerSecond: enough * STREAMS }, faults: [] }
  }
})
