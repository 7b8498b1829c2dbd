/** Results as text: one table a workload, a line for each peer, medians of the rounds. */
import type { Machine } from './machine.ts'
import type { Options } from './options.ts'
import type { Target } from './targets.ts'
import type { Measurement, Workload } from './workloads/workload.ts'

export interface PeerResult {
  peer: string
  measurements: Measurement[]
  /** Why it was measured no further. */
  failure?: string
}

export interface Row {
  workload: Workload
  results: PeerResult[]
  missing: Array<{ name: string, why: string }>
  /** What all of it took, starts included. */
  seconds: number
}

export function median (numbers: number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median of a figure; undefined where no round has it. */
export function medianOf ({ measurements }: PeerResult, key: string): number | undefined {
  const values = measurements.map(({ figures }) => figures[key]).filter(value => value !== undefined && Number.isFinite(value))
  return values.length === 0 ? undefined : median(values as number[])
}

export function tableOf ({ workload, results, missing }: Row): string {
  const heads = ['', ...workload.figures.map(({ label }) => label)]
  const rows = results.map(result => [
    result.peer, ...workload.figures.map(({ key, digits }) => shown(medianOf(result, key), digits))
  ])
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map(row => row[column]!.length)))
  const line = (cells: string[]): string => `| ${cells.map((cell, column) => column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)).join(' | ')} |`
  const notes = [
    ...results.flatMap(({ peer, measurements, failure }) => [
      ...new Set([...measurements.flatMap(({ faults }) => faults), ...(failure === undefined ? [] : [failure])])
    ].map(fault => `${peer}: ${fault}`)),
    ...missing.map(({ name, why }) => `${name} is missing: ${why}`)
  ]
  return [
    `\n## ${workload.title} (${workload.name})\n`,
    line(heads),
    `|${widths.map((width, column) => column === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`).join('|')}|`,
    ...rows.map(line),
    ...(notes.length === 0 ? [] : ['', ...notes])
  ].join('\n')
}

const shown = (value: number | undefined, digits: number): string =>
  value === undefined ? '-' : value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })

/** Everything: each round of each peer, medians, targets, and where it was. */
export function jsonOf (rows: Row[], targets: Target[], machine: Machine, { rounds, seconds, quick }: Options): string {
  const workloads = rows.map(({ workload: { name, title, figures }, results, missing, seconds }) => ({
    name,
    title,
    seconds,
    figures,
    missing,
    peers: results.map(result => ({
      name: result.peer,
      medians: Object.fromEntries(figures.map(({ key }) => [key, medianOf(result, key)])),
      rounds: result.measurements,
      ...(result.failure === undefined ? {} : { failure: result.failure })
    }))
  }))
  return `${JSON.stringify({ date: new Date().toISOString(), machine, run: { rounds, seconds, quick }, targets, workloads }, null, 1)}\n`
}
