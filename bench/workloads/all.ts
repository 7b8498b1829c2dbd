/** All workloads, and who takes part. */
import { fanOut } from './fan-out.ts'
import { publish, publishSigned } from './publish.ts'
import type { Workload } from './workload.ts'

const OURS = ['compact', 'full']
const FLOORS = ['floor', 'floor-full']
const STREAMING = [...OURS, 'nchan', 'centrifugo', 'centrifugo-history', 'mercure', 'mercure-bolt', 'better-sse', 'fastify-sse', ...FLOORS]

export const workloads: Workload[] = [
  fanOut(1, 1_000, STREAMING, true),
  fanOut(64, 1_000, STREAMING, true),
  fanOut(1, 10_000, [...OURS, 'nchan', 'centrifugo', ...FLOORS], false),
  fanOut(64, 10_000, [...OURS, 'nchan', 'centrifugo', ...FLOORS], false),
  publish(['full', 'fastify', 'nchan', 'centrifugo', 'mercure', 'mercure-bolt']),
  publishSigned(['full'])
]
