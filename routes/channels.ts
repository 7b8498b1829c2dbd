/** Channels (protocol 3). */
import { randomUUID } from 'node:crypto'
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Channel, ChannelInput, ChannelsQuery, ParticipatedChannel, ParticipatedChannelsQuery } from '../schemas/channel.ts'
import { LARGEST_ID_LIST, LARGEST_PAGE_ROWS, ref, Reference } from '../schemas/common.ts'
import { actorOf } from '../src/auth/principal.ts'
import { refuse } from '../src/errors.ts'
import { answer, countedList, CURSOR_HEADER, noContent, refusals, refuses, security } from '../src/http/answers.ts'
import { givenBy, userOf } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import { mustBeNewId, mustNotUseUnsupported, timelineEventsOf } from '../src/http/input.ts'
import { listedParticipants, mustNotClaimSystem, namedRuleset } from '../src/http/new-channel.ts'
import { pageOf, sendPageHeaders } from '../src/http/paging.ts'
import { splitList } from '../src/http/validation.ts'
import { parseLists } from '../src/rules/access-entries.ts'
import { groupTypeOf } from '../src/rules/rulesets.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['channels']
const one = Type.Object({ channelId: Type.String({ description: 'The channel', examples: ['football-fans'] }) })
const several = Type.Object({
  channelId: Type.String({ description: 'The channel; or several, comma-separated, up to 45', examples: ['football-fans'] })
})

/** A filter that is ignored would answer with what nobody asked for. */
function mustNotFilter (query: object): void {
  if ('metadata' in query) throw refuse('notImplemented', 'Finding channels by metadata')
}

export const channels: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  app.post('/v1/channels', {
    schema: {
      operationId: 'createChannel',
      tags,
      summary: 'Create a channel (any user, the application)',
      security,
      headers: IdempotencyHeaders,
      body: ref(ChannelInput),
      response: { 200: answer(ref(Reference), 'Created: its id'), ...refusals, ...refuses(409, 501) }
    }
  }, async (request) => {
    const { body } = request
    mustNotUseUnsupported(body)
    const { channelId = randomUUID() } = body
    const ruleset = namedRuleset('body/defaultRuleSet', body.defaultRuleSet)
    mustNotClaimSystem(ruleset, body.systemChannel)
    mustBeNewId('channel', channelId)
    const acls = parseLists(body.appliedAcls, { kind: 'channel', channelId })
    return await store.append({
      type: 'create-channel',
      channelId,
      ruleset,
      groupType: groupTypeOf(ruleset, body.groupType),
      participants: listedParticipants(body.participation),
      timelineEvents: timelineEventsOf(body.timelineEvents),
      ...(acls === undefined ? {} : { acls }),
      ...givenBy(request)
    })
  })

  app.get('/v1/channels', {
    schema: {
      operationId: 'listChannels',
      tags,
      summary: 'List channels (the application)',
      security,
      querystring: ChannelsQuery,
      response: { 200: answer(Type.Array(ref(Channel), { maxItems: LARGEST_PAGE_ROWS }), 'A page of channels', ...countedList), ...refusals, ...refuses(501) }
    }
  }, async (request, reply) => {
    const { principal, query } = request
    mustNotFilter(query)
    const filter = { includeSystemChannels: query.includeSystemChannels === true }
    const { value, cursor } = await store.listChannels(actorOf(principal), pageOf(query), filter)
    sendPageHeaders(request, reply, value, cursor)
    return value.items
  })

  app.get('/v1/users/:userId/channels', {
    schema: {
      operationId: 'listChannelsOfUser',
      tags,
      summary: 'List the channels that a user is in, whatever its status there (itself, the application)',
      security,
      params: Type.Object({ userId: Type.String({ description: 'The user, or "me"', examples: ['me'] }) }),
      querystring: ParticipatedChannelsQuery,
      response: {
        200: answer(Type.Array(ref(ParticipatedChannel), { maxItems: LARGEST_PAGE_ROWS }), 'A page of channels', ...countedList), ...refusals
      }
    }
  }, async (request, reply) => {
    const { principal, params, query } = request
    const { value, cursor } = await store.listChannelsOf(actorOf(principal), userOf(principal, params.userId), pageOf(query), {
      includeSystemChannels: query.includeSystemChannels === true,
      ...(query.rulesetFilter === undefined ? {} : { ruleset: namedRuleset('query/rulesetFilter', query.rulesetFilter) })
    })
    sendPageHeaders(request, reply, value, cursor)
    return value.items
  })

  app.get('/v1/channels/:channelId', {
    schema: {
      operationId: 'getChannel',
      tags,
      summary: 'Read a channel, or several (participants, the application; a public channel: any user)',
      security,
      params: several,
      response: { 200: answer(Type.Union([ref(Channel), Type.Array(ref(Channel), { maxItems: LARGEST_ID_LIST })]), 'The channel; an array where the path has a comma', 'X-Event-Cursor'), ...refusals, ...refuses(413) }
    }
  }, async ({ principal, params }, reply) => {
    const { value, cursor } = await store.getChannels(actorOf(principal), splitList(params.channelId, LARGEST_ID_LIST))
    reply.header(CURSOR_HEADER, cursor)
    return params.channelId.includes(',') ? value : value[0]!
  })

  app.delete('/v1/channels/:channelId', {
    schema: {
      operationId: 'deleteChannel',
      tags,
      summary: 'Delete a channel (the application)',
      security,
      params: one,
      headers: IdempotencyHeaders,
      response: { 204: noContent('Deleted: its id is free again'), ...refusals }
    }
  }, async (request, reply) => {
    const { params: { channelId } } = request
    await store.append({ type: 'delete-channel', channelId, ...givenBy(request) })
    return await reply.code(204).send()
  })
}
