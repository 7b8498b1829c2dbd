/** Lists, and those who stand somehow, for properties. */
import fc from 'fast-check'
import { privilegesOf, type AccessLists, type EntityKind, type Selector } from '../../src/rules/access.ts'

/** @param users whom lists may name */
export function listsNaming (users: string[]): (kind: EntityKind) => fc.Arbitrary<AccessLists | undefined> {
  const selectors = fc.oneof<fc.Arbitrary<Selector>[]>(
    fc.constantFrom(...users).map(userId => ({ kind: 'user', userId })),
    fc.constantFrom<Selector>({ kind: 'any-user' }, { kind: 'admin' }, { kind: 'participant' }),
    fc.constantFrom('Active', 'ReadOnly', 'Disabled').map(status => ({ kind: 'participant', status }))
  )
  return kind => {
    const entries = fc.array(fc.record({ privilege: fc.constantFrom(...privilegesOf(kind)), selector: selectors }), { maxLength: 4 })
    return fc.option(fc.record({ plus: entries, minus: entries }), { nil: undefined })
  }
}

export const standings = fc.option(fc.record({ status: fc.constantFrom('active', 'muted', 'pending', 'disabled'), admin: fc.boolean() }), { nil: undefined })
