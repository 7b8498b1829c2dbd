/** relay.md, scenarios: relay. */
import { describe, expect, it } from 'vitest'
import { carried, carriedByOwn, create, join, moderate, saying, say, subscribe, theWorld, useStage } from '../stage.ts'
import { SYSTEM } from '../steps.ts'

useStage()

describe('a message', () => {
  it('in a public channel is had by both subscribers, the sender included, exactly once, with channel, sender, text and time', async () => {
    await create('amy', 'public', [{ user: 'bob' }])
    const readers = [await subscribe('amy'), await subscribe('bob')] as const
    const sentFrom = Date.now()
    const { body } = await theWorld().take({ do: 'send', by: 'bob', channel: 'room', text: 'hello' })
    expect(body.relay).toMatchObject({ status: 'relayed', recipientsCount: 2 })
    expect(await carried(...readers)).toEqual([['message room bob hello'], ['message room bob hello']])
    for (const reader of readers) {
      const { id, json } = await reader.until(saying('hello'))
      expect(id).toBe(body.relay.cursor)
      expect(json).toMatchObject({
        channelId: { identifier: theWorld().id('room') },
        message: { messageId: body.messageId, channelId: { identifier: theWorld().id('room') }, senderId: { identifier: theWorld().id('bob') }, textPayload: 'hello' }
      })
      const { createdAt } = json.message.audit
      expect(createdAt).toBeGreaterThanOrEqual(sentFrom)
      expect(createdAt).toBeLessThanOrEqual(Date.now())
    }
  })

  it('is counted for active and muted members, connected or not, whatever streams they have', async () => {
    await create(SYSTEM, 'private', [{ user: 'amy' }, { user: 'bob', status: 'ReadOnly' }, { user: 'cleo', status: 'Disabled' }])
    await join('dan')
    for (const what of ['room', 'room', 'me']) await subscribe('amy', what)
    for (const by of ['amy', SYSTEM]) {
      const { body } = await theWorld().take({ do: 'send', by, channel: 'room', text: 'hello' })
      expect(body.relay.recipientsCount).toBe(2)
    }
  })

  it.each([['pending', 'bob', '403 pending'], ['muted', 'cleo', '403 muted'], ['disabled', 'dan', '403 disabled'], ['a stranger', 'erin', '403 user_not_in_group']])('of one who is %s is refused, and nobody receives anything', async (_what, by, refusal) => {
    await theWorld().people('erin')
    await create(SYSTEM, 'strict_private', [{ user: 'amy', admin: true }, { user: 'cleo', status: 'ReadOnly' }, { user: 'dan', status: 'Disabled' }])
    await join('bob')
    const readers = await Promise.all([subscribe('amy'), subscribe('cleo'), subscribe(SYSTEM, 'all')])
    expect(await say(by, 'psst')).toBe(refusal)
    expect(await carried(...readers)).toEqual([[], [], []])
    expect((await theWorld().take({ do: 'list messages', by: SYSTEM, channel: 'room' })).body).toHaveLength(1)
  })

  it('to an unknown channel is not_found', async () => {
    for (const by of ['amy', SYSTEM]) expect(await say(by, 'hello')).toBe('404 not_found')
  })
})

describe.each(['private', 'strict_private'] as const)('a pending member of a %s channel', group => {
  it('may not subscribe, and after it is accepted receives nothing that was sent before', async () => {
    await create('amy', group)
    await join('bob')
    const bob = await subscribe('bob', 'me')
    expect((await theWorld().take({ do: 'stream', by: 'bob', channel: 'room' })).said).toBe('403 pending')
    const cursor = bob.lastId()
    await say('amy', 'before')
    await moderate('accept', 'amy', 'bob')
    const later = [await subscribe('bob'), await theWorld().open('bob', 'room', cursor)] as const
    await later[1].until('caught-up')
    await say('amy', 'after')
    const accepted = 'participation room bob Disabled to Active, active'
    expect(await carried(bob, ...later)).toEqual([
      [accepted, 'message room amy after'], ['message room amy after'], [accepted, 'message room amy after']
    ])
    later[1].close()
  })
})

describe('a muted member', () => {
  it('receives, but cannot send', async () => {
    await create(SYSTEM, 'strict_private', [{ user: 'amy', admin: true }, { user: 'bob', status: 'ReadOnly' }])
    const bob = await subscribe('bob')
    await say('amy', 'hello')
    expect(await say('bob', 'hello')).toBe('403 muted')
    expect(await carried(bob)).toEqual([['message room amy hello']])
  })

  it('that was muted while its stream is open goes on receiving, and sending is refused at once', async () => {
    await create('amy', 'strict_private', [{ user: 'bob' }])
    const [bob, own] = [await subscribe('bob'), await subscribe('bob', 'me')]
    await say('bob', 'before')
    await moderate('mute', 'amy', 'bob')
    expect(await say('bob', 'refused')).toBe('403 muted')
    await say('amy', 'after')
    await moderate('unmute', 'amy', 'bob')
    expect(await say('bob', 'again')).toBe('200')
    const expected = [
      'message room bob before', 'participation room bob Active to ReadOnly, muted', 'message room amy after',
      'participation room bob ReadOnly to Active, active', 'message room bob again'
    ]
    expect(await carried(bob, own)).toEqual([expected, expected])
  })
})

it('a disabled member learns that it is, and receives nothing from then on', async () => {
  await create('amy', 'private', [{ user: 'bob' }])
  const bob = await subscribe('bob', 'me')
  await theWorld().take({ do: 'set status', by: SYSTEM, user: 'bob', channel: 'room', status: 'Disabled' })
  await say('amy', 'after')
  expect(await carriedByOwn('bob', bob)).toEqual(['participation room bob Active to Disabled, disabled'])
})
