/** User tokens and event tokens (protocol 2 and 7). */
import { Type, type Static } from 'typebox'
import { Id, LONGEST_FORWARD_PAGE, ref, Time } from './common.ts'

const exampleToken = 'eyJhbGciOiJIUzUxMiJ9.eyJpc3MiOiJtaXR0ZXItaW8ifQ.c2lnbmF0dXJl'
const exampleId = '1c9d0a44-6a2e-4b0c-8f55-3e8f1b7d9c02'

export const UserToken = Type.Object({
  signedToken: Type.String({ description: 'The token: send it as "Authorization: Bearer <token>"', examples: [exampleToken] }),
  supportedHeaders: Type.Array(Type.String(), { maxItems: 0, description: 'Always empty', examples: [[]] }),
  supportedCookies: Type.Array(Type.String(), { maxItems: 0, description: 'Always empty', examples: [[]] }),
  tokenId: Id('The id by which it can be revoked', exampleId)
}, {
  $id: 'UserToken',
  description: 'A token with which a client acts as a user',
  examples: [{ signedToken: exampleToken, supportedHeaders: [], supportedCookies: [], tokenId: exampleId }]
})
export type UserToken = Static<typeof UserToken>

export const IssuedToken = Type.Object({
  userToken: ref(UserToken)
}, {
  $id: 'IssuedToken',
  description: 'A token that was made just now',
  examples: [{ userToken: { signedToken: exampleToken, supportedHeaders: [], supportedCookies: [], tokenId: exampleId } }]
})
export type IssuedToken = Static<typeof IssuedToken>

export const TokenSummary = Type.Object({
  tokenId: Id('The id by which it can be revoked', exampleId),
  createdAt: Time('When it was made'),
  expiresAt: Type.Optional(Time('When it ends; absent if it does not'))
}, { $id: 'TokenSummary', description: 'A token that was made earlier, without itself', examples: [{ tokenId: exampleId, createdAt: 1732240000000 }] })
export type TokenSummary = Static<typeof TokenSummary>

export const TokensQuery = Type.Object({
  after: Type.Optional(Type.String({ description: 'Those made after the token with this id', examples: [exampleId] })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: LONGEST_FORWARD_PAGE, default: LONGEST_FORWARD_PAGE, description: 'Tokens at most, 1 to 1,000', examples: [20] }))
})

export const EventToken = Type.Object({
  eventToken: Type.String({ description: 'The token: put it into the query of an event stream as access_token', examples: [exampleToken] }),
  expiresAt: Time('When it ends')
}, { $id: 'EventToken', description: 'A token that is good for event streams only', examples: [{ eventToken: exampleToken, expiresAt: 1732240000000 }] })
export type EventToken = Static<typeof EventToken>
