/** Peers that run, and workloads measured on them: in rounds, in each of which every peer has its turn. */
import type { Options } from './options.ts'
import type { Layout, Peer, RunningPeer } from './peers/peer.ts'
import type { Row } from './report.ts'
import type { Measurement, Workload } from './workloads/workload.ts'

interface Turn {
  peer: Peer
  at: RunningPeer
  measurements: Measurement[]
  failure?: string
}

export class Running {
  readonly #peers: Peer[]
  readonly #progress: (text: string) => void
  /** They go on from one workload to the next one that has the same users and channels. */
  readonly #started = new Map<Peer, RunningPeer>()
  #layout: Layout | undefined

  constructor (peers: Peer[], progress: (text: string) => void) {
    this.#peers = peers
    this.#progress = progress
  }

  async measure (workload: Workload, { rounds, seconds }: Pick<Options, 'rounds' | 'seconds'>): Promise<Row> {
    const began = performance.now()
    const row: Row = { workload, results: [], missing: [], seconds: 0 }
    if (workload.layout !== this.#layout || workload.afresh === true) await this.stop()
    this.#layout = workload.layout
    const turns: Turn[] = []
    for (const peer of this.#peers.filter(({ name }) => workload.peers.includes(name))) {
      const why = peer.missing()
      if (why !== undefined) row.missing.push({ name: peer.name, why })
      else turns.push({ peer, at: await this.#start(peer, workload), measurements: [] })
    }
    const most = Math.min(workload.rounds ?? rounds, rounds)
    for (let round = 0; round < most; round++) {
      for (const turn of turns) {
        if (turn.failure !== undefined) continue
        this.#progress(`${workload.name}: ${turn.peer.name}, round ${round + 1} of ${most}`)
        try {
          turn.measurements.push(await workload.measure(turn.at, { seconds, warmUp: round === 0 }))
        } catch (err) {
          turn.failure = (err as Error).message
        }
      }
    }
    if (workload.afresh === true) await this.stop()
    row.results = turns.map(({ peer, measurements, failure }) => ({ peer: peer.name, measurements, ...(failure === undefined ? {} : { failure }) }))
    row.seconds = Math.round(performance.now() - began) / 1000
    return row
  }

  async #start (peer: Peer, { name, layout }: Workload): Promise<RunningPeer> {
    const started = this.#started.get(peer)
    if (started !== undefined) return started
    this.#progress(`${name}: ${peer.name} starts`)
    const at = await peer.start(layout)
    this.#started.set(peer, at)
    return at
  }

  async stop (): Promise<void> {
    for (const at of this.#started.values()) await at.stop()
    this.#started.clear()
  }
}
