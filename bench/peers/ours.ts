/**
 * The service itself, as `npm start` has it: one process, SQLite in a new directory, commits synced to disk; or nodes of it on
 * a PostgreSQL of their own. Users, tokens and channels are made through its API.
 */
import { randomBytes } from 'node:crypto'
import { Pool } from 'undici'
import { basicOf, spawnService, type ServiceProcess } from '../../test/support/process.ts'
import { fill } from '../generator.ts'
import { startDelay } from '../delay.ts'
import { makeDataDirectory, removeDirectory } from '../machine.ts'
import { startPostgres, whyNoPostgres } from '../postgres.ts'
import { headOf, streamOf, type Layout, type Peer, type RunningPeer } from './peer.ts'

/** Requests under way at once while users and channels are made. */
const PARALLEL = 256
const GROUP_CHAT = 'io.mitter.ruleset.chats.GroupChat'

export const channelOf = (channel: number): string => `bench-channel-${channel}`
export const userOf = (user: number): string => `user-${user}`

export function ours (name: string, about: string, format: string): Peer {
  return { name, about, missing: () => undefined, start: layout => start(layout, format) }
}

async function start (layout: Layout, format: string): Promise<RunningPeer> {
  const dataDir = makeDataDirectory()
  const service = await spawnService({ dataDir, env: { LOG_LEVEL: 'warn' } })
  const stop = async (): Promise<void> => {
    await service.stop()
    removeDirectory(dataDir)
  }
  try {
    const tokens = await prepare(service, layout)
    return { ...requestsOf([service], tokens, format), stop }
  } catch (err) {
    await stop()
    throw err
  }
}

export interface OnPostgres {
  /** 1 unless given. */
  nodes?: number
  /** From a node to PostgreSQL, and back: each takes so long, in milliseconds. */
  delayMs?: number
}

export function oursOnPostgres (name: string, about: string, options: OnPostgres = {}): Peer {
  return { name, about, missing: whyNoPostgres, start: layout => startNodes(layout, options) }
}

async function startNodes (layout: Layout, { nodes = 1, delayMs }: OnPostgres): Promise<RunningPeer> {
  await using started = new AsyncDisposableStack()
  const postgres = await startPostgres()
  started.defer(() => postgres.stop())
  let { port } = postgres
  if (delayMs !== undefined) {
    const way = await startDelay(port, delayMs)
    started.defer(() => way.stop())
    port = way.port
  }
  const database = await postgres.createDatabase()
  const env = nodesEnvironment(postgres.url(database, port))
  const services = await Promise.all(Array.from({ length: nodes }, async () => {
    const service = await spawnService({ env })
    started.defer(async () => { await service.stop() })
    return service
  }))
  const tokens = await prepare(services[0]!, layout)
  // PostgreSQL does so by itself, within a minute or two.
  await postgres.query('analyze', database)
  const peer = requestsOf(services, tokens, '')
  const running = started.move()
  return { ...peer, pids: [...peer.pids, postgres.pid!], stop: () => running.disposeAsync() }
}

/** What nodes on one database share. */
export function nodesEnvironment (url: string): Record<string, string> {
  return {
    LOG_LEVEL: 'warn',
    DATABASE_URL: url,
    APPLICATION_ID: 'bench',
    ACCESS_KEY: 'bench-access-key',
    ACCESS_SECRET: randomBytes(32).toString('base64'),
    TOKEN_SECRET: randomBytes(64).toString('hex')
  }
}

export const portOf = ({ url }: Pick<ServiceProcess, 'url'>): number => Number(new URL(url).port)

/** What is sent to a service that has its channels, of one node or more: of each user the token. */
export function requestsOf (services: ServiceProcess[], tokens: string[], format: string): Omit<RunningPeer, 'stop'> {
  const { accessKey, accessSecret } = services[0]!.credentials
  const bearer = (user: number): Record<string, string> => ({ Authorization: `Bearer ${tokens[user]}` })
  const json = { 'Content-Type': 'application/json', 'Idempotency-Key': fill.key }
  const messages = (channel: number): string => `/v1/channels/${channelOf(channel)}/messages`
  return {
    pids: services.map(service => service.process.pid!),
    ports: services.map(portOf),
    ready: 'event: caught-up',
    secret: Buffer.from(accessSecret, 'base64'),
    channelStream: (channel, user) => streamOf(`/v1/channels/${channelOf(channel)}/events${format}`, bearer(user)),
    userStream: user => streamOf(`/v1/users/me/events${format}`, bearer(user)),
    publish (channel, user, text) {
      const body = JSON.stringify({ textPayload: text })
      return { head: headOf(messages(channel), body, { ...bearer(user), ...json }), body }
    },
    publishSigned (channel, text) {
      const body = JSON.stringify({ textPayload: text })
      const signature = {
        Authorization: `Auth ${accessKey}:${fill.digest}`, 'X-Mitter-Application-Access-Key': accessKey, Date: fill.date, Nonce: fill.nonce, 'Content-Md5': fill.md5
      }
      return { head: headOf(messages(channel), body, { ...signature, ...json }), body }
    }
  }
}

/** Makes users, a token for each, and channels. Answers the tokens. */
async function prepare (service: ServiceProcess, { users, channels, membersOf }: Layout): Promise<string[]> {
  const pool = new Pool(service.url, { connections: PARALLEL, pipelining: 1 })
  const authorization = basicOf(service.credentials)
  const send = async (path: string, body?: object): Promise<any> => {
    const answer = await pool.request({
      method: 'POST', path, headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) }, body: body === undefined ? null : JSON.stringify(body)
    })
    if (answer.statusCode !== 200) throw new Error(`${path} answered ${answer.statusCode}: ${await answer.body.text()}`)
    return await answer.body.json()
  }
  try {
    const tokens = await each(users, async user => {
      await send('/v1/users', { userId: userOf(user) })
      const { userToken } = await send(`/v1/users/${userOf(user)}/tokens`)
      return userToken.signedToken as string
    })
    await each(channels, async channel => {
      const participation = membersOf(channel).map(user => ({ participantId: userOf(user) }))
      await send('/v1/channels', { channelId: channelOf(channel), defaultRuleSet: GROUP_CHAT, participation })
    })
    return tokens
  } finally {
    await pool.close()
  }
}

async function each<T> (count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const done: T[] = new Array(count)
  let next = 0
  await Promise.all(Array.from({ length: Math.min(count, PARALLEL) }, async () => {
    while (next < count) {
      const index = next++
      done[index] = await work(index)
    }
  }))
  return done
}
