/** Rights that end, and texts that are deleted, between the reading of a replay's page and its end (protocol 8, promises 4 and 5). */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, join, leave, send } from '../support/commands.ts'
import { overtaken } from '../support/overtaken.ts'
import { isEntry, openReader, type Reader } from '../support/sse.ts'

let on: TestApp
let ben: Record<string, string>
/** What happens, once, before the next page arrives. */
let meanwhile: (() => Promise<unknown>) | undefined
/** How many pages arrive before that. */
let pagesBefore = 0

beforeAll(async () => {
  on = await startApp({
    wrapStore: store => overtaken(store, () => {
      if (pagesBefore-- > 0) return undefined
      const now = meanwhile
      meanwhile = undefined
      return now?.()
    })
  })
  await on.user('amy')
  ben = await on.user('ben')
})
afterAll(() => on.stop())

let channels = 0
let room: string
beforeEach(async () => {
  room = `room-number-${channels++}`
  await on.store.append(createChannel('amy', room))
  await on.store.append(join('ben', room))
})

const kinds = ['user', 'channel'] as const
const open = (kind: typeof kinds[number], cursor: string): Promise<Reader> =>
  openReader(`${on.url}${kind === 'user' ? '/v1/users/me/events' : `/v1/channels/${room}/events`}`, { ...ben, 'last-event-id': cursor })
const gists = ({ frames }: Reader) => frames.filter(isEntry).map(({ event, json }) => json.message?.textPayload ?? json.relayStatus ?? event)

it.each(kinds)('a text that was deleted before the last page of a %s stream arrived is not in what comes behind that page', async kind => {
  const { cursor } = await on.store.append(send('amy', room, 'history'))
  meanwhile = async () => {
    const { message } = await on.store.append(send('amy', room, 'deleted at once'))
    await on.store.append({ type: 'edit-message', actor: 'amy', channelId: room, messageId: JSON.parse(message).messageId, textPayload: 'and edited' })
    await on.store.append({ type: 'delete-messages', actor: 'amy', channelId: room, messageIds: [JSON.parse(message).messageId] })
    await on.store.append(send('amy', room, 'kept'))
  }
  const reader = await open(kind, cursor)
  await reader.until('caught-up')
  await on.store.append(send('amy', room, 'live'))
  await reader.until(({ json }) => json.message?.textPayload === 'live')
  expect(gists(reader)).toEqual(['message-deleted', 'kept', 'live'])
  reader.close()
})

it('nor is a message of a channel that the reader had left by then', async () => {
  const { cursor } = await on.store.append(send('amy', room, 'history'))
  meanwhile = async () => {
    await on.store.append(send('amy', room, 'not for ben any more'))
    await on.store.append(leave('ben', room))
  }
  const reader = await open('user', cursor)
  await reader.until('caught-up')
  expect(gists(reader)).toEqual(['participation-deleted'])
  reader.close()
})

it('but of one that the reader had left, and come back to, it is', async () => {
  const { cursor } = await on.store.append(send('amy', room, 'history'))
  meanwhile = async () => {
    await on.store.append(send('amy', room, 'before'))
    await on.store.append(leave('ben', room))
    await on.store.append(send('amy', room, 'while away'))
    await on.store.append(join('ben', room))
    await on.store.append(send('amy', room, 'after'))
  }
  const reader = await open('user', cursor)
  await reader.until('caught-up')
  expect(gists(reader)).toEqual(['before', 'participation-deleted', 'active', 'after'])
  reader.close()
})

it.each([
  ['Disabled', 'removed', ['disabled']],
  ['ReadOnly', undefined, ['muted']]
] as const)('a channel stream whose reader becomes %s in the middle of its replay ends with bye %s', async (newStatus, bye, last) => {
  const { cursor } = await on.store.append(send('amy', room, 'first'))
  for (let index = 0; index < 600; index++) await on.store.append(send('amy', room, `history ${index}`))
  pagesBefore = 1
  meanwhile = () => on.store.append({ type: 'change-participant', actor: SYSTEM, channelId: room, userId: 'ben', newStatus })
  const reader = await open('channel', cursor)
  if (bye === undefined) {
    await reader.until('caught-up')
  } else {
    await reader.ended
    expect(reader.frames.at(-1)).toMatchObject({ event: 'bye', json: { reason: bye } })
  }
  expect(gists(reader).slice(-1)).toEqual(last)
  reader.close()
})
