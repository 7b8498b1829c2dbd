/** Access control lists (protocol 11). */
import { Type, type Static } from 'typebox'
import { Id, ref } from './common.ts'
import { RelayStatus } from './participation.ts'

/** Entries that an entity may have of its own (src/rules/access-entries.ts has the same). */
const MOST_ENTRIES = 64
/** A message's and its channel's, with defaults written out. */
const MOST_RESULTING = 2 * MOST_ENTRIES + 32
/** Characters of an entry: a privilege, and two ids at most. */
const LONGEST_ENTRY = 256
/** Characters of lists that come as one string. */
const LONGEST_LISTS = MOST_ENTRIES * (LONGEST_ENTRY + 2)

const exampleEntry = 'send_to_channel:participant(football-fans:Active)'
const exampleLists = { plusAppliedAcls: [exampleEntry], minusAppliedAcls: [] }

const entries = (description: string, examples: string[][]) =>
  Type.Array(Type.String({ maxLength: LONGEST_ENTRY, description: 'privilege:selector(arguments)', examples: [exampleEntry] }), { maxItems: MOST_RESULTING, description, examples })

export const AppliedAcls = Type.Object({
  plusAppliedAcls: entries('Who may', [[exampleEntry]]),
  minusAppliedAcls: entries('Who may not, whoever else says so', [[]])
}, { $id: 'AppliedAcls', description: 'Access control lists: who may do what. A user who was deleted since is .deleted', examples: [exampleLists] })
export type AppliedAcls = Static<typeof AppliedAcls>

const givenEntries = (description: string, examples: string[][]) =>
  Type.Optional(Type.Array(Type.String({ maxLength: LONGEST_ENTRY, description: 'privilege:selector(arguments)', examples: [exampleEntry] }), { maxItems: MOST_ENTRIES, description, examples }))

export const AppliedAclsInput = Type.Union([
  Type.String({ maxLength: LONGEST_LISTS, description: 'Entries with their signs and commas between them: +entry,-entry', examples: [`+${exampleEntry}`] }),
  Type.Object({
    plusAppliedAcls: givenEntries('Who may', [[exampleEntry]]),
    minusAppliedAcls: givenEntries('Who may not, whoever else says so', [[]])
  })
], {
  $id: 'AppliedAclsInput',
  description: 'access control lists as {"plusAppliedAcls": [entry], "minusAppliedAcls": [entry]} or as one string "+entry,-entry", at most 64 entries in all, each like send_to_channel:participant(football-fans:Active); without entries: none',
  examples: [exampleLists, `+${exampleEntry}`]
})
export type AppliedAclsInput = Static<typeof AppliedAclsInput>

export const AclPatch = Type.Object({
  patchType: Type.Enum(['Set', 'Diff'], { type: 'string', description: 'Set: other lists in the place of the entity\'s own; Diff: some entries more, some less', examples: ['Diff'] }),
  setAcls: Type.Optional(ref(AppliedAclsInput, 'Of a Set: the lists it is to have; without entries, none of its own')),
  addAcls: Type.Optional(ref(AppliedAclsInput, 'Of a Diff: entries that it is to have too')),
  removeAcls: Type.Optional(ref(AppliedAclsInput, 'Of a Diff: entries that it is to have no more'))
}, { $id: 'AclPatch', description: 'A change of an entity\'s own access control lists', examples: [{ patchType: 'Diff', addAcls: exampleLists }] })
export type AclPatch = Static<typeof AclPatch>

export const EntityAcls = Type.Object({
  appliedAcls: ref(AppliedAcls, 'Its own'),
  inForce: ref(AppliedAcls, 'What results: its own, and the defaults of privileges that it has no plus entry for')
}, { $id: 'EntityAcls', description: 'Access control lists of a channel, a message, or the application', examples: [{ appliedAcls: exampleLists, inForce: exampleLists }] })
export type EntityAcls = Static<typeof EntityAcls>

export const AccessQuery = Type.Object({
  privilege: Type.String({ maxLength: LONGEST_ENTRY, description: 'Which: one of a channel; with messageId, one of a message', examples: ['send_to_channel'] }),
  userId: Type.Optional(Id('Who: left out, whoever asks', '@amy')),
  messageId: Type.Optional(Id('The message that it is about, for read_message, delete_message and its modify_acl', 'greeting-1'))
})
export type AccessQuery = Static<typeof AccessQuery>

export const Access = Type.Object({
  allowed: Type.Boolean({ description: 'Whether the user may', examples: [true] }),
  because: Type.Object({
    rule: Type.Enum(['application', 'ruleset', 'group-type', 'own-entry', 'default', 'no-entry', 'minus-entry'], {
      type: 'string',
      'x-enum-varnames': ['ByApplication', 'ByRuleset', 'ByGroupType', 'ByOwnEntry', 'ByDefault', 'ByNoEntry', 'ByMinusEntry'],
      description: 'What decided it',
      examples: ['default']
    }),
    entry: Type.Optional(Type.String({ maxLength: LONGEST_ENTRY, description: 'The entry that did, for those who may read the entity', examples: [exampleEntry] })),
    status: Type.Optional(ref(RelayStatus, 'The user\'s status in the channel, where it is a participant'))
  }, { description: 'What decided it', examples: [{ rule: 'default', entry: exampleEntry, status: 'active' }] })
}, { $id: 'Access', description: 'Whether a user may do something, and what decided that', examples: [{ allowed: true, because: { rule: 'default', entry: exampleEntry, status: 'active' } }] })
export type Access = Static<typeof Access>
