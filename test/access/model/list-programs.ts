/** Random access control lists, mostly such that something can be told by them, and changes of them. */
import fc from 'fast-check'
import { channelPrivileges, classes, messagePrivileges, type Entry, type Lists, type Privilege } from './lists.ts'
import { SENDER, users, type Change } from './lines.ts'

const user = fc.constantFrom(...users)
const selector = fc.constantFrom(...classes, 'any_user' as const, 'participant' as const)
const inside = fc.constantFrom('one who is active', 'another who is active', 'an admin', 'one who is muted')
const outside = fc.constantFrom('one who waits', ...users)

const ofChannel = fc.oneof(
  { weight: 10, arbitrary: fc.constant('read_from_channel' as const) },
  { weight: 5, arbitrary: fc.constant('send_to_channel' as const) },
  { weight: 2, arbitrary: fc.constantFrom('modify_channel_participation' as const, 'modify_acl' as const) },
  { weight: 4, arbitrary: fc.constantFrom(...channelPrivileges) }
)
const ofMessage = fc.oneof({ weight: 10, arbitrary: fc.constant('read_message' as const) }, { weight: 2, arbitrary: fc.constantFrom(...messagePrivileges) })

/** Some who have the same privilege. */
const entries = (privilege: fc.Arbitrary<Privilege>, who: fc.Arbitrary<string>): fc.Arbitrary<Entry[]> =>
  fc.tuple(privilege, fc.uniqueArray(who, { minLength: 1, maxLength: 3 })).map(([one, all]) => all.map(who => ({ privilege: one, who })))

const listsOf = (privilege: fc.Arbitrary<Privilege>, plus: fc.Arbitrary<string>, minus: fc.Arbitrary<string>): fc.Arbitrary<Lists> =>
  fc.record({
    plus: fc.oneof(
      { weight: 2, arbitrary: fc.constant([]) }, { weight: 5, arbitrary: entries(privilege, plus) },
      { weight: 1, arbitrary: fc.tuple(entries(privilege, plus), entries(privilege, plus)).map(([one, other]) => [...one, ...other]) }),
    minus: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: entries(privilege, minus).map(all => all.slice(0, 2)) })
  })

const whoOfChannel = fc.oneof({ weight: 5, arbitrary: selector }, { weight: 2, arbitrary: inside }, { weight: 3, arbitrary: user })
const whoOfMessage = fc.oneof(
  { weight: 3, arbitrary: selector }, { weight: 4, arbitrary: inside }, { weight: 2, arbitrary: outside }, { weight: 2, arbitrary: fc.constant(SENDER) })
const whoNot = fc.oneof({ weight: 2, arbitrary: inside }, { weight: 2, arbitrary: user }, { weight: 2, arbitrary: fc.constantFrom('Active', 'ReadOnly', 'Disabled', 'admin', 'participant') })

export const channelLists = listsOf(ofChannel, whoOfChannel, whoNot)
export const messageLists = listsOf(ofMessage, whoOfMessage, whoNot)

const changeOf = (lists: fc.Arbitrary<Lists>): fc.Arbitrary<Change> => fc.oneof(
  { weight: 5, arbitrary: lists.map(set => ({ set })) },
  { weight: 4, arbitrary: lists.map(add => ({ add, remove: { plus: [], minus: [] } })) },
  { weight: 3, arbitrary: fc.nat({ max: 7 }).map(take => ({ take })) },
  { weight: 2, arbitrary: fc.constant('empty' as const) }
)

export const channelChange = changeOf(channelLists)
export const messageChange = changeOf(messageLists)
