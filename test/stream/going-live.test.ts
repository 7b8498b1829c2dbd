/** From history to live, where a read is always overtaken: what a page says of the log's end is past when it arrives. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createChannel, join, send } from '../support/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { overtaken } from '../support/overtaken.ts'
import { openReader, textsOf, type Reader } from '../support/sse.ts'

const [ROOM, ELSEWHERE] = ['room-of-amy', 'room-of-ben']

let on: TestApp
let amy: Record<string, string>
/** What is sent before a page arrives; nothing where it is undefined. */
let overtaking: (() => Promise<unknown>) | undefined

beforeAll(async () => {
  on = await startApp({ wrapStore: store => overtaken(store, () => overtaking?.()) })
  amy = await on.user('amy')
  await on.user('ben')
  await on.store.append(createChannel('amy', ROOM))
  await on.store.append(createChannel('ben', ELSEWHERE))
  await on.store.append(join('ben', ROOM))
})
afterAll(() => on.stop())

const kinds = ['user', 'channel', 'application'] as const
type Kind = typeof kinds[number]
const paths: Record<Kind, string> = { user: '/v1/users/me/events', channel: `/v1/channels/${ROOM}/events`, application: '/v1/events' }

const open = (kind: Kind, more: Record<string, string> = {}): Promise<Reader> =>
  openReader(on.url + paths[kind], { ...kind === 'application' ? on.application : amy, ...more })

it.each(kinds)('a fresh %s stream becomes live, though others send before any page of it arrives', async kind => {
  overtaking = () => on.store.append(send('ben', ELSEWHERE, 'of no concern'))
  const reader = await open(kind)
  await reader.until('caught-up')
  await on.store.append(send('amy', ROOM, `to ${kind}`))
  await reader.until(({ json }) => json.message?.textPayload === `to ${kind}`)
  reader.close()
})

it.each(kinds)('a %s stream that goes on misses nothing and doubles nothing, though more for it comes before any page arrives', async kind => {
  let sent = 0
  const say = () => on.store.append(send('amy', ROOM, `${kind} ${sent++}`))
  overtaking = undefined
  const { cursor } = await say()
  for (let index = 0; index < 300; index++) await say()
  overtaking = say
  const reader = await open(kind, { 'last-event-id': cursor })
  await reader.until('caught-up')
  overtaking = undefined
  await say()
  const texts = Array.from({ length: sent - 1 }, (_, index) => `${kind} ${index + 1}`)
  await reader.until(({ json }) => json.message?.textPayload === texts.at(-1))
  expect(textsOf(reader).filter(text => text.startsWith(kind))).toEqual(texts)
  reader.close()
})
