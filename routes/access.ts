/** Access control lists (protocol 11). */
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Access, AccessQuery, AclPatch, EntityAcls } from '../schemas/access.ts'
import { ref } from '../schemas/common.ts'
import { actorOf } from '../src/auth/principal.ts'
import { patchOf } from '../src/http/acls.ts'
import { answer, CURSOR_HEADER, noContent, refusals, security } from '../src/http/answers.ts'
import { givenBy, userOf } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import { refuse } from '../src/errors.ts'
import type { AclsOf } from '../src/store/contract/reads.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['access control']
const channelParams = Type.Object({ channelId: Type.String({ description: 'The channel', examples: ['football-fans'] }) })
const messageParams = Type.Object({ messageId: Type.String({ description: 'The message', examples: ['greeting-1'] }) })
const applicationParams = Type.Object({ applicationId: Type.String({ description: 'The application: APPLICATION_ID of its settings', examples: ['my-application'] }) })

export const access: FastifyPluginAsyncTypebox<{ store: Store, applicationId: string }> = async (app, { store, applicationId }) => {
  const application = (named: string): AclsOf => {
    if (named !== applicationId) throw refuse('notFound', 'There is no such application: name the one that credentials.json, or APPLICATION_ID, has')
    return { kind: 'application' }
  }

  app.patch('/v1/channels/:channelId/acls', {
    schema: {
      operationId: 'changeChannelAcls',
      tags,
      summary: 'Change the access control lists of a channel (whoever has modify_acl of it, the application)',
      security,
      params: channelParams,
      headers: IdempotencyHeaders,
      body: ref(AclPatch),
      response: { 204: noContent('Changed, or the same as before'), ...refusals }
    }
  }, async (request, reply) => {
    const of: AclsOf = { kind: 'channel', channelId: request.params.channelId }
    await store.append({ type: 'change-acls', of, patch: patchOf(request.body, of), ...givenBy(request) })
    return await reply.code(204).send()
  })

  app.patch('/v1/messages/:messageId/acls', {
    schema: {
      operationId: 'changeMessageAcls',
      tags,
      summary: 'Change the access control lists of a message (whoever has modify_acl of it, the application)',
      security,
      params: messageParams,
      headers: IdempotencyHeaders,
      body: ref(AclPatch),
      response: { 204: noContent('Changed, or the same as before'), ...refusals }
    }
  }, async (request, reply) => {
    const of: AclsOf = { kind: 'message', messageId: request.params.messageId }
    await store.append({ type: 'change-acls', of, patch: patchOf(request.body, of), ...givenBy(request) })
    return await reply.code(204).send()
  })

  app.patch('/v1/applications/:applicationId/acls', {
    schema: {
      operationId: 'changeApplicationAcls',
      tags,
      summary: 'Change the access control lists of the application (whoever has modify_acl of it, itself)',
      security,
      params: applicationParams,
      headers: IdempotencyHeaders,
      body: ref(AclPatch),
      response: { 204: noContent('Changed, or the same as before'), ...refusals }
    }
  }, async (request, reply) => {
    const of = application(request.params.applicationId)
    await store.append({ type: 'change-acls', of, patch: patchOf(request.body, of), ...givenBy(request) })
    return await reply.code(204).send()
  })

  app.get('/v1/channels/:channelId/acls', {
    schema: {
      operationId: 'getChannelAcls',
      tags,
      summary: 'Read the access control lists of a channel (whoever may read the channel)',
      security,
      params: channelParams,
      response: { 200: answer(ref(EntityAcls), 'Its own lists, and what results', 'X-Event-Cursor'), ...refusals }
    }
  }, async ({ principal, params }, reply) => {
    const { value, cursor } = await store.getAcls(actorOf(principal), { kind: 'channel', channelId: params.channelId })
    reply.header(CURSOR_HEADER, cursor)
    return value
  })

  app.get('/v1/messages/:messageId/acls', {
    schema: {
      operationId: 'getMessageAcls',
      tags,
      summary: 'Read the access control lists of a message (whoever may read the message)',
      security,
      params: messageParams,
      response: { 200: answer(ref(EntityAcls), 'Its own lists, and what results', 'X-Event-Cursor'), ...refusals }
    }
  }, async ({ principal, params }, reply) => {
    const { value, cursor } = await store.getAcls(actorOf(principal), { kind: 'message', messageId: params.messageId })
    reply.header(CURSOR_HEADER, cursor)
    return value
  })

  app.get('/v1/applications/:applicationId/acls', {
    schema: {
      operationId: 'getApplicationAcls',
      tags,
      summary: 'Read the access control lists of the application (the application)',
      security,
      params: applicationParams,
      response: { 200: answer(ref(EntityAcls), 'Its own lists, and what results'), ...refusals }
    }
  }, async ({ principal, params }) => {
    const { value } = await store.getAcls(actorOf(principal), application(params.applicationId))
    return value
  })

  app.get('/v1/channels/:channelId/access', {
    schema: {
      operationId: 'explainAccess',
      tags,
      summary: 'Ask whether a user may do something, and what decides it (oneself about oneself, active admins, the application)',
      security,
      params: channelParams,
      querystring: AccessQuery,
      response: { 200: answer(ref(Access), 'Whether, and what decides it'), ...refusals }
    }
  }, async ({ principal, params, query }) => {
    const { privilege, userId, messageId } = query
    return await store.explainAccess(actorOf(principal), params.channelId, {
      privilege,
      ...(userId === undefined ? {} : { userId: userOf(principal, userId) }),
      ...(messageId === undefined ? {} : { messageId })
    })
  })
}
