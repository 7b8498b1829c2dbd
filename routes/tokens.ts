/** User tokens and event tokens (protocol 7). */
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LARGEST_ID_LIST, LONGEST_FORWARD_PAGE, ref } from '../schemas/common.ts'
import { EventToken, IssuedToken, TokensQuery, TokenSummary } from '../schemas/token.ts'
import { actorOf, rightOf, type Principal, type UserPrincipal } from '../src/auth/principal.ts'
import type { Tokens } from '../src/auth/tokens.ts'
import { refuse } from '../src/errors.ts'
import { answer, noContent, refusals, security } from '../src/http/answers.ts'
import { givenBy, onceOf, userOf } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import { forwardPageOf, sendPageHeaders } from '../src/http/paging.ts'
import { splitList } from '../src/http/validation.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['tokens']
const userId = Type.String({ description: 'The user, or "me"', examples: ['@amy'] })
const params = Type.Object({ userId })
const tokenParams = Type.Object({
  userId,
  tokenIds: Type.String({ description: 'Ids of tokens, comma-separated, up to 45', examples: ['1c9d0a44-6a2e-4b0c-8f55-3e8f1b7d9c02'] })
})

interface Dependencies {
  store: Store
  tokens: Pick<Tokens, 'issueUserToken' | 'issueEventToken'>
}

export const userTokens: FastifyPluginAsyncTypebox<Dependencies> = async (app, { store, tokens }) => {
  app.post('/v1/users/:userId/tokens', {
    schema: {
      operationId: 'issueToken',
      tags,
      summary: 'Make a token for a user (itself, the application)',
      security,
      params,
      headers: IdempotencyHeaders,
      response: { 200: answer(ref(IssuedToken), 'The token'), ...refusals }
    }
  }, async (request) => {
    const { principal, params } = request
    const { signedToken, tokenId } = await tokens.issueUserToken(principal, userOf(principal, params.userId), onceOf(request))
    return { userToken: { signedToken, supportedHeaders: [], supportedCookies: [], tokenId } }
  })

  app.get('/v1/users/:userId/tokens', {
    schema: {
      operationId: 'listTokens',
      tags,
      summary: 'List a user\'s tokens (itself, the application)',
      security,
      params,
      querystring: TokensQuery,
      response: { 200: answer(Type.Array(ref(TokenSummary), { maxItems: LONGEST_FORWARD_PAGE }), 'The tokens that are good now, in the order in which they were made', 'Link'), ...refusals }
    }
  }, async (request, reply) => {
    const { principal, params, query } = request
    const page = await store.listTokens(actorOf(principal), userOf(principal, params.userId), { ...forwardPageOf(query), at: Date.now() })
    sendPageHeaders(request, reply, page)
    return page.items
  })

  app.delete('/v1/users/:userId/tokens/:tokenIds', {
    schema: {
      operationId: 'revokeTokens',
      tags,
      summary: 'Revoke tokens of a user, all of them or none, and those that were made with them (itself, the application)',
      security,
      params: tokenParams,
      headers: IdempotencyHeaders,
      response: { 204: noContent('Revoked, in force everywhere'), ...refusals }
    }
  }, async (request, reply) => {
    const { principal, params } = request
    const tokenIds = splitList(params.tokenIds, LARGEST_ID_LIST)
    await store.append({
      type: 'revoke-tokens', userId: userOf(principal, params.userId), tokenIds, ...givenBy(request)
    })
    return await reply.code(204).send()
  })

  app.get('/v1/users/me/logout', {
    // It revokes: a HEAD must not.
    exposeHeadRoute: false,
    schema: {
      operationId: 'logout',
      tags,
      summary: 'Revoke the token that this call is made with',
      security,
      response: { 204: noContent('Revoked'), ...refusals }
    }
  }, async ({ principal }, reply) => {
    const { userId, lineage: [tokenId] } = userPrincipal(principal)
    if (tokenId === undefined) throw refuse('missingContext', 'This call shows no token that could be revoked: call with a user token')
    await store.append({ type: 'revoke-tokens', ...rightOf(principal), userId, tokenIds: [tokenId] })
    return await reply.code(204).send()
  })

  app.post('/v1/users/me/event-tokens', {
    schema: {
      operationId: 'issueEventToken',
      tags,
      summary: 'Make a token for event streams, to be put into a URL: receive-only, good for 12 hours of connects',
      security,
      headers: IdempotencyHeaders,
      response: { 200: answer(ref(EventToken), 'The token'), ...refusals }
    }
  }, async (request) => await tokens.issueEventToken(userPrincipal(request.principal), onceOf(request)))
}

function userPrincipal (principal: Principal): UserPrincipal {
  if (principal.kind === 'user') return principal
  throw refuse('missingContext', 'The application holds no token: call as a user, or add X-Mitter-Sudo-User-Id')
}
