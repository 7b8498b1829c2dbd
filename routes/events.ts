/** Event streams (protocol 8). */
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { StreamHeaders, StreamQuery } from '../schemas/stream.ts'
import { actorOf } from '../src/auth/principal.ts'
import { eventStream, refuses, security } from '../src/http/answers.ts'
import { mustBeApplication, ownUserOf } from '../src/http/callers.ts'
import type { EventStreams } from '../src/http/event-stream.ts'
import type { StreamRequest } from '../src/store/contract/log.ts'

const tags = ['events']
const resumable = {
  tags,
  security: [...security, { eventToken: [] }],
  querystring: StreamQuery,
  headers: StreamHeaders,
  // What is the service's own fault is a 200 too (protocol 8, promise 8).
  response: { 200: eventStream, ...refuses(400, 401, 403, 404, 406) }
}

export const events: FastifyPluginAsyncTypebox<{ streams: EventStreams }> = async (app, { streams }) => {
  const options = { config: { eventStream: true }, exposeHeadRoute: false, errorHandler: streams.answerError }
  const serve = (request: FastifyRequest, reply: FastifyReply, what: StreamRequest) =>
    streams.serve(request, reply, what)

  app.get('/v1/channels/:channelId/events', {
    ...options,
    schema: {
      operationId: 'streamChannel',
      summary: 'Stream what happens in a channel (participants that receive, the application)',
      params: Type.Object({ channelId: Type.String({ description: 'The channel', examples: ['football-fans'] }) }),
      ...resumable
    }
  }, async (request, reply) => {
    const { principal, params: { channelId } } = request
    await serve(request, reply, { of: 'channel', channelId, actor: actorOf(principal) })
  })

  app.get('/v1/users/:userId/events', {
    ...options,
    schema: {
      operationId: 'streamUser',
      summary: 'Stream what happens in every channel that a user receives, and what concerns the user (itself, the application)',
      params: Type.Object({ userId: Type.String({ description: 'The user, or "me"', examples: ['me'] }) }),
      ...resumable
    }
  }, async (request, reply) => {
    const userId = ownUserOf(request.principal, request.params.userId, 'read its stream')
    await serve(request, reply, { of: 'user', userId })
  })

  app.get('/v1/events', {
    ...options,
    schema: { operationId: 'streamApplication', summary: 'Stream everything (the application)', ...resumable }
  }, async (request, reply) => {
    mustBeApplication(request.principal, 'stream everything')
    await serve(request, reply, { of: 'application' })
  })
}
