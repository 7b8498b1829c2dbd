/** What the scenarios share: one service for a file, people and channels of its own for each test, streams that end with it. */
import type { Agent } from 'undici'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { startApp, type TestApp } from '../support/app.ts'
import type { Frame, Reader } from '../support/sse.ts'
import { SYSTEM, type GroupType, type Listed, type ParticipationStatus } from './steps.ts'
import { errorCodes } from './tables.ts'
import { keptConnections, World, type Answer } from './world.ts'

let on: TestApp
let world: World
let agent: Agent
const readers: Reader[] = []

/** Called once by each file. Everybody of a test is amy, bob, cleo or dan, or is made by it. */
export function useStage (): void {
  beforeAll(async () => {
    agent = keptConnections()
    on = await startApp()
  })
  afterAll(async () => { await agent.close(); await on.stop() })
  beforeEach(async () => {
    world = new World(on, agent)
    await world.people('amy', 'bob', 'cleo', 'dan')
  })
  afterEach(async () => {
    const open = readers.splice(0)
    open.forEach(reader => reader.close())
    await Promise.all(open.map(({ ended }) => ended))
  })
}

export const theApp = (): TestApp => on
export const theWorld = (): World => world

/** Status and reason, once the error's code was seen to be that of the reason. */
function said (answer: Answer): string {
  const code = errorCodes[answer.said]
  if (code !== undefined) expect(answer.body).toMatchObject({ errorCode: code, error_code: code })
  return answer.said
}

export const create = async (by: string, group: GroupType, listed: Listed[] = [], channel = 'room') => said(await world.take({ do: 'create', by, channel, group, listed }))
export const join = async (by: string, channel = 'room') => said(await world.take({ do: 'join', by, channel }))
export const leave = async (by: string, channel = 'room') => said(await world.take({ do: 'leave', by, channel }))
export const remove = async (user: string, channel = 'room', by = SYSTEM) => said(await world.take({ do: 'remove', by, user, channel }))
export const setStatus = async (user: string, status: ParticipationStatus, by = SYSTEM) => said(await world.take({ do: 'set status', by, user, channel: 'room', status }))
export const setRoles = async (by: string, user: string, admin: boolean) => said(await world.take({ do: 'set roles', by, user, channel: 'room', admin }))
export const say = async (by: string, text: string, channel = 'room') => said(await world.take({ do: 'send', by, channel, text }))
export const destroy = async (by = SYSTEM, channel = 'room') => said(await world.take({ do: 'delete', by, channel }))

export type Moderation = 'accept' | 'reject' | 'mute' | 'unmute'
export const moderate = async (what: Moderation, by: string, user: string, channel = 'room') => said(await world.take({ do: what, by, user, channel }))

export const members = async (channel = 'room') => await world.members(channel)

/** A stream of `room`, of another channel, or of all of one's own (`me`), once it is live. */
export async function subscribe (by: string, what = 'room'): Promise<Reader> {
  const reader = await world.open(by, what)
  readers.push(reader)
  expect(reader.status).toBe(200)
  await reader.until('caught-up')
  return reader
}

export const gists = (reader: Reader): string[] => world.gists(reader)
export const saying = (text: string) => ({ json }: Frame): boolean => json.message?.textPayload === text

/** What streams have carried when something came through each of them that was sent last. That something is left out. */
export async function carried (...open: Reader[]): Promise<string[][]> {
  const { status, body } = await world.take({ do: 'send', by: SYSTEM, channel: 'room', text: 'bell' })
  expect(status).toBe(200)
  await Promise.all(open.map(reader => reader.until(({ id }) => id === body.relay.cursor)))
  return open.map(reader => gists(reader).filter(gist => gist !== 'message room .system bell'))
}

/** What the stream of all of one's channels has carried, where there may be none that it receives: a new one comes last. */
export async function carriedByOwn (user: string, reader: Reader): Promise<string[]> {
  expect(await create(SYSTEM, 'private', [{ user }], 'bell')).toBe('200')
  await reader.until(frame => frame.event === 'channel' && world.gist(frame) === 'channel bell')
  return gists(reader).slice(0, -1)
}

/** The last frame of a stream that the server ended. */
export async function goodbye (reader: Reader): Promise<string> {
  await reader.ended
  const last = reader.frames.at(-1)!
  return `${last.event} ${last.json.reason}`
}
