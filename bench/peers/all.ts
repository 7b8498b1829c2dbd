/** All peers, in the order of the tables. */
import { appending } from './append.ts'
import { bareCommit } from './bare-commit.ts'
import { centrifugo } from './centrifugo.ts'
import { mercure } from './mercure.ts'
import { nchan } from './nchan.ts'
import { nodeServer } from './node-servers.ts'
import { ours, oursOnPostgres } from './ours.ts'
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
  bareCommit,
  oursOnPostgres('postgres', 'one node on PostgreSQL; synced to disk'),
  oursOnPostgres('postgres-pair', 'two nodes on one PostgreSQL', { nodes: 2 }),
  oursOnPostgres('postgres-far', 'one node, 1 ms from PostgreSQL', { delayMs: 1 }),
  oursOnPostgres('postgres-far-three', 'three nodes, 1 ms from PostgreSQL', { nodes: 3, delayMs: 1 }),
  appending('store', 'the store on PostgreSQL by itself, without HTTP', 'store'),
  appending('bare-insert', 'a client of PostgreSQL that inserts the same rows', 'bare')
]

/** Those of a run that is to take a minute. */
export const QUICK_PEERS = ['compact', 'full', 'nchan', 'centrifugo', 'floor', 'fastify', 'bare-commit']
