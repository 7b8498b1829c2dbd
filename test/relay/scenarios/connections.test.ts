/** relay.md, scenarios: connections. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { carried, carriedByOwn, create, destroy, gists, goodbye, join, leave, members, moderate, remove, say, saying, setStatus, subscribe, theApp, theWorld, useStage } from '../stage.ts'
import { SYSTEM } from '../steps.ts'
import { keptConnections, World } from '../world.ts'
import { startApp } from '../../support/app.ts'

useStage()

describe('a connection that ends', () => {
  const subscriptions = () => theApp().app.server
  it('abruptly frees its subscription and keeps the membership, muted as it was', async () => {
    await create(SYSTEM, 'strict_private', [{ user: 'amy', admin: true }, { user: 'bob', status: 'ReadOnly' }])
    const bob = await subscribe('bob')
    const count = async () => await new Promise<number>((resolve, reject) => subscriptions().getConnections((err, count) => err === null ? resolve(count) : reject(err)))
    const before = await count()
    bob.close()
    await bob.ended
    while (await count() >= before) await sleep(5)
    expect(await members()).toEqual(['amy active admin', 'bob muted'])
    expect((await theWorld().take({ do: 'send', by: 'amy', channel: 'room', text: 'hello' })).body.relay.recipientsCount).toBe(2)
    const again = await subscribe('bob')
    expect(await say('bob', 'hello')).toBe('403 muted')
    expect(await carried(again)).toEqual([[]])
  })

  it('politely, because the service ends, keeps the membership', async () => {
    const own = await startApp()
    const agent = keptConnections()
    const world = new World(own, agent)
    await world.people('amy')
    await world.take({ do: 'create', by: 'amy', channel: 'room', group: 'private' })
    const amy = await world.open('amy', 'room')
    await amy.until('ready')
    own.streams.drain()
    expect(await goodbye(amy)).toBe('bye shutdown')
    expect(await world.members('room')).toEqual(['amy active admin'])
    await agent.close()
    await own.stop()
  })
})

it('two devices of one user each get every message once; one ends, and the other goes on', async () => {
  await create('amy', 'public', [{ user: 'bob' }])
  const [phone, desk] = [await subscribe('bob'), await subscribe('bob')]
  await say('amy', 'one')
  expect(await carried(phone, desk)).toEqual([['message room amy one'], ['message room amy one']])
  phone.close()
  await phone.ended
  await say('amy', 'two')
  expect((await carried(desk))[0]).toEqual(['message room amy one', 'message room amy two'])
})

describe('while bob\'s streams are open', () => {
  const endings: Array<[string, () => Promise<string>, string, string]> = [
    ['bob leaves', () => leave('bob'), 'participation-deleted room bob', 'bye removed'],
    ['bob is removed', () => remove('bob'), 'participation-deleted room bob', 'bye removed'],
    ['bob is disabled', () => setStatus('bob', 'Disabled'), 'participation room bob Active to Disabled, disabled', 'bye removed'],
    ['the channel is deleted', () => destroy(), 'channel-deleted room', 'bye deleted']
  ]
  it.each(endings)('%s: nothing sent afterwards arrives, and the stream of the channel says why it ends', async (_how, end, last, bye) => {
    await create('amy', 'public', [{ user: 'bob' }])
    const [room, own] = [await subscribe('bob'), await subscribe('bob', 'me')]
    await say('amy', 'before')
    await Promise.all([room, own].map(reader => reader.until(saying('before')))) // what is deleted before it was delivered is not
    expect(await end()).toMatch(/^20/)
    await say('amy', 'after')
    expect(await goodbye(room)).toBe(bye)
    expect(gists(room)).toEqual(['message room amy before', last])
    expect(await carriedByOwn('bob', own)).toEqual(['message room amy before', last])
  })
})

describe('a channel that was deleted and made again under its id', () => {
  it('is not seen by an old stream, nor are its members and mutes those of before', async () => {
    await create('amy', 'strict_private', [{ user: 'bob' }])
    await moderate('mute', 'amy', 'bob')
    const [room, own] = [await subscribe('bob'), await subscribe('bob', 'me')]
    await destroy()
    await create('cleo', 'strict_private')
    await say('cleo', 'of the new channel')
    expect(await goodbye(room)).toBe('bye deleted')
    expect(gists(room)).toEqual(['channel-deleted room'])
    expect(await members()).toEqual(['cleo active admin'])
    expect(await carriedByOwn('bob', own)).toEqual(['channel-deleted room'])
    await join('bob')
    await moderate('accept', 'cleo', 'bob')
    expect(await members()).toEqual(['bob active', 'cleo active admin'])
  })

  it.each(['a message', 'the deletion'])('is not entered by a cursor of before, that of %s: it is a gap', async what => {
    await create('amy', 'public')
    const old = await subscribe('amy')
    await say('amy', 'of the old channel')
    const message = await old.until('message')
    await destroy()
    await old.ended
    const cursor = what === 'a message' ? message.id : old.lastId()
    await create('amy', 'public')
    const later = await theWorld().open('amy', 'room', cursor)
    await later.until('caught-up')
    const events = later.frames.map(({ event }) => event)
    await say('amy', 'of the new channel')
    const [had] = await carried(later)
    later.close()
    expect(had!.at(-1)).toBe('message room amy of the new channel')
    expect(events).toEqual(['ready', 'gap', 'caught-up'])
  })
})
