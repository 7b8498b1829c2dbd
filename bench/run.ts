/** The benchmark (bench/README.md): every workload on every peer that is here, in turn, in rounds. */
import { peers as allPeers } from './peers/all.ts'
import type { Peer, RunningPeer } from './peers/peer.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { tableOf, type Row } from './report.ts'
import { workloads as allWorkloads } from './workloads/all.ts'
import type { Measurement, Workload } from './workloads/workload.ts'

const options = read()
if (options.list) {
  for (const { name, title } of allWorkloads) console.log(`${name.padEnd(20)} ${title}`)
  for (const { name, about, missing } of allPeers) console.log(`${name.padEnd(20)} ${about}${missing() === undefined ? '' : ` (missing: ${missing()})`}`)
  process.exit(0)
}

const chosen = options.only === undefined
  ? allWorkloads.filter(({ quick }) => quick || !options.quick)
  : options.only.map(name => allWorkloads.find(workload => workload.name === name) ?? unknown('workload', name))
options.peers?.forEach(name => allPeers.some(peer => peer.name === name) || unknown('peer', name))

for (const workload of chosen) {
  const row = await measureAll(workload)
  console.log(tableOf(row))
}

async function measureAll (workload: Workload): Promise<Row> {
  const row: Row = { workload, results: [], missing: [] }
  const taking = allPeers.filter(({ name }) => workload.peers.includes(name) && (options.peers?.includes(name) ?? true))
  const running: Array<{ peer: Peer, at: RunningPeer, measurements: Measurement[], failure?: string }> = []
  try {
    for (const peer of taking) {
      const why = peer.missing()
      if (why !== undefined) {
        row.missing.push({ name: peer.name, why })
        continue
      }
      progress(`${workload.name}: ${peer.name} starts`)
      running.push({ peer, at: await peer.start(workload.layout), measurements: [] })
    }
    const rounds = workload.rounds ?? options.rounds
    for (let round = 0; round < rounds; round++) {
      for (const one of running) {
        if (one.failure !== undefined) continue
        progress(`${workload.name}: ${one.peer.name}, round ${round + 1} of ${rounds}`)
        try {
          one.measurements.push(await workload.measure(one.at, { seconds: options.seconds, warmUp: round === 0 }))
        } catch (err) {
          one.failure = (err as Error).message
        }
      }
    }
  } finally {
    for (const { at } of running) await at.stop()
    progress('')
  }
  for (const { peer, measurements, failure } of running) {
    row.results.push({ peer: peer.name, measurements, ...(failure === undefined ? {} : { failure }) })
  }
  return row
}

/** One line that is written over, where somebody looks at it. */
function progress (text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function read (): Options & { list: boolean } {
  try {
    return readOptions(process.argv.slice(2))
  } catch (err) {
    console.error(`${(err as Error).message}\n${USAGE}`)
    process.exit(1)
  }
}

function unknown (what: string, name: string): never {
  console.error(`There is no ${what} ${name}: node bench/run.ts --list names all`)
  process.exit(1)
}
