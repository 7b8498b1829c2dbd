/** Users (protocol 7). */
import { Type, type Static } from 'typebox'
import { audits, Id, ref, unsupportedInput } from './common.ts'

/** Characters of a name, and places where a user can be found (protocol 1, rule 9). */
const LONGEST_SCREEN_NAME = 256
const MOST_LOCATORS = 64
/** Characters of one of them, written as JSON: it may have fields of any depth. */
export const LONGEST_LOCATOR = 1024

const exampleAudit = { createdAt: 1732240000000, updatedAt: 1732240000000 }

export const ScreenName = Type.Object({
  screenName: Type.String({ maxLength: LONGEST_SCREEN_NAME, description: 'The name that others see, up to 256 characters', examples: ['Amy'] })
}, { $id: 'ScreenName', description: 'The name that others see', examples: [{ screenName: 'Amy' }] })
export type ScreenName = Static<typeof ScreenName>

export const UserLocator = Type.Unsafe<Record<string, unknown>>({
  $id: 'UserLocator',
  type: 'object',
  additionalProperties: true,
  description: 'Where a user can be found, kept as it is',
  examples: [{ '@type': 'email', locator: 'email:amy@example.com' }]
})
export type UserLocator = Static<typeof UserLocator>

export const User = Type.Object({
  userId: Id('The id of the user', '@amy'),
  identifier: Id('The same as userId', '@amy'),
  screenName: Type.Optional(ref(ScreenName, 'The name that others see')),
  userLocators: Type.Array(ref(UserLocator), { maxItems: MOST_LOCATORS, description: 'Where the user can be found', examples: [[]] }),
  systemUser: Type.Boolean({ description: 'Whether it is a machine\'s user', examples: [false] }),
  synthetic: Type.Boolean({ description: 'Always false: every user was created by the application', examples: [false] }),
  ...audits
}, {
  $id: 'User',
  description: 'A user of the application',
  examples: [{
    userId: '@amy',
    identifier: '@amy',
    screenName: { screenName: 'Amy' },
    userLocators: [],
    systemUser: false,
    synthetic: false,
    audit: exampleAudit,
    auditInfo: exampleAudit
  }]
})
export type User = Static<typeof User>

export const UserInput = Type.Object({
  userId: Type.Optional(Id('The id it is to have, 1 to 72 characters. Left out: a UUID', '@amy')),
  screenName: Type.Optional(ref(ScreenName, 'The name that others see')),
  userLocators: Type.Optional(Type.Array(ref(UserLocator), { maxItems: MOST_LOCATORS, description: 'Where the user can be found, up to 64 places, each up to 1,024 characters of JSON', examples: [[]] })),
  systemUser: Type.Optional(Type.Boolean({ description: 'Whether it is a machine\'s user. Left out: false', examples: [false] })),
  appliedAcls: Type.Optional(Type.Unknown({ description: 'A user has no access control lists of its own: leave out, or send empty', examples: [{}] })),
  ...unsupportedInput
}, { $id: 'UserInput', description: 'A user to create', examples: [{ userId: '@amy', screenName: { screenName: 'Amy' } }] })
export type UserInput = Static<typeof UserInput>
