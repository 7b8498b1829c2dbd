/** Readers of a message, asked for at once, are those whom the decision allows one by one (src/rules/audience.ts). */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decideOfMessage, type AccessLists, type Caller } from '../../src/rules/access.ts'
import { Audience, classesNamedIn, classesOf, isRouted, readersNamedIn, readsChannel, type MemberCounts } from '../../src/rules/audience.ts'
import { listsNaming, standings } from './arbitraries.ts'

const users = ['@amy', '@bob', '@cat', '@dan', '@eve', '@fay', '@gil']

const listsOf = listsNaming(users)
const everybody: fc.Arbitrary<Caller[]> = fc.tuple(...users.map(() => standings)).map(found => found.map((standing, index) => ({ userId: users[index]!, standing })))

const reads = (lists: AccessLists | undefined, channelLists: AccessLists | undefined, caller: Caller): boolean =>
  decideOfMessage('read_message', { senderId: '', lists, channelLists }, caller).allowed

it('whoever asks', () => {
  fc.assert(fc.property(listsOf('message'), listsOf('channel'), everybody, (lists, channelLists, callers) => {
    const audience = new Audience(lists, channelLists)
    expect(callers.map(caller => audience.has(caller))).toEqual(callers.map(caller => reads(lists, channelLists, caller)))
  }), { numRuns: 2_000 })
})

it('and as many of them as are counted: participants, and others whom it names', () => {
  fc.assert(fc.property(listsOf('message'), listsOf('channel'), everybody, (lists, channelLists, callers) => {
    const audience = new Audience(lists, channelLists)
    const named = new Set(audience.named)
    const readers = callers.filter(caller => (caller.standing !== undefined || readersNamedIn(lists).includes(caller.userId)) && reads(lists, channelLists, caller))
    expect(audience.count(countsOf(callers), callers.filter(({ userId }) => named.has(userId)))).toBe(readers.length)
  }), { numRuns: 2_000 })
})

it('each of whom finds it: with all that is for whoever reads the channel, by a class, or by name', () => {
  fc.assert(fc.property(listsOf('message'), listsOf('channel'), everybody, (lists, channelLists, callers) => {
    for (const caller of callers.filter(caller => reads(lists, channelLists, caller))) {
      const found = isRouted(lists)
        ? readersNamedIn(lists).includes(caller.userId) || classesNamedIn(lists).some(name => classesOf(caller).includes(name))
        : readsChannel(channelLists, caller)
      expect(found).toBe(true)
    }
  }), { numRuns: 2_000 })
})

function countsOf (callers: Caller[]): MemberCounts {
  const of = (status: string) => callers.filter(({ standing }) => standing?.status === status)
  return {
    active: of('active').length,
    activeAdmins: of('active').filter(({ standing }) => standing?.admin).length,
    muted: of('muted').length,
    pending: of('pending').length,
    disabled: of('disabled').length
  }
}
