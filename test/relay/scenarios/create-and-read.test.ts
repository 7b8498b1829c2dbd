/** relay.md, scenarios: create and read. */
import { describe, expect, it } from 'vitest'
import { create, destroy, join, members, theWorld, useStage } from '../stage.ts'
import { groupTypes, SYSTEM } from '../steps.ts'

useStage()
const read = async (by: string) => await theWorld().take({ do: 'get channel', by, channel: 'room' })

describe.each(groupTypes)('a %s channel', group => {
  it('shows its type, and its creator as the one active admin', async () => {
    expect(await create('amy', group)).toBe('200')
    expect((await read('amy')).body).toMatchObject({ groupType: group, channelId: theWorld().id('room') })
    expect(await members()).toEqual(['amy active admin'])
  })

  it('is not created twice, and the second time changes neither admin nor members', async () => {
    await create('amy', group, [{ user: 'cleo' }])
    for (const by of ['amy', 'bob', SYSTEM]) expect(await create(by, 'public', [{ user: 'dan' }])).toBe('409 already_exists')
    expect(await members()).toEqual(['amy active admin', 'cleo active'])
    expect((await read('amy')).body.groupType).toBe(group)
  })

  it('is not created again when everybody has left it', async () => {
    await create(SYSTEM, group)
    expect(await create('amy', group)).toBe('409 already_exists')
    expect(await members()).toEqual([])
  })

  it('is read by a stranger only where it is public, by a member of any status', async () => {
    await create('amy', group)
    expect((await read('bob')).said).toBe(group === 'public' ? '200' : '403 user_not_in_group')
    await join('bob')
    expect((await read('bob')).said).toBe('200')
  })
})

describe('an unknown channel', () => {
  it.each(['amy', SYSTEM])('is not_found for %s who gets it', async by => {
    expect((await read(by)).said).toBe('404 not_found')
  })

  it.each(['amy', SYSTEM])('is not_found for %s who deletes it', async by => {
    expect(await destroy(by)).toBe('404 not_found')
  })
})
