/** What the service is to reach, as ratios within one run, and by how much it is missed. */
import { medianOf, type Row } from './report.ts'

export interface Target {
  name: string
  /** What is compared, in words. */
  says: string
  /** Undefined: not measured in this run. */
  value: number | undefined
  limit: number
  least: boolean
}

/** The figure of a peer in a workload. */
type Find = (workload: string, peer: string, key: string) => number | undefined

interface Definition {
  name: string
  says: string
  value (find: Find): number | undefined
  atMost?: number
  atLeast?: number
}

function ratio (one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one / other
}

const against = (workload: string, key: string, one: string, other: string) => (find: Find): number | undefined =>
  ratio(find(workload, one, key), find(workload, other, key))

const of = (workload: string, peer: string, key: string) => (find: Find): number | undefined => find(workload, peer, key)

/** The best of the peers that are services, at the rate with p99 ≤ 100 ms. */
function bestRate (find: Find): number | undefined {
  const rates = ['nchan', 'centrifugo', 'mercure'].map(peer => find('highest-rate', peer, 'rate')).filter(rate => rate !== undefined)
  return rates.length === 0 ? undefined : Math.max(...rates)
}

/** A chat message against a publish and its deliveries, each at one and a half times what one costs in row 1. */
const chatShare = (format: string) => (find: Find): number | undefined => {
  const [cost, deliveries] = [find('chat', format, 'cpuPerPublish'), find('chat', format, 'deliveriesPerMessage')]
  const [publish, delivery] = [find('publish', 'full', 'cpuPerPublish'), find('fan-out-1-1000', format, 'cpuPerDelivery')]
  return deliveries === undefined || publish === undefined || delivery === undefined ? undefined : ratio(cost, publish + 1.5 * deliveries * delivery)
}

function commitDistance (find: Find): number | undefined {
  const [ours, commit] = [find('latency', 'compact', 'p50'), find('latency', 'bare-commit', 'p50')]
  return ours === undefined || commit === undefined ? undefined : ours - commit
}

const definitions: Definition[] = [
  ...[1_000, 10_000].flatMap(streams => [
    { name: `fan-out-1-${streams} compact`, says: 'CPU per delivery × Nchan', value: against(`fan-out-1-${streams}`, 'cpuPerDelivery', 'compact', 'nchan'), atMost: 0.9 },
    { name: `fan-out-1-${streams} full`, says: 'CPU per delivery × Nchan', value: against(`fan-out-1-${streams}`, 'cpuPerDelivery', 'full', 'nchan'), atMost: 1.2 }
  ]),
  { name: 'fan-out-64-1000 compact', says: 'deliveries/s × Centrifugo', value: against('fan-out-64-1000', 'deliveriesPerSecond', 'compact', 'centrifugo'), atLeast: 3 },
  { name: 'fan-out-64-1000 full', says: 'deliveries/s × Centrifugo', value: against('fan-out-64-1000', 'deliveriesPerSecond', 'full', 'centrifugo'), atLeast: 1.4 },
  { name: 'fan-out-64-1000 compact', says: 'CPU per delivery × Centrifugo', value: against('fan-out-64-1000', 'cpuPerDelivery', 'compact', 'centrifugo'), atMost: 0.25 },
  { name: 'fan-out-64-1000 full', says: 'CPU per delivery × Centrifugo', value: against('fan-out-64-1000', 'cpuPerDelivery', 'full', 'centrifugo'), atMost: 0.5 },
  { name: 'fan-out-1-1000 compact', says: 'bytes beyond the text', value: of('fan-out-1-1000', 'compact', 'bytesBeyondText'), atMost: 190 },
  { name: 'highest-rate compact', says: '× the best peer', value: find => ratio(find('highest-rate', 'compact', 'rate'), bestRate(find)), atLeast: 2 },
  { name: 'publish', says: 'publishes/s × bare Fastify', value: against('publish', 'publishesPerSecond', 'full', 'fastify'), atLeast: 0.45 },
  { name: 'publish on PostgreSQL', says: 'publishes/s × embedded store', value: against('publish', 'publishesPerSecond', 'postgres', 'full'), atLeast: 0.5 },
  { name: 'append', says: 'rows/s × bare inserts', value: against('append', 'rowsPerSecond', 'store', 'bare-insert'), atLeast: 0.5 },
  { name: 'across', says: 'p50 × same node', value: of('across', 'postgres-pair', 'ratio'), atMost: 3 },
  { name: 'three-nodes', says: 'publishes/s × one node', value: against('three-nodes', 'publishesPerSecond', 'postgres-far-three', 'postgres-far'), atLeast: 1 },
  { name: 'three-nodes', says: 'p99 × one node', value: against('three-nodes', 'publishP99', 'postgres-far-three', 'postgres-far'), atMost: 1.5 },
  { name: 'away', says: 's until caught up', value: of('away', 'postgres-pair', 'catchUpSeconds'), atMost: 5 },
  { name: 'publish', says: 'µs of CPU', value: of('publish', 'full', 'cpuPerPublish'), atMost: 120 },
  {
    name: 'publish-signed',
    says: 'publishes/s × with user tokens',
    value: find => ratio(find('publish-signed', 'full', 'publishesPerSecond'), find('publish', 'full', 'publishesPerSecond')),
    atLeast: 0.8
  },
  { name: 'latency', says: 'ms beyond a bare commit', value: commitDistance, atMost: 0.2 },
  { name: 'chat compact', says: '× publish + 1.5 × deliveries', value: chatShare('compact'), atMost: 1 },
  { name: 'chat full', says: '× publish + 1.5 × deliveries', value: chatShare('full'), atMost: 1 },
  { name: 'user-streams', says: 'deliveries/s × channel streams', value: of('user-streams', 'compact', 'share'), atLeast: 0.6 },
  { name: 'idle', says: 'KiB per stream', value: of('idle', 'compact', 'kibPerStream'), atMost: 12 },
  { name: 'resume', says: 's until all caught up', value: of('resume', 'compact', 'catchUpSeconds'), atMost: 5 },
  { name: 'resume, user streams', says: 's until all caught up', value: of('resume', 'compact', 'userCatchUpSeconds'), atMost: 5 },
  { name: 'resume', says: 'publish p99 ms', value: of('resume', 'compact', 'publishP99'), atMost: 250 },
  { name: 'stalled', says: 'p99 × before', value: of('stalled', 'compact', 'ratio'), atMost: 1.5 },
  { name: 'stalled', says: 'KiB for each', value: of('stalled', 'compact', 'kibPerStalled'), atMost: 1_024 + 64 }
]

export function targetsOf (rows: Row[]): Target[] {
  const find: Find = (workload, peer, key) => {
    const result = rows.find(row => row.workload.name === workload)?.results.find(one => one.peer === peer)
    return result === undefined ? undefined : medianOf(result, key)
  }
  return definitions.map(({ name, says, value, atMost, atLeast }) => ({ name, says, value: value(find), limit: (atMost ?? atLeast)!, least: atLeast !== undefined }))
}

/** As text; only those that were measured. */
export function targetTable (targets: Target[]): string {
  const lines = targets.filter(({ value }) => value !== undefined).map(({ name, says, value, limit, least }) => {
    const reached = least ? value! >= limit : value! <= limit
    return `| ${name.padEnd(24)} | ${says.padEnd(30)} | ${(least ? '≥ ' : '≤ ') + limit.toLocaleString('en')} | ${value!.toLocaleString('en', { maximumFractionDigits: 2 })} | ${reached ? 'reached' : 'missed'} |`
  })
  return lines.length === 0 ? '' : ['\n## Targets\n', '| | | target | measured | |', '|---|---|---:|---:|---|', ...lines].join('\n')
}
