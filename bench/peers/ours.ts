/**
 * The service itself, as `npm start` has it: one process, SQLite in a new directory, commits synced to disk.
 * Users, tokens and channels are made through its API.
 */
import { Pool } from 'undici'
import { basicOf, spawnService, type ServiceProcess } from '../../test/support/process.ts'
import { fill } from '../generator.ts'
import { makeDataDirectory, removeDirectory } from '../machine.ts'
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
    return { ...requestsOf(service, tokens, format), stop }
  } catch (err) {
    await stop()
    throw err
  }
}

export const portOf = ({ url }: Pick<ServiceProcess, 'url'>): number => Number(new URL(url).port)

/** What is sent to a service that has its channels: of each user the token. */
export function requestsOf (service: ServiceProcess, tokens: string[], format: string): Omit<RunningPeer, 'stop'> {
  const { credentials: { accessKey, accessSecret }, process: { pid } } = service
  const bearer = (user: number): Record<string, string> => ({ Authorization: `Bearer ${tokens[user]}` })
  const json = { 'Content-Type': 'application/json', 'Idempotency-Key': fill.key }
  const messages = (channel: number): string => `/v1/channels/${channelOf(channel)}/messages`
  return {
    pids: [pid!],
    ports: [portOf(service)],
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
