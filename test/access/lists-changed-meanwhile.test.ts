/** Lists change while a replay is being read, or is on its way: it gets on, and tells what a replay tells that nothing has overtaken. */
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parseLists } from '../../src/rules/access-entries.ts'
import { SYSTEM, type ChangeAcls, type Command } from '../../src/store/contract/commands.ts'
import type { Page } from '../../src/store/contract/log.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, earliest, gists, join, leave, send } from '../support/commands.ts'
import { openReader, textsOf } from '../support/sse.ts'

const ROOM = 'town-square'
let on: TestApp
let bob: Record<string, string>
/** A page waits for this before it arrives. */
let held: Promise<void> | undefined
let arrived: PromiseWithResolvers<void>

beforeEach(async () => {
  held = undefined
  arrived = Promise.withResolvers()
  on = await startApp({ alone: true, wrapStore: holding })
  await on.user('amy')
  bob = await on.user('bob')
  await on.store.append(createChannel('amy', ROOM))
  await on.store.append(join('bob', ROOM))
})
afterEach(() => on.stop())

function holding (store: Store): Store {
  const read: Store['read'] = async (...args) => {
    const page = await store.read(...args)
    if (held !== undefined) arrived.resolve()
    await held
    return page
  }
  return new Proxy(store, {
    get (target, name: keyof Store) {
      if (name === 'read') return read
      const value = target[name]
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    }
  })
}

const change = (of: ChangeAcls['of'], setAcls: string): Command => ({ type: 'change-acls', actor: SYSTEM, of, patch: { patchType: 'Set', setAcls } })
const changeChannel = (lists: string, channelId = ROOM): Command => change({ kind: 'channel', channelId }, lists)
const whisper = (): Command => send('amy', ROOM, 'psst', { messageId: 'message-1', acls: parseLists('+read_message:user(bob)', { kind: 'message', channelId: ROOM })! })

it.each(['/v1/users/me/events', `/v1/channels/${ROOM}/events`])('a replay of %s comes to its end while lists are changed all the time', async path => {
  await Promise.all(Array.from({ length: 1_000 }, (_, nth) => on.store.append(send('amy', ROOM, `text ${nth} ${'x'.repeat(500)}`))))
  const stop = new AbortController()
  const spam = async (user: string) => {
    for (let nth = 0; !stop.signal.aborted; nth++) await on.store.append(changeChannel(nth % 2 === 0 ? `+join_channel:user(${user})` : ''))
  }
  const spammers = ['amy', 'bob'].map(spam)
  const reader = await openReader(`${on.url}${path}?after=earliest`, bob)
  await reader.until('caught-up')
  stop.abort()
  await Promise.all(spammers)
  reader.close()
  expect(textsOf(reader)).toHaveLength(1_000)
})

it('what may be read again since a change between two pages is not lost', async () => {
  await on.store.append(createChannel('amy', 'room-quiet'))
  await on.store.append(join('bob', 'room-quiet'))
  const chat = () => Promise.all(Array.from({ length: 150 }, () => on.store.append(send('amy', ROOM, 'chat'))))
  await chat()
  await on.store.append(send('amy', 'room-quiet', 'to be had'))
  await on.store.append({ type: 'change-participant', actor: SYSTEM, channelId: 'room-quiet', userId: 'bob', newStatus: 'Disabled' })
  await chat()
  const first = await on.store.read({ of: 'user', userId: 'bob' }, await earliest(on.store), 100)
  await on.store.append(changeChannel('+read_from_channel:participant(room-quiet),+read_from_channel:participant(room-quiet:Disabled)', 'room-quiet'))
  const rest = async (ahead: Page['ahead']): Promise<string[]> => {
    const all: string[] = []
    for (let after = first.through; ;) {
      const page = await on.store.read({ of: 'user', userId: 'bob' }, after, 100, ahead)
      all.push(...gists(page.entries))
      if (page.rights !== undefined) return all.filter(gist => gist !== 'message chat')
      after = page.through
      ahead = page.ahead
    }
  }
  expect(await rest(first.ahead)).toContain('message to be had')
  expect(await rest(first.ahead)).toEqual(await rest(undefined))
})

it.each<[string, () => Command]>([
  ['a truncation', () => ({ type: 'truncate-channel', actor: SYSTEM, channelId: ROOM })],
  ['other lists of a whisper', () => change({ kind: 'message', messageId: 'message-1' }, '+read_message:user(amy)')],
  ['other lists of the channel', () => changeChannel('+read_from_channel:admin(town-square)')],
  ['an edit of a whisper', () => ({ type: 'edit-message', actor: 'amy', channelId: ROOM, messageId: 'message-1', textPayload: 'psst!' })]
])('of one who leaves while the page is on its way, %s is told as to one who resumes later', async (_what, command) => {
  await on.store.append(whisper())
  const first = await openReader(`${on.url}/v1/users/me/events?after=earliest`, bob)
  const { id } = await first.until('caught-up')
  first.close()
  await on.store.append(command())

  const gate = Promise.withResolvers<void>()
  held = gate.promise
  const resume = () => openReader(`${on.url}/v1/users/me/events`, { ...bob, 'last-event-id': id! })
  const overtaken = await resume()
  await arrived.promise
  await on.store.append(leave('bob', ROOM))
  held = undefined
  gate.resolve()
  await overtaken.until('caught-up')
  const later = await resume()
  await later.until('caught-up')
  for (const reader of [overtaken, later]) reader.close()
  expect(overtaken.frames.map(({ event }) => event)).toEqual(later.frames.map(({ event }) => event))
})
