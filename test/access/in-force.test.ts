/** What `GET …/acls` shows as in force decides as the service does (src/rules/access.ts). */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  decide, decideOfMessage, inForceOf, inForceOfMessage, matches, privilegesOf, type AccessLists, type Caller, type Privilege, type PrivilegeOf, type Selector
} from '../../src/rules/access.ts'
import { listsNaming, standings } from './arbitraries.ts'

const users = ['@amy', '@bob', '@cat']

const listsOf = listsNaming(users)
const callers: fc.Arbitrary<Caller> = fc.record({
  userId: fc.constantFrom(...users),
  standing: standings
})

/** By nothing but entries that are written out. */
function allows ({ plus, minus }: AccessLists, privilege: Privilege, caller: Caller, counts: (selector: Selector) => boolean = () => true): boolean {
  const fitting = (entries: AccessLists['plus']) => entries.filter(entry => entry.privilege === privilege && matches(entry.selector, caller))
  return fitting(plus).some(({ selector }) => counts(selector)) && fitting(minus).length === 0
}

it('of a channel', () => {
  fc.assert(fc.property(listsOf('channel'), fc.constantFrom(...privilegesOf('channel')), callers, (lists, privilege, caller) => {
    expect(allows(inForceOf('channel', lists), privilege, caller)).toBe(decide(privilege as PrivilegeOf<'application' | 'channel'>, lists, caller).allowed)
  }), { numRuns: 2_000 })
})

it('of a message, but for its sender, who reads it by its id whatever the channel\'s lists take away', () => {
  fc.assert(fc.property(listsOf('message'), listsOf('channel'), fc.constantFrom(...privilegesOf('message')), callers, (lists, channelLists, privilege, caller) => {
    const message = { senderId: '@cat', lists, channelLists }
    fc.pre(caller.userId !== message.senderId || privilege !== 'read_message')
    const { allowed: reads } = decide('read_from_channel', channelLists, caller)
    expect(allows(inForceOfMessage(message), privilege, caller, ({ kind }) => privilege !== 'read_message' || kind === 'user' || reads))
      .toBe(decideOfMessage(privilege as PrivilegeOf<'message'>, message, caller, true).allowed)
  }), { numRuns: 2_000 })
})
