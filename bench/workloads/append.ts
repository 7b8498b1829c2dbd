/** The store on PostgreSQL by itself: messages into the log, against the same rows inserted by a bare client. */
import { oneChannel } from './fan-out.ts'
import type { Workload } from './workload.ts'

export const append = (peers: string[]): Workload => ({
  name: 'append',
  title: 'Rows into the log on PostgreSQL, without HTTP, against inserts in batches of 256',
  peers,
  quick: false,
  layout: oneChannel,
  figures: [{ key: 'rowsPerSecond', label: 'rows/s', digits: 0 }],
  async measure (peer, { seconds }) {
    return { figures: { rowsPerSecond: await peer.rows!(seconds) }, faults: [] }
  }
})
