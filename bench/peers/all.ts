/** All peers, in the order of the tables. */
import { bareCommit } from './bare-commit.ts'
import { centrifugo } from './centrifugo.ts'
import { mercure } from './mercure.ts'
import { nchan } from './nchan.ts'
import { nodeServer } from './node-servers.ts'
import { ours } from './ours.ts'
import type { Peer } from './peer.ts'

export const peers: Peer[] = [
  ours('compact', 'the service, compact frames; synced to disk', '?format=compact'),
  ours('full', 'the service, full frames; synced to disk', ''),
  nchan,
  centrifugo(false),
  centrifugo(true),
  mercure(false),
  mercure(true),
  nodeServer({ name: 'better-sse', about: 'better-sse on bare Node', file: 'better-sse.js', needs: 'better-sse' }),
  nodeServer({ name: 'fastify-sse', about: '@fastify/sse on Fastify', file: 'fastify-sse.js', needs: '@fastify/sse' }),
  nodeServer({ name: 'floor', about: 'bare Node that frames once, frames as long as compact ones', file: 'floor.ts', args: ['170'] }),
  nodeServer({ name: 'floor-full', about: 'the same, frames as long as full ones', file: 'floor.ts', args: ['825'] }),
  nodeServer({ name: 'fastify', about: 'bare Fastify that echoes: the ceiling for publishing', file: 'fastify-echo.js', needs: 'fastify' }),
  bareCommit
]

/** Those of a run that is to take a minute. */
export const QUICK_PEERS = ['compact', 'full', 'nchan', 'centrifugo', 'floor', 'fastify', 'bare-commit']
