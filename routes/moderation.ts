/** What is done to participants by others (protocol 4; relay.md). */
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ref } from '../schemas/common.ts'
import { ChangedParticipation, ParticipationChange } from '../schemas/participation.ts'
import { refuse } from '../src/errors.ts'
import { answer, noContent, refusals, refuses, security } from '../src/http/answers.ts'
import { givenBy, userOf } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['participants']
const params = Type.Object({
  channelId: Type.String({ description: 'The channel', examples: ['football-fans'] }),
  userId: Type.String({ description: 'The user, or "me"', examples: ['@amy'] })
})

const operations = [
  ['accept', 'Accept who asked to join (private: active participants; strict_private: active admins; the application)', 'Accepted'],
  ['reject', 'Turn away who asked to join (whoever may accept)', 'Turned away'],
  ['mute', 'Let a participant of a strict_private channel read only (active admins, the application)', 'Muted'],
  ['unmute', 'Let a muted participant of a strict_private channel send again (active admins, the application)', 'Unmuted']
] as const

export const moderation: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  for (const [operation, summary, done] of operations) {
    app.post(`/v1/channels/:channelId/participants/:userId/${operation}`, {
      schema: {
        operationId: `${operation}Participant`,
        tags,
        summary,
        security,
        params,
        headers: IdempotencyHeaders,
        response: { 204: noContent(done), ...refusals, ...refuses(409) }
      }
    }, async (request, reply) => {
      const { principal, params: { channelId, userId } } = request
      await store.append({
        type: 'moderate-participant',
        operation,
        channelId,
        userId: userOf(principal, userId),
        ...givenBy(request)
      })
      return await reply.code(204).send()
    })
  }

  app.patch('/v1/channels/:channelId/participants/:userId', {
    schema: {
      operationId: 'changeParticipant',
      tags,
      summary: 'Change a participant\'s status (the application) or roles (active admins of a GroupChat, the application)',
      security,
      params,
      headers: IdempotencyHeaders,
      body: ref(ParticipationChange),
      response: { 200: answer(ref(ChangedParticipation), 'Before and after'), ...refusals, ...refuses(409) }
    }
  }, async (request) => {
    const { principal, params: { channelId, userId }, body: { newStatus, roles } } = request
    if (newStatus === undefined && roles === undefined) throw refuse('badRequest', 'The change changes nothing: send newStatus, roles, or both')
    const { before, after } = await store.append({
      type: 'change-participant',
      channelId,
      userId: userOf(principal, userId),
      ...(newStatus === undefined ? {} : { newStatus }),
      ...(roles === undefined ? {} : { roles }),
      ...givenBy(request)
    })
    return { oldChannelParticipation: before, newChannelParticipation: after }
  })
}
