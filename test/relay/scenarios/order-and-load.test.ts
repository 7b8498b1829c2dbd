/** relay.md, scenarios: order and load. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { expect, it } from 'vitest'
import { basicOf, spawnService } from '../../support/process.ts'
import { isEntry, textsOf } from '../../support/sse.ts'
import { create, gists, saying, say, subscribe, theWorld, useStage } from '../stage.ts'
import { SYSTEM } from '../steps.ts'
import { keptConnections, World } from '../world.ts'

useStage()

it('100 messages of one sender come in the same order on every stream, with ids that rise', async () => {
  await create('amy', 'public', [{ user: 'bob' }, { user: 'cleo' }])
  const readers = await Promise.all([subscribe('amy'), subscribe('bob'), subscribe('cleo', 'me'), subscribe(SYSTEM, 'all')])
  const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`)
  const cursors: string[] = []
  for (const text of texts) cursors.push((await theWorld().take({ do: 'send', by: 'amy', channel: 'room', text })).body.relay.cursor)
  for (const reader of readers) {
    await reader.until(saying('text 99'))
    expect(gists(reader)).toEqual(texts.map(text => `message room amy ${text}`))
    expect(reader.frames.filter(frame => isEntry(frame) && theWorld().owns(frame)).map(({ id }) => id)).toEqual(cursors)
  }
  // Cursors are opaque: that they rise shows where a reader goes on from each of them.
  for (const at of [0, 49, 98]) {
    const later = await theWorld().open('bob', 'room', cursors[at])
    await later.until('caught-up')
    expect(textsOf(later)).toEqual(texts.slice(at + 1))
    later.close()
  }
})

it('100 messages that are sent at once come in one order on every stream', async () => {
  await create('amy', 'public', [{ user: 'bob' }])
  const readers = await Promise.all([subscribe('amy'), subscribe('bob'), subscribe('bob', 'me')])
  await Promise.all(Array.from({ length: 100 }, (_, index) => say(index % 2 === 0 ? 'amy' : 'bob', `text ${index}`)))
  await say('amy', 'last')
  await Promise.all(readers.map(reader => reader.until(saying('last'))))
  const [first, ...others] = readers.map(textsOf)
  expect(new Set(first).size).toBe(101)
  for (const other of others) expect(other).toEqual(first)
})

it('200 subscribers all receive each message once; one that stalls delays none', async () => {
  const names = Array.from({ length: 200 }, (_, index) => `reader${index}`)
  await theWorld().people(...names)
  await create(SYSTEM, 'public', names.map(user => ({ user })))
  const readers = await Promise.all(names.map(name => subscribe(name)))
  const stalled = readers[0]!
  stalled.pause()
  const texts = Array.from({ length: 10 }, (_, index) => `${index} ${'x'.repeat(8 * 1024)}`)
  for (const text of texts) {
    expect((await theWorld().take({ do: 'send', by: SYSTEM, channel: 'room', text })).body.relay.recipientsCount).toBe(200)
  }
  await Promise.all(readers.slice(1).map(reader => reader.until(saying(texts[9]!))))
  expect(textsOf(stalled)).toEqual([])
  stalled.resume()
  await stalled.until(saying(texts[9]!))
  for (const reader of readers) expect(textsOf(reader)).toEqual(texts)
})

it('a restart keeps channels, roles, statuses, messages, timelines and cursors', async () => {
  const dataDir = mkdtempSync(joinPath(tmpdir(), 'channel-relay-restart-'))
  const agent = keptConnections()
  let service = await spawnService({ dataDir })
  const application = { authorization: basicOf(service.credentials) }
  const before = new World({ url: service.url, application }, agent)
  await before.people('amy', 'bob', 'cleo', 'dan')
  await before.take({ do: 'create', by: SYSTEM, channel: 'room', group: 'strict_private', listed: [{ user: 'amy', admin: true }, { user: 'bob' }, { user: 'dan', status: 'Disabled' }] })
  await before.take({ do: 'mute', by: 'amy', user: 'bob', channel: 'room' })
  await before.take({ do: 'join', by: 'cleo', channel: 'room' })
  const { body: first } = await before.take({ do: 'send', by: 'amy', channel: 'room', text: 'one' })
  await before.take({ do: 'send', by: 'amy', channel: 'room', text: 'two' })
  const room = `/v1/channels/${before.id('room')}`
  await before.call('bob', 'POST', `${room}/messages/${first.messageId}/timeline`, { type: 'mitter.mtet.ReadTime', eventTimeMs: 1, subject: before.id('bob') })
  const look = async (world: World) => await Promise.all([
    room, `${room}/participants?relayStatus=active,pending,muted,disabled`, `${room}/messages`, `${room}/messages/${first.messageId}/timeline`, `${room}/timeline`
  ].map(async path => (await world.call(SYSTEM, 'GET', path)).body))
  const kept = await look(before)
  expect(kept[3].map(({ timelineEvent }: any) => timelineEvent.type)).toContain('mitter.mtet.ReadTime')
  await service.kill('SIGKILL')

  service = await spawnService({ dataDir })
  const after = before.elsewhere({ url: service.url, application })
  expect(await look(after)).toEqual(kept)
  expect(await after.members('room')).toEqual(['amy active admin', 'bob muted', 'cleo pending', 'dan disabled'])
  const bob = await after.open('bob', 'room', first.relay.cursor)
  await bob.until('caught-up')
  expect(bob.frames.filter(isEntry).map(({ event }) => event)).toEqual(['message', 'message-timeline'])
  expect(textsOf(bob)).toEqual(['two'])
  expect((await after.take({ do: 'send', by: 'bob', channel: 'room', text: 'three' })).said).toBe('403 muted')
  expect((await after.take({ do: 'accept', by: 'amy', user: 'cleo', channel: 'room' })).said).toBe('204')
  bob.close()
  await agent.close()
  await service.stop()
  rmSync(dataDir, { recursive: true })
}, 60_000)
