/** A service for each recipe, with its three users and the application, their streams, and what these have carried. */
import { afterEach, beforeEach, expect } from 'vitest'
import { frameGist } from '../model/gists.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { call, type Answer } from '../support/process.ts'
import { isEntry, openReader, type Reader } from '../support/sse.ts'
import { callsOf, type RecipeCall } from './recipes.ts'

type Who = 'amy' | 'bob' | 'eve' | 'app'
type Headers = Record<string, string>

let on: TestApp
let headers: Record<Who, Headers>
const readers: Reader[] = []

/** Called once by each file. */
export function useRecipes (): void {
  beforeEach(async () => {
    on = await startApp()
    const [amy, bob, eve] = await Promise.all(['@amy', '@bob', '@eve'].map(async userId => await on.user(userId))) as [Headers, Headers, Headers]
    headers = { amy, bob, eve, app: on.application }
  })
  afterEach(async () => {
    const open = readers.splice(0)
    open.forEach(reader => reader.close())
    await Promise.all(open.map(({ ended }) => ended))
    await on.stop()
  })
}

/** A request is written as `GET /v1/users/me`. */
export async function ask (who: Who | 'nobody', request: string, body?: unknown): Promise<Answer> {
  const [method, path] = request.split(' ') as [string, string]
  return await call(on.url, method, path.replace('$APP', on.credentials.applicationId), who === 'nobody' ? {} : headers[who], body)
}

/** Status, and reason or error code, as `403 user_not_in_group`. */
export async function said (...given: Parameters<typeof ask>): Promise<string> {
  const { status, body } = await ask(...given)
  return [status, ...(status < 400 ? [] : [body.reason ?? body.errorCode])].join(' ')
}

export const send = async (who: Who, channel: string, textPayload: string) => await said(who, `POST /v1/channels/${channel}/messages`, { textPayload })

/** Texts of a channel's messages, newest first, as somebody lists them. */
export const listed = async (who: Who, channel: string): Promise<string[]> =>
  (await ask(who, `GET /v1/channels/${channel}/messages`)).body.map(({ textPayload }: { textPayload: string }) => textPayload)

/** Makes the calls of a recipe; each ends as it says there. Their answers, and the streams that it opens, in order. */
export async function follow (recipe: string): Promise<{ answers: Answer[], streams: Reader[] }> {
  const [answers, streams]: [Answer[], Reader[]] = [[], []]
  for (const one of callsOf(recipe)) {
    if (one.stream) streams.push(await listen(one.who as Who, one.path))
    else answers.push(await made(one))
  }
  return { answers, streams }
}

async function made ({ text, who, method, path, body, refused, answer: shown }: RecipeCall): Promise<Answer> {
  const answer = await ask(who as Who, `${method} ${path}`, body)
  if (refused === undefined) expect(answer.status, text).toBeOneOf([200, 204])
  else expect([answer.status, answer.body.reason ?? answer.body.errorCode], text).toEqual([refused.status, refused.why])
  if (shown !== undefined) expect(answer.body, text).toEqual(shown)
  return answer
}

/** A stream, once it is live: by default all channels of a user. */
export async function listen (who: Who, path = '/v1/users/me/events', lastEventId?: string): Promise<Reader> {
  const reader = await openReader(on.url + path, { ...headers[who], ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) })
  readers.push(reader)
  expect(reader.status).toBe(200)
  await reader.until('caught-up')
  return reader
}

/** The streams of all channels of amy, bob and eve. */
export async function everyone (): Promise<[amy: Reader, bob: Reader, eve: Reader]> {
  return [await listen('amy'), await listen('bob'), await listen('eve')]
}

let bells = 0

/** What streams of users have carried until now, a line each: whatever was made for them comes before what is made last. */
export async function carried (...open: Reader[]): Promise<string[][]> {
  const channelId = `last-bell-${++bells}`
  const participation = ['@amy', '@bob', '@eve'].map(participantId => ({ participantId }))
  expect(await said('app', 'POST /v1/channels', { channelId, defaultRuleSet: 'io.mitter.ruleset.chats.GroupChat', participation })).toBe('200')
  await Promise.all(open.map(reader => reader.until(({ json }) => json.channel?.channelId === channelId)))
  return open.map(linesOf)
}

export const linesOf = ({ frames }: Reader): string[] =>
  frames.filter(isEntry).map(frame => frameGist(frame, id => id)).filter(line => !line.includes('last-bell-'))

/** What a stream of all channels carries that was cut right after it began, and resumed. */
export async function resumed (who: Who, { frames }: Reader): Promise<string[]> {
  return linesOf(await listen(who, '/v1/users/me/events', frames[0]!.id))
}
