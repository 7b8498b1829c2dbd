/** A PATCH of a channel's lists that races 200 sends and 20 joins: each falls on one side, live and replayed. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { SYSTEM } from '../relay/steps.ts'
import { keptConnections, World } from '../relay/world.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { isEntry, type Reader } from '../support/sse.ts'
import { readsAreDelayed } from '../support/stores.ts'
import { changesIn, closed, expectedOf, happened, joiners, lineOf, patchLists, race, type Happened, type Sent } from './races.ts'

let on: TestApp
const agent = keptConnections(24)
beforeAll(async () => { on = await startApp() })
afterAll(async () => { await agent.close(); await on.stop() })

/** Who reads, and how much: amy is admin, bob and cleo are members, mia is muted, dan is a stranger. */
const readers = [{ user: 'amy', always: true }, { user: 'bob' }, { user: 'cleo' }, { user: 'mia' }, ...[0, 7, 13, 19].map(nth => ({ user: joiners[nth]! }))]
const ofUsers = [...readers.map(({ user }) => user), 'dan']

it('each send and each join is on one side of it, whoever asks, live and at every replay', async () => {
  const world = new World(on, agent)
  await world.people('amy', 'bob', 'cleo', 'mia', 'dan', ...joiners)
  await world.take({ do: 'create', by: SYSTEM, channel: 'room', group: 'public', listed: [{ user: 'amy', admin: true }, { user: 'bob' }, { user: 'cleo' }, { user: 'mia', status: 'ReadOnly' }] })
  const everything = await subscribed(world, SYSTEM, 'all')
  const own = await Promise.all(ofUsers.map(async user => await subscribed(world, user, 'me')))
  const [ofAmy, ofBob] = await Promise.all(['amy', 'bob'].map(async user => await subscribed(world, user, 'room'))) as [Reader, Reader]

  const sent = await race(world)
  await world.take({ do: 'create', by: SYSTEM, channel: 'bell', group: 'private', listed: ofUsers.map(user => ({ user })) })
  await Promise.all([everything, ...own].map(async reader => await reader.until(({ json }) => json.channel?.channelId === world.id('bell'))))
  const all = happened(world, everything)
  const entries = all.slice(0, -1)

  compareSides(sent, entries)
  const lines = (of: Happened[]) => of.map(({ gist }) => gist)
  for (const [nth, reader] of readers.entries()) {
    compareLive(lines(happened(world, own[nth]!)), entries, lines([...expectedOf(entries, reader), all.at(-1)!]), reader.user)
  }
  expect(lines(happened(world, own.at(-1)!)), 'a stranger').toEqual([all.at(-1)!.gist])
  await ofAmy.until(({ id }) => id === entries.at(-1)!.cursor)
  expect(lines(happened(world, ofAmy)), 'amy\'s stream of the channel').toEqual(lines(entries))
  compareEnd(world, ofBob, entries)
  for (const reader of [everything, ofAmy, ofBob, ...own]) reader.close()

  // Replays: what was carried, from wherever; and where the lists close again, of what was said nothing.
  await compareReplays(world, all)
  await patchLists(world, closed(world))
  const closedAgain = ['channel-acls-changed room', 'channel-acls-changed room {}', 'channel bell', 'channel-acls-changed room']
  expect(await replayed(world, 'bob', 'me', 'earliest')).toEqual(['channel room', ...closedAgain])
  expect((await world.take({ do: 'stream', by: 'bob', channel: 'room' })).said).toBe('403')
  await patchLists(world, '')
  expect((await replayed(world, 'bob', 'me', all.at(-2)!.cursor)).slice(1)).toEqual(['channel-acls-changed room', 'channel-acls-changed room {}'])
}, 60_000)

async function subscribed (world: World, by: string, what: string): Promise<Reader> {
  const reader = await world.open(by, what)
  await reader.until('caught-up')
  return reader
}

/** A member's send is relayed before the lists close or after they open, or refused: never otherwise than when it was asked. */
function compareSides (sent: Sent[], entries: Happened[]): void {
  const [close, open] = changesIn(entries)
  const places = new Map(entries.map(({ text }, index) => [text, index]))
  for (const { by, text, began, ended, said, missing } of sent) {
    const what = `${text}, asked ${began}, answered ${ended}`
    const place = places.get(text)
    expect(said === '200' ? place !== undefined : place === undefined && said === '403' && missing === 'send_to_channel', `${what}: ${said} ${missing}`).toBe(true)
    if (by === 'amy') { expect(said, what).toBe('200'); continue }
    if (ended === 'before' || began === 'open') expect(said, what).toBe('200')
    if (began === 'closed' && ended === 'closed') expect(said, what).toBe('403')
    if (place !== undefined) expect(place < close || place > open, `${what}, is entry ${place}; closed from ${close} to ${open}`).toBe(true)
  }
  expect(new Set(entries.flatMap(({ joined }) => joined ?? []))).toEqual(new Set(joiners))
}

/** A node that learns late what others wrote reads what may be read by then: before the lists closed, it may have come too late. */
function compareLive (actual: string[], entries: Happened[], expected: string[], user: string): void {
  if (!readsAreDelayed) return expect(actual, `${user}'s stream`).toEqual(expected)
  const early = new Set(entries.slice(0, changesIn(entries)[0]).map(({ gist }) => gist))
  expect(actual, `${user}'s stream`).toEqual(expected.filter(line => !early.has(line) || actual.includes(line)))
}

/** A stream of the channel ends where its reader's right does. */
function compareEnd (world: World, { frames }: Reader, entries: Happened[]): void {
  const [close] = changesIn(entries)
  const last = frames.at(-1)!
  expect(`${last.event} ${last.json.reason}`).toBe('bye removed')
  compareLive(frames.filter(isEntry).map(lineOf(world)), entries, expectedOf(entries, { user: 'bob' }).slice(0, close + 1).map(({ gist }) => gist), 'bob')
}

async function replayed (world: World, by: string, what: string, cursor: string): Promise<string[]> {
  const reader = await world.open(by, what, cursor)
  await reader.until('caught-up')
  reader.close()
  await reader.ended
  return reader.frames.filter(isEntry).map(lineOf(world))
}

/** Everybody from before it all, and from a place of each part of it. */
async function compareReplays (world: World, all: Happened[]): Promise<void> {
  const entries = all.slice(0, -1)
  const [close, open] = changesIn(entries)
  const places = [0, close - 1, close, close + 1, Math.floor((close + open) / 2), open - 1, open, open + 1, entries.length - 1]
  for (const { user, always = false } of readers) {
    const expected = [...expectedOf(entries, { user, always }), all.at(-1)!]
    const whole = await replayed(world, user, 'me', 'earliest')
    expect(whole.filter(line => line !== 'channel room'), `${user} from the beginning`).toEqual(expected.map(({ gist }) => gist))
    const after = (place: number) => expected.filter(({ cursor }) => all.findIndex(entry => entry.cursor === cursor) > place).map(({ gist }) => gist)
    await Promise.all(places.map(async place => {
      expect(await replayed(world, user, 'me', entries[place]!.cursor), `${user} after entry ${place}`).toEqual(after(place))
      if (joiners.includes(user)) return
      const ofRoom = after(place).filter(line => line !== 'channel bell')
      expect(await replayed(world, user, 'room', entries[place]!.cursor), `${user} in the channel after entry ${place}`).toEqual(ofRoom)
    }))
  }
}
