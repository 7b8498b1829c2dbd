/** A workload: what is done to a peer, and which figures come of it. */
import { Generator, textOf, type LaneRequest, type RunResult, type StreamRequest } from '../generator.ts'
import type { Layout, RunningPeer } from '../peers/peer.ts'
import { cpuSecondsOf } from '../process.ts'

/** Figures by name. What is absent is not known for a peer. */
export type Figures = Record<string, number>

export interface Measurement {
  figures: Figures
  /** What went wrong, in words; empty: all was delivered once, in order. */
  faults: string[]
}

export interface Figure {
  key: string
  /** With its unit. */
  label: string
  digits: number
}

export interface Workload {
  name: string
  /** As a heading. */
  title: string
  /** Names, in the order of the table. */
  peers: string[]
  /** At most so many. */
  rounds?: number
  /** On processes that nothing else was measured on. */
  afresh?: boolean
  /** In `--quick` too. */
  quick: boolean
  layout: Layout
  figures: Figure[]
  /** The figure that the chart shows. */
  chart?: string
  measure (peer: RunningPeer, round: Round): Promise<Measurement>
}

export interface Round {
  /** Of one measurement, in seconds. */
  seconds: number
  /** True: nothing is kept of it, it only warms up. */
  warmUp: boolean
}

export const TEXT_CHARACTERS = 100
export const text = textOf(TEXT_CHARACTERS)

/** Runs the work with a generator that has the peer as its target. */
export async function withLoad<T> (peer: RunningPeer, lanes: LaneRequest[], streams: StreamRequest[], work: (load: Generator) => Promise<T>): Promise<T> {
  const load = await Generator.start(peer.ports, peer.ready, peer.secret)
  try {
    await load.lanes(lanes)
    await load.streams(streams)
    return await work(load)
  } finally {
    await load.stop()
  }
}

/** Opens all streams. Throws where one of them is refused or does not begin: nothing measured then would be comparable. */
export async function openAll (load: Generator, options: { parallel?: number, small?: number } = {}): Promise<number> {
  const opened = await load.open(options)
  if (opened.live < opened.streams) throw new Error(`Only ${opened.live} of ${opened.streams} streams began: ${opened.reason}`)
  return opened.seconds
}

/** A run, and the CPU that the peer took meanwhile, in seconds. */
export async function measured (peer: RunningPeer, run: () => Promise<RunResult>): Promise<{ result: RunResult, cpu: number }> {
  const before = cpuSecondsOf(peer.pids)
  const result = await run()
  return { result, cpu: cpuSecondsOf(peer.pids) - before }
}

/** What the generator's checks found. */
export function faultsOf (result: RunResult): string[] {
  const faults: string[] = []
  const say = (count: number, what: string): void => { if (count > 0) faults.push(`${count} ${what}`) }
  say(result.lost, 'lost')
  say(result.doubles, 'doubled')
  say(result.swapped, 'out of order')
  say(result.foreign, 'on a stream that they were not for')
  say(result.ended, `streams ended (${result.reason})`)
  say(result.refused, `streams refused (${result.reason})`)
  say(result.failed, `publishes refused (${result.publishReason})`)
  say(result.broken, `publishes broken off (${result.publishReason})`)
  return faults
}

const MICRO = 1e6

/** The figures of a run in which every message went to streams. */
export function deliveryFigures (result: RunResult, cpu: number, textCharacters = TEXT_CHARACTERS): Figures {
  const { deliveries, seconds, bytes, published, publishSeconds } = result
  return {
    deliveriesPerSecond: deliveries / seconds,
    cpuPerDelivery: cpu / deliveries * MICRO,
    cpuPerPublish: cpu / published * MICRO,
    publishesPerSecond: published / publishSeconds,
    bytesBeyondText: bytes / deliveries - textCharacters,
    p50: result.latency.p50,
    p99: result.latency.p99,
    publishP99: result.publishLatency.p99,
    generatorCpuPerDelivery: result.cpuSeconds / deliveries * MICRO
  }
}

/** The figures of a run without streams. */
export function publishFigures (result: RunResult, cpu: number): Figures {
  const { published, publishSeconds } = result
  return {
    publishesPerSecond: published / publishSeconds,
    cpuPerPublish: cpu / published * MICRO,
    publishP50: result.publishLatency.p50,
    publishP99: result.publishLatency.p99,
    generatorCpuPerPublish: result.cpuSeconds / published * MICRO
  }
}

/** Numbers from 0 on. */
export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)
