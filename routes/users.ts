/** Users (protocol 7). */
import { randomUUID } from 'node:crypto'
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LARGEST_PAGE_ROWS, PagingQuery, ref, Reference } from '../schemas/common.ts'
import { LONGEST_LOCATOR, User, UserInput, type UserLocator } from '../schemas/user.ts'
import { actorOf } from '../src/auth/principal.ts'
import { refuse } from '../src/errors.ts'
import { answer, noContent, refusals, refuses, security } from '../src/http/answers.ts'
import { givenBy, userOf } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import { isEmpty, mustBeNewId, mustNotUseUnsupported } from '../src/http/input.ts'
import { pageOf, sendPageHeaders } from '../src/http/paging.ts'
import { refuseField } from '../src/http/validation.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['users']
const params = Type.Object({ userId: Type.String({ description: 'The user, or "me"', examples: ['@amy'] }) })

/** A filter that is ignored would answer with whom nobody asked for. */
function mustNotFilter (query: object): void {
  for (const filter of ['locators', 'metadata']) if (filter in query) throw refuse('notImplemented', `Finding users by ${filter}`)
}

function mustBeShort (userLocators: UserLocator[]): void {
  const long = userLocators.findIndex(locator => JSON.stringify(locator).length > LONGEST_LOCATOR)
  if (long !== -1) throw refuseField(`body/userLocators/${long}`, `has more than ${LONGEST_LOCATOR} characters, written as JSON: send less`)
}

export const users: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  app.post('/v1/users', {
    schema: {
      operationId: 'createUser',
      tags,
      summary: 'Create a user (the application)',
      security,
      headers: IdempotencyHeaders,
      body: ref(UserInput),
      response: { 200: answer(ref(Reference), 'Created: its id'), ...refusals, ...refuses(409, 501) }
    }
  }, async (request) => {
    const { body } = request
    mustNotUseUnsupported(body)
    if (!isEmpty(body.appliedAcls)) throw refuseField('body/appliedAcls', 'is not possible: a user has no access control lists of its own; leave it out')
    const { userId = randomUUID(), screenName, userLocators = [], systemUser = false } = body
    mustBeNewId('user', userId)
    mustBeShort(userLocators)
    return await store.append({
      type: 'create-user',
      userId,
      userLocators,
      systemUser,
      ...(screenName === undefined ? {} : { screenName: screenName.screenName }),
      ...givenBy(request)
    })
  })

  app.get('/v1/users', {
    schema: {
      operationId: 'listUsers',
      tags,
      summary: 'List users (the application)',
      security,
      querystring: PagingQuery,
      response: { 200: answer(Type.Array(ref(User), { maxItems: LARGEST_PAGE_ROWS }), 'A page of users', 'X-Mitter-Paginated-Estimated-Count', 'Link'), ...refusals, ...refuses(501) }
    }
  }, async (request, reply) => {
    const { principal, query } = request
    mustNotFilter(query)
    const page = await store.listUsers(actorOf(principal), pageOf(query))
    sendPageHeaders(request, reply, page)
    return page.items
  })

  app.get('/v1/users/:userId', {
    schema: {
      operationId: 'getUser',
      tags,
      summary: 'Read a user (itself, the application)',
      security,
      params,
      response: { 200: answer(ref(User), 'The user'), ...refusals }
    }
  }, async ({ principal, params }) => await store.getUser(actorOf(principal), userOf(principal, params.userId)))

  app.delete('/v1/users/:userId', {
    schema: {
      operationId: 'deleteUser',
      tags,
      summary: 'Delete a user: it leaves its channels, its tokens are revoked, its messages stay under .deleted (the application)',
      security,
      params,
      headers: IdempotencyHeaders,
      response: { 204: noContent('Deleted'), ...refusals }
    }
  }, async (request, reply) => {
    const { principal, params } = request
    const userId = userOf(principal, params.userId)
    await store.append({ type: 'delete-user', userId, ...givenBy(request) })
    return await reply.code(204).send()
  })
}
