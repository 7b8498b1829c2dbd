/** Participants of a channel (protocol 4). */
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LONGEST_FORWARD_PAGE, ref } from '../schemas/common.ts'
import { BriefParticipation, ChannelParticipation, ParticipantsQuery, ParticipationInput } from '../schemas/participation.ts'
import { actorOf } from '../src/auth/principal.ts'
import { answer, noContent, refusals, refuses, security } from '../src/http/answers.ts'
import { givenBy, userOf } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import { idOf } from '../src/http/input.ts'
import { forwardPageOf, sendPageHeaders } from '../src/http/paging.ts'
import { statusesAskedFor, wantsRepresentation } from '../src/http/participants.ts'
import { statusOf } from '../src/rules/relay.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['participants']
const channelId = Type.String({ description: 'The channel', examples: ['football-fans'] })
const params = Type.Object({ channelId })
const userParams = Type.Object({ channelId, userId: Type.String({ description: 'The user, or "me"', examples: ['me'] }) })

const addHeaders = Type.Object({
  ...IdempotencyHeaders.properties,
  prefer: Type.Optional(Type.String({ description: 'return=representation: answer the participation', examples: ['return=representation'] }))
})

export const participants: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  app.post('/v1/channels/:channelId/participants', {
    schema: {
      operationId: 'addParticipant',
      tags,
      summary: 'Join a channel (a user, for itself); add anyone to it (the application)',
      security,
      params,
      headers: addHeaders,
      body: ref(ParticipationInput),
      response: {
        200: answer(ref(ChannelParticipation), 'Added, where Prefer asked for the participation', 'X-Relay-Status', 'Preference-Applied'),
        204: noContent('Added', 'X-Relay-Status'),
        ...refusals,
        ...refuses(409)
      }
    }
  }, async (request, reply) => {
    const { params: { channelId }, body, headers } = request
    const userId = idOf(body.participantId)
    const status = statusOf[body.participationStatus ?? 'Active']
    const { participation } = await store.append({
      type: 'add-participant', channelId, userId, status, ...givenBy(request)
    })
    reply.header('x-relay-status', participation.relayStatus)
    if (!wantsRepresentation(headers.prefer)) return await reply.code(204).send()
    reply.header('preference-applied', 'return=representation')
    return participation
  })

  app.get('/v1/channels/:channelId/participants', {
    schema: {
      operationId: 'listParticipants',
      tags,
      summary: 'List participants, in order of joining (participants that receive, the application)',
      security,
      params,
      querystring: ParticipantsQuery,
      response: {
        200: answer(Type.Union([Type.Array(ref(ChannelParticipation), { maxItems: LONGEST_FORWARD_PAGE }), Type.Array(ref(BriefParticipation), { maxItems: LONGEST_FORWARD_PAGE })]), 'The participants', 'X-Event-Cursor', 'Link'),
        ...refusals,
        ...refuses(413)
      }
    }
  }, async (request, reply) => {
    const { principal, params: { channelId }, query } = request
    const { value, cursor } = await store.listParticipants(actorOf(principal), channelId, statusesAskedFor(query), forwardPageOf(query))
    sendPageHeaders(request, reply, value, cursor)
    if (query.expandParticipants !== false) return value.items
    return value.items.map(({ participantId, participationStatus }) => ({ participantId, participationStatus }))
  })

  app.delete('/v1/channels/:channelId/participants/:userId', {
    schema: {
      operationId: 'removeParticipant',
      tags,
      summary: 'Leave a channel (a user, for itself); take anyone out of it (the application)',
      security,
      params: userParams,
      headers: IdempotencyHeaders,
      response: { 204: noContent('Gone'), ...refusals, ...refuses(409) }
    }
  }, async (request, reply) => {
    const { principal, params: { channelId, userId } } = request
    await store.append({
      type: 'remove-participant',
      channelId,
      userId: userOf(principal, userId),
      ...givenBy(request)
    })
    return await reply.code(204).send()
  })
}
