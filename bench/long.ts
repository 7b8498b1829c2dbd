/**
 * What is stored already must not matter: CPU per publish and the time from start to ready, over 1,000,000 channels,
 * 1,000,000 participations and 5,000,000 entries, against 10,000 channels without history. On PostgreSQL, with what that takes,
 * and there the plan of every statement. `node bench/long.ts [--stores sqlite,postgres] [--rounds 5] [--channels 1000000]`.
 */
import { stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { PostgresServer } from '../test/support/postgres.ts'
import { asApplication, spawnService, type ServiceProcess } from '../test/support/process.ts'
import { addTheRest, fill, fillPostgres, memberOf, type Size } from './fill.ts'
import { nodesEnvironment, requestsOf, userOf } from './peers/ours.ts'
import { makeDataDirectory, removeDirectory } from './machine.ts'
import { startPostgres } from './postgres.ts'
import { cpuSecondsOf } from './process.ts'
import { median } from './report.ts'
import { faultsOf, publishFigures, text, upTo, withLoad, type Figures } from './workloads/workload.ts'

const { values } = parseArgs({
  options: {
    stores: { type: 'string', default: 'sqlite,postgres' },
    rounds: { type: 'string', default: '5' },
    channels: { type: 'string', default: '1000000' }
  }
})
const ROUNDS = Number(values.rounds)
const SECONDS = 4
const CONNECTIONS = 64
/** Channels that are published to, each by its one member: as many in both, spread over all. */
const LANES = 10_000

const sizes: Record<string, Size> = {
  small: { users: 10_000, channels: LANES, messagesPerChannel: 0 },
  large: { users: 10_000, channels: Number(values.channels), messagesPerChannel: 4 }
}

interface Side {
  name: string
  size: Size
  /** Where its data is, and the service on it. */
  dataDir: string | undefined
  postgres?: { server: PostgresServer, database: string }
  env: Record<string, string>
  startsMs: number[]
  service?: ServiceProcess
  tokens: string[]
  figures: Figures[]
}

const prepare: Record<string, (side: Side) => Promise<number>> = { sqlite: prepareSqlite, postgres: preparePostgres }

for (const store of values.stores.split(',')) {
  if (prepare[store] === undefined) throw new Error(`There is no store ${store}: sqlite and postgres are there`)
  console.log(`\n## ${store}\n`)
  await measure(prepare[store])
}

async function measure (prepareSide: (side: Side) => Promise<number>): Promise<void> {
  const sides: Side[] = []
  try {
    for (const [name, size] of Object.entries(sizes)) {
      const side: Side = { name, size, dataDir: undefined, env: { LOG_LEVEL: 'warn' }, startsMs: [], tokens: [], figures: [] }
      sides.push(side)
      const began = performance.now()
      const bytes = await prepareSide(side)
      console.log(`${name}: ${size.channels.toLocaleString('en')} channels, ${Math.round(bytes / 2 ** 20).toLocaleString('en')} MiB, filled in ${((performance.now() - began) / 1000).toFixed(0)} s`)
    }
    for (let round = 0; round <= ROUNDS; round++) for (const side of sides) await start(side)
    for (const side of sides) side.tokens = await tokensOf(side)
    for (let round = 0; round <= ROUNDS; round++) {
      for (const side of sides) {
        const figures = await publish(side)
        if (round > 0) side.figures.push(figures) // the first one warms up
      }
    }
    report(sides)
    const { postgres } = sides.at(-1)!
    if (postgres !== undefined) await lookAtPlans(postgres)
  } finally {
    for (const { service, dataDir, postgres } of sides) {
      await service?.stop()
      await postgres?.server.stop()
      if (dataDir !== undefined) removeDirectory(dataDir)
    }
  }
}

async function prepareSqlite (side: Side): Promise<number> {
  side.dataDir = makeDataDirectory()
  await fill(side.dataDir, side.size)
  return (await stat(join(side.dataDir, 'channel-relay.db'))).size
}

/** A quarter of the memory for its cache, as docs/deploy.md has it. */
async function preparePostgres (side: Side): Promise<number> {
  const server = await startPostgres({ shared_buffers: `${Math.floor(totalmem() / 4 / 2 ** 20)}MB` })
  side.postgres = { server, database: await server.createDatabase() }
  const { database } = side.postgres
  side.env = nodesEnvironment(server.url(database))
  await fillPostgres(server, database, side.env, side.size)
  const [row] = await server.query<{ bytes: string }>(`select pg_database_size('${database}') as bytes`)
  return Number(row!.bytes)
}

/** Starts it anew, and notes how long it took until readiness was answered. */
async function start (side: Side): Promise<void> {
  await side.service?.stop()
  const began = performance.now()
  side.service = await spawnService({ ...(side.dataDir === undefined ? {} : { dataDir: side.dataDir }), env: side.env })
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

async function publish ({ service, postgres, size, tokens }: Side): Promise<Figures> {
  const peer = { ...requestsOf([service!], tokens, ''), stop: async () => {} }
  const pids = [...peer.pids, ...(postgres === undefined ? [] : [postgres.server.pid!])]
  const lanes = upTo(LANES).map(lane => {
    const channel = lane * (size.channels / LANES)
    return { publisher: lane % CONNECTIONS, ...peer.publish(channel, memberOf(channel, size), text) }
  })
  return await withLoad(peer, lanes, [], async load => {
    const before = cpuSecondsOf(pids)
    const result = await load.run({ connections: CONNECTIONS, seconds: SECONDS })
    const faults = faultsOf(result)
    if (faults.length > 0) throw new Error(faults.join(', '))
    return publishFigures(result, cpuSecondsOf(pids) - before)
  })
}

function report (sides: Side[]): void {
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

/** Of every statement over the large database. One that does not seek is told, and the exit code is 1. */
async function lookAtPlans ({ server, database }: NonNullable<Side['postgres']>): Promise<void> {
  const { Plans, statements } = await import('../test/support/postgres-plans.ts')
  await addTheRest(server, database)
  const plans = await Plans.open(server.url(database))
  try {
    let wrong = 0
    for (const [name, sql] of Object.entries(statements)) {
      const { faults, lines } = await plans.look(sql)
      if (faults.length === 0) continue
      wrong++
      console.log(`\n${name} ${faults.join('; ')}\n${lines.join('\n')}`)
    }
    const count = Object.keys(statements).length
    console.log(`\nPlans of ${count} statements over the large database: ${wrong === 0 ? 'every one is an index seek' : `${wrong} are none`}`)
    if (wrong > 0) process.exitCode = 1
  } finally {
    await plans.close()
  }
}
