/** relay.md, scenarios: join. */
import { describe, expect, it } from 'vitest'
import { create, join, members, moderate, say, theWorld, useStage } from '../stage.ts'
import { SYSTEM } from '../steps.ts'

useStage()

describe('joining', () => {
  it('a public channel makes active', async () => {
    await create('amy', 'public')
    expect(await join('bob')).toBe('204')
    expect(await members()).toEqual(['amy active admin', 'bob active'])
    expect(await say('bob', 'hello')).toBe('200')
  })

  it.each(['private', 'strict_private'] as const)('a %s channel makes pending, which its admin sees', async group => {
    await create('amy', group)
    const { said, headers } = await theWorld().take({ do: 'join', by: 'bob', channel: 'room' })
    expect([said, headers['x-relay-status']]).toEqual(['204', 'pending'])
    const list = async (query: string) => (await theWorld().call('amy', 'GET', `/v1/channels/${theWorld().id('room')}/participants${query}`))
      .body.map((one: unknown) => theWorld().member(one))
    expect(await list('?relayStatus=pending')).toEqual(['bob pending'])
    expect(await list('?participationStatus=Disabled')).toEqual(['bob pending'])
    expect(await list('')).toEqual(['amy active admin'])
  })

  it('ignores the status that a user asks for', async () => {
    await create('amy', 'private')
    const { headers } = await theWorld().call('bob', 'POST', `/v1/channels/${theWorld().id('room')}/participants`, { participantId: theWorld().id('bob'), participationStatus: 'Active' })
    expect(headers['x-relay-status']).toBe('pending')
  })

  it('an unknown channel is not_found', async () => {
    expect(await join('bob')).toBe('404 not_found')
  })

  it('again is refused to an active member, who stays as it was', async () => {
    await create('amy', 'public')
    expect(await join('amy')).toBe('409 already_member')
    expect(await members()).toEqual(['amy active admin'])
  })

  it.each(['private', 'strict_private'] as const)('a %s channel again is refused to a pending member, who stays pending', async group => {
    await create('amy', group)
    await join('bob')
    expect(await join('bob')).toBe('409 already_member')
    expect(await members()).toEqual(['amy active admin', 'bob pending'])
  })

  it('again is refused to a muted member, who stays muted and keeps its role', async () => {
    await create(SYSTEM, 'strict_private', [{ user: 'amy', admin: true }, { user: 'bob', admin: true }])
    await moderate('mute', 'amy', 'bob')
    expect(await join('bob')).toBe('409 already_member')
    expect(await members()).toEqual(['amy active admin', 'bob muted admin'])
  })
})
