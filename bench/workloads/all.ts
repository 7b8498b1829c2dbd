/** All workloads, and who takes part. */
import { append } from './append.ts'
import { fanOut } from './fan-out.ts'
import { highestRate } from './highest-rate.ts'
import { idle } from './idle.ts'
import { latency } from './latency.ts'
import { acrossNodes, away, threeNodes } from './nodes.ts'
import { publish, publishSigned } from './publish.ts'
import { resumes } from './resume.ts'
import { stalled } from './stalled.ts'
import { largeChannels, realChat } from './user-streams.ts'
import type { Workload } from './workload.ts'

const OURS = ['compact', 'full']
const FLOORS = ['floor', 'floor-full']
const STREAMING = [...OURS, 'nchan', 'centrifugo', 'centrifugo-history', 'mercure', 'mercure-bolt', 'better-sse', 'fastify-sse', ...FLOORS]

/** Those of one layout follow each other, so that a peer is started once for them. */
export const workloads: Workload[] = [
  fanOut(1, 1_000, STREAMING, true),
  fanOut(64, 1_000, STREAMING, true),
  latency([...OURS, 'nchan', 'centrifugo', 'mercure', 'mercure-bolt', 'floor', 'bare-commit']),
  fanOut(1, 10_000, [...OURS, 'nchan', 'floor'], false),
  fanOut(64, 10_000, [...OURS, 'centrifugo', 'floor'], false),
  highestRate(['compact', 'nchan', 'centrifugo', 'mercure', 'floor']),
  publish(['full', 'postgres', 'fastify', 'nchan', 'centrifugo', 'mercure', 'mercure-bolt']),
  publishSigned(['full']),
  acrossNodes(['postgres-pair']),
  away(['postgres-pair']),
  threeNodes(['postgres-far', 'postgres-far-three']),
  append(['store', 'bare-insert']),
  realChat(OURS),
  largeChannels(['compact']),
  resumes(['compact']),
  stalled(['compact']),
  idle(['compact', 'nchan', 'centrifugo', 'mercure', 'better-sse', 'fastify-sse', 'floor'])
]
