/** The benchmark (bench/README.md): every workload on every peer that is here, in turn, in rounds. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chartOf } from './chart.ts'
import { thisMachine, type Machine } from './machine.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { peers as allPeers, QUICK_PEERS } from './peers/all.ts'
import { installPackages } from './peers/node-servers.ts'
import { Running } from './running.ts'
import { jsonOf, tableOf, type Row } from './report.ts'
import { targetsOf, targetTable } from './targets.ts'
import { workloads as allWorkloads } from './workloads/all.ts'
import type { Workload } from './workloads/workload.ts'

const options = read()
installPackages()
if (options.list) list()
else await run()

async function run (): Promise<void> {
  const began = performance.now()
  const machine = thisMachine()
  const headline = headlineOf(machine)
  console.log(headline)
  const rows: Row[] = []
  const running = new Running(chosenPeers(), progress)
  try {
    for (const workload of chosenWorkloads()) {
      const row = await running.measure(workload, options)
      rows.push(row)
      console.log(tableOf(row))
    }
  } finally {
    await running.stop()
    progress('')
  }
  const targets = targetsOf(rows)
  console.log(targetTable(targets))
  mkdirSync(options.out, { recursive: true })
  writeFileSync(join(options.out, 'results.json'), jsonOf(rows, targets, machine, options))
  writeFileSync(join(options.out, 'chart.svg'), chartOf(rows, headline))
  console.log(`\n${Math.round((performance.now() - began) / 1000)} s; results.json and chart.svg are in ${options.out}`)
}

function headlineOf ({ processor, cores, memoryGiB, kernel, node, fileSystem, commit }: Machine): string {
  return `${new Date().toISOString().slice(0, 10)}, ${commit}: ${cores} cores (${processor}), ${memoryGiB} GiB, ${kernel}, Node ${node}, data on ${fileSystem}; ` +
    `${options.rounds} ${options.rounds === 1 ? 'round' : 'rounds'} of ${options.seconds} s`
}

function chosenWorkloads (): Workload[] {
  if (options.only === undefined) return allWorkloads.filter(({ quick }) => quick || !options.quick)
  return options.only.map(name => allWorkloads.find(workload => workload.name === name) ?? unknown('workload', name))
}

function chosenPeers (): typeof allPeers {
  const names = options.peers ?? (options.quick ? QUICK_PEERS : allPeers.map(({ name }) => name))
  for (const name of names) if (!allPeers.some(peer => peer.name === name)) unknown('peer', name)
  return allPeers.filter(({ name }) => names.includes(name))
}

function list (): void {
  for (const { name, title } of allWorkloads) console.log(`${name.padEnd(20)} ${title}`)
  console.log()
  for (const { name, about, missing } of allPeers) {
    const why = missing()
    console.log(`${name.padEnd(20)} ${about}${why === undefined ? '' : ` (missing: ${why})`}`)
  }
}

/** One line that is written over, where somebody looks at it. */
function progress (text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

function read (): Options {
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
