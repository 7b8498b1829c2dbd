/** relay.md, scenarios: leave; and who becomes admin when the last one goes. */
import { describe, expect, it } from 'vitest'
import { carried, carriedByOwn, create, join, leave, members, moderate, remove, say, setRoles, setStatus, subscribe, theWorld, useStage } from '../stage.ts'
import { SYSTEM } from '../steps.ts'

useStage()

describe('leaving', () => {
  it('takes the member off the list', async () => {
    await create('amy', 'public', [{ user: 'bob' }])
    expect(await leave('bob')).toBe('204')
    expect(await members()).toEqual(['amy active admin'])
    expect(await say('bob', 'hello')).toBe('403 user_not_in_group')
  })

  it('is told to those who receive the channel and to who left', async () => {
    await create('amy', 'public', [{ user: 'bob' }])
    const [amy, bob] = [await subscribe('amy'), await subscribe('bob', 'me')]
    await leave('bob')
    expect(await carried(amy)).toEqual([['participation-deleted room bob']])
    expect(await carriedByOwn('bob', bob)).toEqual(['participation-deleted room bob'])
  })

  it('an unknown channel is not_found', async () => {
    expect(await leave('bob')).toBe('404 not_found')
  })

  it('is user_not_in_group for a stranger', async () => {
    await create('amy', 'public')
    expect(await leave('bob')).toBe('404 user_not_in_group')
  })

  it('twice is user_not_in_group the second time', async () => {
    await create('amy', 'public', [{ user: 'bob' }])
    await leave('bob')
    expect(await leave('bob')).toBe('404 user_not_in_group')
  })

  it('is for oneself: another is removed by the application only', async () => {
    await create('amy', 'public', [{ user: 'bob' }])
    expect(await remove('bob', 'room', 'amy')).toMatch(/^403/)
    expect(await members()).toEqual(['amy active admin', 'bob active'])
    expect(await remove('bob')).toBe('204')
    expect(await members()).toEqual(['amy active admin'])
  })

  it.each(['private', 'strict_private'] as const)('a %s channel while muted, joining again and being accepted leaves one muted', async group => {
    await create(SYSTEM, group, [{ user: 'amy', admin: true }, { user: 'bob', status: 'ReadOnly' }])
    await leave('bob')
    await join('bob')
    expect(await members()).toEqual(['amy active admin', 'bob pending'])
    expect(await moderate('accept', 'amy', 'bob')).toBe('204')
    expect(await members()).toEqual(['amy active admin', 'bob muted'])
    expect(await say('bob', 'hello')).toBe('403 muted')
  })

  it('a public channel while muted and joining again leaves one muted', async () => {
    await create(SYSTEM, 'public', [{ user: 'bob', status: 'ReadOnly' }])
    await leave('bob')
    await join('bob')
    expect(await members()).toEqual(['bob muted'])
  })

  it('while disabled and joining again leaves one disabled', async () => {
    await create(SYSTEM, 'private', [{ user: 'bob', status: 'Disabled' }])
    await leave('bob')
    await join('bob')
    expect(await members()).toEqual(['bob disabled'])
  })

  it('and asking again twice, turned away in between, does not lift a mute', async () => {
    await create(SYSTEM, 'strict_private', [{ user: 'amy', admin: true }, { user: 'bob', status: 'ReadOnly' }])
    await leave('bob')
    await join('bob')
    await moderate('reject', 'amy', 'bob')
    await join('bob')
    await leave('bob')
    await join('bob')
    await moderate('accept', 'amy', 'bob')
    expect(await members()).toEqual(['amy active admin', 'bob muted'])
  })
})

describe('the last active admin of a strict_private channel', () => {
  const goings: Array<[string, () => Promise<unknown>]> = [
    ['leaves', () => leave('amy')],
    ['is removed', () => remove('amy')],
    ['is disabled', () => setStatus('amy', 'Disabled')],
    ['is made read-only', () => setStatus('amy', 'ReadOnly')],
    ['is muted by the application', () => moderate('mute', SYSTEM, 'amy')],
    ['is deleted', () => theWorld().call(SYSTEM, 'DELETE', `/v1/users/${theWorld().id('amy')}`)]
  ]
  it.each(goings)('%s: the member who has been active longest is admin, and everybody is told', async (_how, go) => {
    await create('amy', 'strict_private')
    for (const user of ['cleo', 'bob', 'dan']) await join(user)
    for (const user of ['bob', 'cleo']) await moderate('accept', 'amy', user)
    const cleo = await subscribe('cleo')
    await go()
    const last = (await carried(cleo))[0]!.at(-1)
    expect(last).toBe('participation room bob Active to Active, active admin')
    await join('dan')
    expect(await moderate('accept', 'bob', 'dan')).toBe('204')
    expect(await moderate('mute', 'bob', 'cleo')).toBe('204')
  })

  it('leaves while nobody is active: the first to become active is admin', async () => {
    await create('amy', 'strict_private')
    for (const user of ['bob', 'cleo']) await join(user)
    await leave('amy')
    expect(await members()).toEqual(['bob pending', 'cleo pending'])
    await moderate('accept', SYSTEM, 'cleo')
    await moderate('accept', 'cleo', 'bob')
    expect(await members()).toEqual(['bob active', 'cleo active admin'])
  })

  it('cannot be demoted', async () => {
    await create('amy', 'strict_private', [{ user: 'bob' }])
    for (const by of ['amy', SYSTEM]) expect(await setRoles(by, 'amy', false)).toMatch(/^409/)
    expect(await members()).toEqual(['amy active admin', 'bob active'])
    expect(await setRoles('amy', 'bob', true)).toBe('200')
    expect(await setRoles('bob', 'amy', false)).toBe('200')
    expect(await members()).toEqual(['amy active', 'bob active admin'])
  })
})
