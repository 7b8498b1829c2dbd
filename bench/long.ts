/**
 * What is stored already must not matter: CPU per publish and the time from start to ready, over 1,000,000 channels,
 * 1,000,000 participations and 5,000,000 entries, against 10,000 channels without history. `node bench/long.ts [rounds]`.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { asApplication, spawnService, type ServiceProcess } from '../test/support/process.ts'
import { fill, memberOf, type Size } from './fill.ts'
import { requestsOf, userOf } from './peers/ours.ts'
import { makeDataDirectory, removeDirectory } from './machine.ts'
import { cpuSecondsOf } from './process.ts'
import { median } from './report.ts'
import { faultsOf, publishFigures, text, upTo, withLoad, type Figures } from './workloads/workload.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const SECONDS = 4
const CONNECTIONS = 64
/** Channels that are published to, each by its one member: as many in both, spread over all. */
const LANES = 10_000

const sizes: Record<string, Size> = {
  small: { users: 10_000, channels: 10_000, messagesPerChannel: 0 },
  large: { users: 10_000, channels: 1_000_000, messagesPerChannel: 4 }
}

interface Side {
  name: string
  size: Size
  dataDir: string
  startsMs: number[]
  service?: ServiceProcess
  tokens: string[]
  figures: Figures[]
}

const sides: Side[] = []
try {
  for (const [name, size] of Object.entries(sizes)) sides.push(await prepare(name, size))
  for (let round = 0; round <= ROUNDS; round++) for (const side of sides) await start(side)
  for (const side of sides) side.tokens = await tokensOf(side)
  for (let round = 0; round <= ROUNDS; round++) {
    for (const side of sides) {
      const figures = await publish(side)
      if (round > 0) side.figures.push(figures) // the first one warms up
    }
  }
  report()
} finally {
  for (const { service, dataDir } of sides) {
    await service?.stop()
    removeDirectory(dataDir)
  }
}

async function prepare (name: string, size: Size): Promise<Side> {
  const began = performance.now()
  const dataDir = makeDataDirectory()
  await fill(dataDir, size)
  const bytes = (await stat(join(dataDir, 'channel-relay.db'))).size
  console.log(`${name}: ${size.channels.toLocaleString('en')} channels, ${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB, filled in ${((performance.now() - began) / 1000).toFixed(0)} s`)
  return { name, size, dataDir, startsMs: [], tokens: [], figures: [] }
}

/** Starts it anew, and notes how long it took until readiness was answered. */
async function start (side: Side): Promise<void> {
  await side.service?.stop()
  const began = performance.now()
  side.service = await spawnService({ dataDir: side.dataDir, env: { LOG_LEVEL: 'warn' } })
  const { status } = await asApplication(side.service, 'GET', '/health/ready')
  if (status !== 200) throw new Error(`It is not ready: ${status}`)
  side.startsMs.push(performance.now() - began)
}

/** Of every member of a channel that is published to, by its number. */
async function tokensOf ({ service }: Side): Promise<string[]> {
  const tokens: string[] = []
  for (let first = 0; first < LANES; first += 100) {
    tokens.push(...await Promise.all(upTo(100).map(async index => {
      const { status, body } = await asApplication(service!, 'POST', `/v1/users/${userOf(first + index)}/tokens`)
      if (status !== 200) throw new Error(`no token: ${JSON.stringify(body)}`)
      return body.userToken.signedToken as string
    })))
  }
  return tokens
}

async function publish ({ service, size, tokens }: Side): Promise<Figures> {
  const peer = { ...requestsOf([service!], tokens, ''), stop: async () => {} }
  const lanes = upTo(LANES).map(lane => {
    const channel = lane * (size.channels / LANES)
    return { publisher: lane % CONNECTIONS, ...peer.publish(channel, memberOf(channel, size), text) }
  })
  return await withLoad(peer, lanes, [], async load => {
    const before = cpuSecondsOf(peer.pids)
    const result = await load.run({ connections: CONNECTIONS, seconds: SECONDS })
    const faults = faultsOf(result)
    if (faults.length > 0) throw new Error(faults.join(', '))
    return publishFigures(result, cpuSecondsOf(peer.pids) - before)
  })
}

function report (): void {
  const of = (side: Side, key: string): number => median(side.figures.map(figures => figures[key]!))
  const [small, large] = sides as [Side, Side]
  const starts = [small, large].map(({ startsMs }) => median(startsMs.slice(1)))
  const cpus = [small, large].map(side => of(side, 'cpuPerPublish'))
  const rates = [small, large].map(side => of(side, 'publishesPerSecond'))
  console.log(`\n|                       |  small |  large | ratio | target |
|-----------------------|-------:|-------:|------:|-------:|
${line('µs of CPU per publish', cpus, '≤ 1.3')}
${line('publishes/s', rates, '')}
${line('start to ready, ms', starts, '≤ 1.5')}`)
}

function line (name: string, [small, large]: number[], target: string): string {
  const shown = (value: number): string => value.toFixed(0).padStart(6)
  return `| ${name.padEnd(21)} | ${shown(small!)} | ${shown(large!)} | ${(large! / small!).toFixed(2).padStart(5)} | ${target.padStart(6)} |`
}
