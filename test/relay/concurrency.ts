/** What must hold when many act at once (relay.md, mending 5), through HTTP, once; tests repeat it. */
import { expect } from 'vitest'
import { textsOf, type Reader } from '../support/sse.ts'
import { SYSTEM } from './steps.ts'
import type { World } from './world.ts'

const names = (count: number, name: string) => Array.from({ length: count }, (_, index) => `${name}${index}`)
const tally = (said: string[]) => said.reduce<Record<string, number>>((counts, one) => ({ ...counts, [one]: (counts[one] ?? 0) + 1 }), {})

/** Something that every reader must get, after which all that went before has come. */
async function ring (world: World, channel: string, readers: Reader[]): Promise<void> {
  expect((await world.take({ do: 'send', by: SYSTEM, channel, text: 'bell' })).said).toBe('200')
  await Promise.all(readers.map(reader => reader.until(({ json }) => json.message?.textPayload === 'bell')))
}

async function subscribed (world: World, by: string, what: string): Promise<Reader> {
  const reader = await world.open(by, what)
  await reader.until('caught-up')
  return reader
}

/** 50 users join at once: all are members, and each joining is told once. */
export async function parallelJoins (world: World): Promise<void> {
  const joiners = names(50, 'joiner')
  await world.people('amy', ...joiners)
  await world.take({ do: 'create', by: 'amy', channel: 'room', group: 'public' })
  const amy = await subscribed(world, 'amy', 'room')
  const answers = await Promise.all(joiners.map(by => world.take({ do: 'join', by, channel: 'room' })))
  expect(tally(answers.map(({ said }) => said))).toEqual({ 204: 50 })
  expect(await world.members('room')).toEqual(['amy active admin', ...joiners.map(name => `${name} active`)].sort())
  await ring(world, 'room', [amy])
  amy.close()
  expect(world.gists(amy).slice(0, -1).sort()).toEqual(joiners.map(name => `participation room ${name} new to Active, active`).sort())
}

/** Two create one channel at once: one does, and is the admin; nothing of the other is left. */
export async function parallelCreates (world: World): Promise<void> {
  await world.people('amy', 'bob')
  const everything = await subscribed(world, SYSTEM, 'all')
  const answers = await Promise.all([
    world.take({ do: 'create', by: 'amy', channel: 'room', group: 'private' }),
    world.take({ do: 'create', by: 'bob', channel: 'room', group: 'strict_private' })
  ])
  expect(tally(answers.map(({ said }) => said))).toEqual({ 200: 1, '409 already_exists': 1 })
  const [winner, group] = answers[0]!.status === 200 ? ['amy', 'private'] : ['bob', 'strict_private']
  expect(await world.members('room')).toEqual([`${winner} active admin`])
  expect((await world.take({ do: 'get channel', by: winner, channel: 'room' })).body.groupType).toBe(group)
  await ring(world, 'room', [everything])
  everything.close()
  expect(world.gists(everything)).toEqual(['channel room', 'message room .system bell'])
}

/** 20 members accept one who asked, at once: one of them does, and it is told once. */
export async function parallelAccepts (world: World): Promise<void> {
  const members = names(20, 'member')
  await world.people('amy', 'bob', ...members)
  await world.take({ do: 'create', by: 'amy', channel: 'room', group: 'private', listed: members.map(user => ({ user })) })
  await world.take({ do: 'join', by: 'bob', channel: 'room' })
  const readers = await Promise.all([subscribed(world, 'amy', 'me'), subscribed(world, 'bob', 'me')])
  const answers = await Promise.all(members.map(by => world.take({ do: 'accept', by, user: 'bob', channel: 'room' })))
  expect(tally(answers.map(({ said }) => said))).toEqual({ 204: 1, '409 user_not_pending': 19 })
  await ring(world, 'room', readers)
  for (const reader of readers) {
    reader.close()
    expect(world.gists(reader)).toEqual(['participation room bob Disabled to Active, active', 'message room .system bell'])
  }
}

export interface Race {
  relayed: number
  refused: number
}

/** 200 sends beside one mute, which sets out once `after` of them are answered: each is relayed to all, or refused and relayed to none. */
export async function sendsRacingMute (world: World, after: number): Promise<Race> {
  await world.people('amy', 'bob', 'cleo', 'dan')
  await world.take({ do: 'create', by: SYSTEM, channel: 'room', group: 'strict_private', listed: [{ user: 'amy', admin: true }, { user: 'bob' }, { user: 'cleo', status: 'ReadOnly' }] })
  await world.take({ do: 'join', by: 'dan', channel: 'room' })
  const pending = await subscribed(world, 'dan', 'me')
  const readers = await Promise.all([['amy', 'room'], ['amy', 'me'], ['bob', 'room'], ['bob', 'me'], ['cleo', 'room'], [SYSTEM, 'all']]
    .map(([by, what]) => subscribed(world, by!, what!)))
  let answered = 0
  const due = Promise.withResolvers<void>()
  const sends = names(200, 'text').map(async text => {
    const { said } = await world.take({ do: 'send', by: 'bob', channel: 'room', text })
    if (++answered >= after) due.resolve()
    return { text, said }
  })
  await due.promise
  // A connection of its own: it does not queue behind the sends.
  const mute = await fetch(`${world.on.url}/v1/channels/${world.id('room')}/participants/${world.id('bob')}/mute`, { method: 'POST', headers: world.headers('amy') })
  expect(mute.status).toBe(204)
  const outcomes = await Promise.all(sends)
  expect(Object.keys(tally(outcomes.map(({ said }) => said))).filter(said => said !== '200' && said !== '403 muted')).toEqual([])
  const relayed = outcomes.filter(({ said }) => said === '200').map(({ text }) => text)

  await ring(world, 'room', readers)
  const [first, ...others] = readers.map(reader => world.gists(reader))
  expect(textsOf(readers[0]!).slice(0, -1).sort()).toEqual(relayed.sort())
  expect(first!.slice(relayed.length), 'nothing that was sent comes after the mute').toEqual(['participation room bob Active to ReadOnly, muted', 'message room .system bell'])
  for (const other of others) expect(other).toEqual(first)
  // Dan, who is only pending, has a bell of his own.
  await world.take({ do: 'create', by: SYSTEM, channel: 'for-dan', group: 'private', listed: [{ user: 'dan' }] })
  await pending.until('channel')
  expect(world.gists(pending)).toEqual(['channel for-dan'])
  for (const reader of [pending, ...readers]) reader.close()
  return { relayed: relayed.length, refused: outcomes.length - relayed.length }
}
