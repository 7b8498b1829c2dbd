/** relay.md, scenarios: mute, and the same set for unmute. */
import { describe, expect, it } from 'vitest'
import { carried, create, join, members, moderate, say, subscribe, theWorld } from '../stage.ts'
import { SYSTEM, type GroupType } from '../steps.ts'

export function muteOrUnmute (what: 'mute' | 'unmute'): void {
  const [before, after] = what === 'mute' ? ['Active', 'ReadOnly'] as const : ['ReadOnly', 'Active'] as const
  const relay = { Active: 'active', ReadOnly: 'muted' }
  const refusal = what === 'mute' ? '409 cannot_mute' : '409 not_muted'
  /** Amy and dan are admins; bob is as one who is to be (un)muted; cleo is active. */
  const stage = (group: GroupType) => create(SYSTEM, group, [
    { user: 'amy', admin: true }, { user: 'bob', status: before }, { user: 'cleo' }, { user: 'dan', admin: true, status: before }
  ])
  const unchanged = ['amy active admin', `bob ${relay[before]}`, 'cleo active', `dan ${relay[before]} admin`]

  it.each(['amy', SYSTEM])('by %s is done, and told', async by => {
    await stage('strict_private')
    const [amy, bob] = [await subscribe('amy'), await subscribe('bob', 'me')]
    expect(await moderate(what, by, 'bob')).toBe('204')
    expect(await members()).toEqual(['amy active admin', `bob ${relay[after]}`, 'cleo active', `dan ${relay[before]} admin`])
    const told = [`participation room bob ${before} to ${after}, ${relay[after]}`]
    expect(await carried(amy, bob)).toEqual([told, told])
    expect(await say('bob', 'hello')).toBe(what === 'mute' ? '403 muted' : '200')
  })

  it('of another admin is done, and leaves it its role', async () => {
    await stage('strict_private')
    expect(await moderate(what, 'amy', 'dan')).toBe('204')
    expect(await members()).toContain(`dan ${relay[after]} admin`)
  })

  it('by one who is no admin is not_admin, and the admin is as it was', async () => {
    await stage('strict_private')
    for (const user of ['amy', 'bob', 'cleo', 'nobody-at-all']) expect(await moderate(what, 'cleo', user)).toBe('403 not_admin')
    expect(await members()).toEqual(unchanged)
  })

  describe.each(['public', 'private'] as const)('in a %s channel', group => {
    it.each(['amy', 'bob', 'cleo', 'erin', SYSTEM])('is not_strict_private for %s', async by => {
      await stage(group)
      if (by === 'erin') await theWorld().people(by)
      for (const user of ['bob', by, 'nobody-at-all']) expect(await moderate(what, by, user)).toBe('409 not_strict_private')
      expect(await members()).toEqual(unchanged)
    })
  })

  it('in an unknown channel is not_found', async () => {
    expect(await moderate(what, 'amy', 'bob')).toBe('404 not_found')
  })

  it('of somebody who is not there is user_not_in_group', async () => {
    await create('amy', 'strict_private')
    expect(await moderate(what, 'amy', 'bob')).toBe('404 user_not_in_group')
  })

  it(`of a pending member is ${refusal}`, async () => {
    await create('amy', 'strict_private')
    await join('bob')
    expect(await moderate(what, 'amy', 'bob')).toBe(refusal)
    expect(await members()).toEqual(['amy active admin', 'bob pending'])
  })

  it(`twice is ${refusal} the second time`, async () => {
    await stage('strict_private')
    await moderate(what, 'amy', 'bob')
    expect(await moderate(what, 'amy', 'bob')).toBe(refusal)
  })

  it(`of oneself is ${refusal}, and changes nothing`, async () => {
    await stage('strict_private')
    expect(await moderate(what, 'amy', 'amy')).toBe(refusal)
    expect(await members()).toEqual(unchanged)
  })

  it('by a stranger to a strict_private channel is not_admin', async () => {
    await create('amy', 'strict_private', [{ user: 'bob' }])
    for (const user of ['amy', 'bob', 'dan']) expect(await moderate(what, 'dan', user)).toBe('403 not_admin')
  })
}
