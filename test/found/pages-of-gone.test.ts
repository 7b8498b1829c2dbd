/** Link leads on from where a page ended, also where its last entity has gone meanwhile (protocol 1, rule 8). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { SYSTEM } from '../../src/store/contract/commands.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, createUser, send } from '../support/commands.ts'
import { call } from '../support/process.ts'

let on: TestApp
beforeAll(async () => { on = await startApp() })
afterAll(() => on.stop())

/** A page's items and what its Link says. */
async function pageOf (path: string): Promise<{ items: any[], next: string }> {
  const { status, body, headers } = await call(on.url, 'GET', path, on.application)
  expect([status, path]).toEqual([200, path])
  return { items: body, next: /<([^>]*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? '' }
}

interface List {
  path: string
  idOf: (item: any) => string
  /** Makes what is listed, in the order of the list. */
  make: () => Promise<string[]>
  remove: (id: string) => Promise<unknown>
}

const ROOM = 'room-of-many'
const members = ['user-1', 'user-2', 'user-3', 'user-4', 'user-5']
const messages = ['message-1', 'message-2', 'message-3', 'message-4', 'message-5']
const tokens = ['token-1', 'token-2', 'token-3', 'token-4', 'token-5']
const all = async (commands: Array<Parameters<typeof on.store.append>[0]>) => { for (const command of commands) await on.store.append(command) }
const sent = (channelId: string, prefix: string) => async () => {
  const ids = messages.map(id => `${prefix}-${id}`)
  await all([createChannel(SYSTEM, channelId), ...ids.map(messageId => send(SYSTEM, channelId, 'a', { messageId }))])
  return ids
}
const idOfMessage = ({ messageId }: any) => messageId
const deleteMessage = (channelId: string) => (messageId: string) => on.store.append({ type: 'delete-messages', actor: SYSTEM, channelId, messageIds: [messageId] })
const joined = (channelId: string, prefix: string) => async () => {
  const ids = members.map(id => `${prefix}-${id}`)
  await all([...ids.map(createUser), createChannel(SYSTEM, channelId)])
  await all(ids.map(userId => ({ type: 'add-participant', actor: SYSTEM, channelId, userId, status: 'active' })))
  return ids
}
const idOfParticipant = ({ participantId }: any) => participantId.identifier

const lists: Record<string, List> = {
  'messages, newest first': {
    path: `/v1/channels/${ROOM}/messages?`, idOf: idOfMessage, make: async () => (await sent(ROOM, 'a')()).toReversed(), remove: deleteMessage(ROOM)
  },
  'messages, oldest first': {
    path: '/v1/channels/room-of-others/messages?after=b-message-1&', idOf: idOfMessage, make: async () => (await sent('room-of-others', 'b')()).slice(1), remove: deleteMessage('room-of-others')
  },
  'participants who leave': {
    path: '/v1/channels/room-to-leave/participants?',
    idOf: idOfParticipant,
    make: joined('room-to-leave', 'c'),
    remove: userId => on.store.append({ type: 'remove-participant', actor: SYSTEM, channelId: 'room-to-leave', userId })
  },
  'participants who are deleted': {
    path: '/v1/channels/room-of-mortals/participants?', idOf: idOfParticipant, make: joined('room-of-mortals', 'd'), remove: userId => on.store.append({ type: 'delete-user', actor: SYSTEM, userId })
  },
  tokens: {
    path: '/v1/users/e-user-1/tokens?',
    idOf: ({ tokenId }) => tokenId,
    make: async () => {
      await on.store.append(createUser('e-user-1'))
      await all(tokens.map(tokenId => ({ type: 'issue-token', actor: SYSTEM, userId: 'e-user-1', tokenId })))
      return tokens
    },
    remove: tokenId => on.store.append({ type: 'revoke-tokens', actor: SYSTEM, userId: 'e-user-1', tokenIds: [tokenId] })
  },
  users: {
    path: '/v1/users?',
    idOf: ({ userId }) => userId,
    make: async () => {
      const ids = members.map(id => `f-${id}`)
      await all(ids.map(createUser))
      return ids.toReversed()
    },
    remove: userId => on.store.append({ type: 'delete-user', actor: SYSTEM, userId })
  }
}

describe.each(Object.keys(lists))('%s', name => {
  it('go on from where one stood that is gone', async () => {
    const { path, idOf, make, remove } = lists[name]!
    const ids = await make()
    const { items, next } = await pageOf(`${path}limit=2`)
    expect(items.map(idOf)).toEqual(ids.slice(0, 2))
    await remove(ids[1]!)
    expect((await pageOf(next)).items.map(idOf)).toEqual(ids.slice(2, 4))
  })
})

it('messages go on from where one stood before all were deleted', async () => {
  const ids = await sent('room-to-empty', 'g')()
  const { next } = await pageOf('/v1/channels/room-to-empty/messages?after=g-message-1&limit=2')
  await on.store.append({ type: 'truncate-channel', actor: SYSTEM, channelId: 'room-to-empty' })
  await on.store.append(send(SYSTEM, 'room-to-empty', 'a', { messageId: 'message-of-later' }))
  expect((await pageOf(next)).items.map(idOfMessage)).toEqual(['message-of-later'])
  expect((await pageOf(`/v1/channels/room-to-empty/messages?before=${ids[1]}`)).items).toEqual([])
})

describe('a place that is named by hand', () => {
  it.each(['.1', '.1.', '.a.b', '..', '.1.2.3', `.1.${'9'.repeat(30)}`])('is none: %s', async place => {
    for (const list of [`/v1/channels/${ROOM}/participants`, `/v1/channels/${ROOM}/timeline`]) {
      expect((await call(on.url, 'GET', `${list}?after=${place}`, on.application)).body.errorCode).toBe('entity_not_found')
    }
  })

  it('is of one channel: another\'s leads nowhere else', async () => {
    const { next } = await pageOf('/v1/channels/room-of-mortals/participants?limit=1')
    const place = new URL(next, on.url).searchParams.get('after')!
    const { items } = await pageOf(`/v1/channels/${ROOM}/participants?after=${place}`)
    expect(items).toEqual([])
  })
})
