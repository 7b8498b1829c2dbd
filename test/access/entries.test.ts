/** Entries as callers send them (src/rules/access-entries.ts). */
import { describe, expect, it } from 'vitest'
import { Refusal } from '../../src/errors.ts'
import { areSame, formatEntry, MOST_ENTRIES, parseEntry, parseLists, patchedLists, type AclPatch, type AppliedAcls, type Entity } from '../../src/rules/access-entries.ts'

const channel: Entity = { kind: 'channel', channelId: 'town-square' }
const message: Entity = { kind: 'message', channelId: 'town-square' }
const application: Entity = { kind: 'application' }

describe('an entry', () => {
  it.each<[string, Entity]>([
    ['send_to_channel:participant(town-square:Active)', channel],
    ['read_from_channel:participant(town-square)', channel],
    ['modify_channel_participation:admin(town-square)', channel],
    ['join_channel:user(@amy)', channel],
    ['read_from_channel:any_user()', channel],
    ['read_message:user(#1$-_)', message],
    ['modify_acl:admin(town-square)', message],
    ['create_channel:any_user()', application],
    ['modify_acl:user(@amy)', application]
  ])('%s is read and written the same', (text, entity) => {
    expect(formatEntry(parseEntry(text, entity), 'town-square')).toBe(text)
  })

  it.each<[string, Entity, string]>([
    ['', channel, 'an entry is like send_to_channel:participant(town-square:Active)'],
    ['send_to_channel', channel, 'an entry is like'],
    ['send_to_channel:participant', channel, 'an entry is like'],
    ['send_to_channel:participant(town-square', channel, 'an entry is like'],
    ['+send_to_channel:any_user()', channel, 'an entry is like'],
    ['fly:any_user()', channel, 'the privileges of a channel are join_channel, '],
    ['toString:any_user()', channel, 'an entry is like'],
    ['constructor:any_user()', channel, 'the privileges of a channel are'],
    ['read_message:any_user()', channel, 'the privileges of a channel are'],
    ['send_to_channel:any_user()', message, 'the privileges of a message are read_message, delete_message, modify_acl'],
    ['create_channel:participant(town-square)', application, 'the selectors of the application are'],
    ['send_to_channel:everybody()', channel, 'the selectors are user(<userId>)'],
    ['send_to_channel:any_user(town-square)', channel, 'nothing between its brackets'],
    ['send_to_channel:user()', channel, 'names a user'],
    ['send_to_channel:participant()', channel, 'the channel is this one: participant(town-square)'],
    ['send_to_channel:participant(other-square)', channel, 'the channel is this one'],
    ['read_message:admin(other-square)', message, 'the channel is this one: admin(town-square)'],
    ['send_to_channel:admin(town-square:Active)', channel, 'has no status'],
    ['send_to_channel:participant(town-square:active)', channel, 'the statuses are Active, ReadOnly, Disabled'],
    ['send_to_channel:participant(town-square:Active:Active)', channel, 'the statuses are']
  ])('%s of %o is none: %s', (text, entity, right) => {
    let refusal: unknown
    try {
      parseEntry(text, entity)
    } catch (err) {
      refusal = err
    }
    expect(refusal).toBeInstanceOf(Refusal)
    expect(refusal).toMatchObject({ code: 'invalid_domain_attribute', message: expect.stringContaining(right), diagnostics: { entry: text } })
  })
})

describe('lists', () => {
  const parsed = (given: AppliedAcls | undefined) => {
    const lists = parseLists(given, channel)
    return lists && [lists.plus.map(entry => formatEntry(entry, 'town-square')), lists.minus.map(entry => formatEntry(entry, 'town-square'))]
  }
  const [amy, bob] = ['send_to_channel:user(@amy)', 'join_channel:user(@bob)']

  it.each([undefined, null, {}, { plusAppliedAcls: [], minusAppliedAcls: null }, '', ' , '])('%o is none', given => {
    expect(parsed(given)).toBeUndefined()
  })

  it('may be given by name, or in one string, and hold each entry once', () => {
    const expected = [[amy, bob], [bob]]
    expect(parsed({ plusAppliedAcls: [amy, bob, amy], minusAppliedAcls: [bob, bob] })).toEqual(expected)
    expect(parsed(`+${amy}, +${bob},-${bob},+${amy}`)).toEqual(expected)
  })

  it('in a string have signs', () => {
    expect(() => parsed(`+${amy},${bob}`)).toThrow('each entry has its sign')
  })

  it(`hold ${MOST_ENTRIES} entries at most`, () => {
    const entries = (count: number) => Array.from({ length: count }, (_, number) => `send_to_channel:user(user-${number})`)
    expect(parsed({ plusAppliedAcls: entries(MOST_ENTRIES - 1), minusAppliedAcls: [bob] })).toHaveLength(2)
    expect(() => parsed({ plusAppliedAcls: entries(MOST_ENTRIES), minusAppliedAcls: [bob] })).toThrow('at most 64 entries')
  })
})

describe('a change of lists', () => {
  const [amy, bob, all] = ['send_to_channel:user(@amy)', 'join_channel:user(@bob)', 'read_from_channel:any_user()']
  const before = parseLists({ plusAppliedAcls: [amy, bob], minusAppliedAcls: [all] }, channel)
  const after = (patch: AclPatch) => {
    const lists = patchedLists(before, patch, channel)
    return lists && [lists.plus, lists.minus].map(entries => entries.map(entry => formatEntry(entry, 'town-square')))
  }

  it('sets others in their place, or none', () => {
    expect(after({ patchType: 'Set', setAcls: { plusAppliedAcls: [all] } })).toEqual([[all], []])
    for (const setAcls of [null, {}, '']) expect(after({ patchType: 'Set', setAcls })).toBeUndefined()
  })

  it('adds and takes away, on each side by itself', () => {
    expect(after({ patchType: 'Diff', addAcls: `-${amy},+${all}`, removeAcls: { plusAppliedAcls: [bob] } })).toEqual([[amy, all], [all, amy]])
    expect(after({ patchType: 'Diff', removeAcls: { plusAppliedAcls: [all], minusAppliedAcls: [amy] } })).toEqual([[amy, bob], [all]])
    expect(after({ patchType: 'Diff', addAcls: `+${amy}`, removeAcls: `+${amy}` })).toEqual([[bob, amy], [all]])
    expect(after({ patchType: 'Diff', removeAcls: `+${amy},+${bob},-${all}` })).toBeUndefined()
  })

  it(`leaves ${MOST_ENTRIES} entries at most`, () => {
    const more = Array.from({ length: MOST_ENTRIES - 2 }, (_, number) => `send_to_channel:user(user-${number})`)
    expect(() => after({ patchType: 'Diff', addAcls: { plusAppliedAcls: more } })).toThrow('at most 64 entries')
    expect(after({ patchType: 'Diff', addAcls: { plusAppliedAcls: more }, removeAcls: `-${all}` })![0]).toHaveLength(MOST_ENTRIES)
  })

  it('that changes nothing is seen as such, whatever the order', () => {
    expect(areSame(before, patchedLists(before, { patchType: 'Diff', addAcls: `+${bob},+${amy}`, removeAcls: `-${amy}` }, channel))).toBe(true)
    expect(areSame(before, parseLists(`-${all},+${bob},+${amy}`, channel))).toBe(true)
    expect(areSame(before, parseLists(`+${all},+${bob},+${amy}`, channel))).toBe(false)
    expect(areSame(undefined, parseLists({}, channel))).toBe(true)
  })
})
