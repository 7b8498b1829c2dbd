/** However many replay, one page is read in each turn of the event loop: others' requests are served in between. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Turns } from '../../src/relay/turns.ts'
import type { Store } from '../../src/store/contract/store.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { createChannel, send } from '../support/commands.ts'
import { openReader, textsOf } from '../support/sse.ts'

const ROOM = 'room-of-amy'
const MESSAGES = 600
const REPLAYS = 20

let on: TestApp
/** By turns of the loop: when a page was asked for. */
const readAt: number[] = []
let turn = 0
let watching = true

const watched = (store: Store): Store => new Proxy(store, {
  get (target, name) {
    const member: unknown = Reflect.get(target, name, target)
    if (typeof member !== 'function') return member
    if (name !== 'read') return member.bind(target)
    return (...args: unknown[]) => {
      readAt.push(turn)
      return Reflect.apply(member, target, args) as unknown
    }
  }
})

function count (): void {
  turn++
  if (watching) setImmediate(count)
}

beforeAll(async () => {
  on = await startApp({ wrapStore: watched, alone: true })
  await on.user('amy')
  await on.store.append(createChannel('amy', ROOM))
  const texts = Array.from({ length: MESSAGES }, (_, index) => `message ${index}`)
  await Promise.all(texts.map(text => on.store.append(send('amy', ROOM, text))))
  count()
})
afterAll(async () => {
  watching = false
  await on.stop()
})

it('two pages are never read in the same turn of the loop, however many streams replay, and each gets all', async () => {
  const headers = await on.user('amy')
  const paths = Array.from({ length: REPLAYS }, (_, index) => index % 2 === 0 ? '/v1/users/me/events' : `/v1/channels/${ROOM}/events`)
  const readers = await Promise.all(paths.map(path => openReader(`${on.url}${path}?after=earliest`, headers)))
  await Promise.all(readers.map(reader => reader.until('caught-up')))
  for (const reader of readers) {
    expect(textsOf(reader)).toHaveLength(MESSAGES)
    reader.close()
  }
  expect(readAt.length).toBeGreaterThanOrEqual(REPLAYS * Math.ceil(MESSAGES / 500))
  expect(new Set(readAt).size).toBe(readAt.length)
})

it('turns are given in the order in which they were asked for, each in a turn of the loop of its own', async () => {
  const turns = new Turns()
  const given: string[] = []
  const replay = async (name: string) => {
    for (let page = 1; page <= 3; page++) {
      await turns.next(() => true)
      given.push(`${name}${page}`)
    }
  }
  const all = Promise.all(['a', 'b', 'c'].map(replay))
  for (let before = 0; given.length < 9; before = given.length) {
    await nextTurn()
    expect(given.length - before).toBeLessThanOrEqual(1)
  }
  await all
  expect(given).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'c2', 'a3', 'b3', 'c3'])
})

it('whoever does not want its turn any more leaves it to the next', async () => {
  const turns = new Turns()
  const given: string[] = []
  const ask = async (name: string, wanted: boolean) => { given.push(`${name} ${await turns.next(() => wanted)}`) }
  const all = Promise.all([ask('gone', false), ask('gone too', false), ask('here', true), ask('next', true)])
  await nextTurn()
  expect(given).toEqual(['gone false', 'gone too false', 'here true'])
  await all
  expect(given.at(-1)).toBe('next true')
})
