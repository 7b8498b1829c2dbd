/** relay.md, scenarios: accept, and the same set for reject: whoever may accept may turn away. */
import { describe, expect, it } from 'vitest'
import { carried, carriedByOwn, create, join, members, moderate, say, subscribe, theWorld } from '../stage.ts'
import { SYSTEM, type GroupType } from '../steps.ts'

export function acceptOrReject (what: 'accept' | 'reject'): void {
  /** Amy is admin, cleo active, dan muted; bob asks to join. */
  const stage = async (group: GroupType) => {
    await create(SYSTEM, group, [{ user: 'amy', admin: true }, { user: 'cleo' }, { user: 'dan', status: 'ReadOnly' }])
    await join('bob')
  }
  const others = ['amy active admin', 'cleo active', 'dan muted']
  const before = ['amy active admin', 'bob pending', 'cleo active', 'dan muted']
  const after = what === 'accept' ? ['amy active admin', 'bob active', 'cleo active', 'dan muted'] : others

  describe.each<[GroupType, string]>([['private', 'cleo'], ['private', 'amy'], ['strict_private', 'amy'], ['private', SYSTEM], ['strict_private', SYSTEM]])('in a %s channel, by %s', (group, by) => {
    it('is done, and told to those who receive the channel and to whom it concerns', async () => {
      await stage(group)
      const [amy, dan, bob] = [await subscribe('amy'), await subscribe('dan', 'me'), await subscribe('bob', 'me')]
      expect(await moderate(what, by, 'bob')).toBe('204')
      expect(await members()).toEqual(after)
      const told = [what === 'accept' ? 'participation room bob Disabled to Active, active' : 'participation-deleted room bob']
      expect(await carried(amy, dan)).toEqual([told, told])
      const own = await carriedByOwn('bob', bob)
      expect(own).toEqual(what === 'accept' ? [...told, 'message room .system bell'] : told)
    })
  })

  it.each(['cleo', 'bob', 'dan'])('in a strict_private channel is not_admin for %s, and bob is still pending', async by => {
    await stage('strict_private')
    expect(await moderate(what, by, 'bob')).toBe('403 not_admin')
    expect(await members()).toEqual(before)
  })

  it('by a muted member of a private channel is not_admin', async () => {
    await stage('private')
    expect(await moderate(what, 'dan', 'bob')).toBe('403 not_admin')
    expect(await members()).toEqual(before)
  })

  it('in an unknown channel is not_found', async () => {
    expect(await moderate(what, 'amy', 'bob')).toBe('404 not_found')
  })

  it('of somebody who did not ask is user_not_in_group', async () => {
    await create('amy', 'private')
    expect(await moderate(what, 'amy', 'bob')).toBe('404 user_not_in_group')
    expect(await moderate(what, 'amy', 'nobody-at-all')).toBe('404 user_not_in_group')
    expect(await members()).toEqual(['amy active admin'])
  })

  it.each(['public', 'private', 'strict_private'] as const)('in a %s channel of somebody who is active or muted is user_not_pending', async group => {
    await create(SYSTEM, group, [{ user: 'amy', admin: true }, { user: 'cleo' }, { user: 'dan', status: 'ReadOnly' }])
    for (const user of ['cleo', 'dan', 'amy']) expect(await moderate(what, 'amy', user)).toBe('409 user_not_pending')
    expect(await members()).toEqual(others)
  })

  it.each(['private', 'strict_private'] as const)('in a %s channel by a stranger is refused, whoever it is about, and bob is still pending', async group => {
    await create('amy', group)
    await join('bob')
    for (const user of ['bob', 'amy', 'cleo', 'dan']) expect(await moderate(what, 'dan', user)).toBe('403 user_not_in_group')
    expect(await members()).toEqual(['amy active admin', 'bob pending'])
  })

  it.each(['private', 'strict_private'] as const)('in a %s channel of oneself while pending is not_admin', async group => {
    await create('amy', group)
    await join('bob')
    expect(await moderate(what, 'bob', 'bob')).toBe('403 not_admin')
    expect(await members()).toEqual(['amy active admin', 'bob pending'])
  })

  it('again is an error', async () => {
    await stage('private')
    await moderate(what, 'amy', 'bob')
    expect(await moderate(what, 'amy', 'bob')).toBe(what === 'accept' ? '409 user_not_pending' : '404 user_not_in_group')
    expect(await say('bob', 'hello')).toBe(what === 'accept' ? '200' : '403 user_not_in_group')
  })

  it('leaves the time of joining and the roles as they were', async () => {
    await stage('private')
    await theWorld().take({ do: 'set roles', by: 'amy', user: 'bob', channel: 'room', admin: true })
    const one = async () => (await theWorld().call(SYSTEM, 'GET', `/v1/channels/${theWorld().id('room')}/participants?relayStatus=active,pending`))
      .body.find((one: any) => theWorld().name(one.participantId.identifier) === 'bob')
    const { joinedAt, channelParticipationId } = await one()
    await moderate(what, 'amy', 'bob')
    if (what === 'accept') expect(await one()).toMatchObject({ joinedAt, channelParticipationId, roles: ['admin'], relayStatus: 'active' })
    else expect(await one()).toBeUndefined()
  })
}
