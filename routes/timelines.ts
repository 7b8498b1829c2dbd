/** Timelines of channels and of messages (protocol 5). */
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LARGEST_ID_LIST, LONGEST_FORWARD_PAGE, ref, Reference } from '../schemas/common.ts'
import { ChannelTimelineEntry, MessageTimelineEntry, TimelineEventInput, TimelineQuery } from '../schemas/timeline.ts'
import { actorOf } from '../src/auth/principal.ts'
import { refuse } from '../src/errors.ts'
import { answer, noContent, refusals, refuses, security } from '../src/http/answers.ts'
import { givenBy } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import { timelineEventOf } from '../src/http/input.ts'
import { forwardPageOf, sendPageHeaders } from '../src/http/paging.ts'
import { refuseField, splitList } from '../src/http/validation.ts'
import type { EventRequest } from '../src/store/contract/reads.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['timelines']
const channelId = Type.String({ description: 'The channel', examples: ['football-fans'] })
const channelIds = Type.String({ description: 'The channel; to read: or several, comma-separated, up to 45', examples: ['football-fans'] })
const messageIds = Type.String({ description: 'The message; or several, comma-separated, up to 45', examples: ['3f0d8a52-0b4c-4f7e-8d53-2b7f0e6f6a11'] })
const channelParams = Type.Object({ channelId: channelIds })
const messageParams = Type.Object({ channelId, messageIds })

/** Longest filter, in types: there are seven standard ones. */
const MOST_TYPES = 45

/** @param of the channels, or the messages, whose events are asked for */
function eventsOf (query: TimelineQuery, of: string[]): EventRequest {
  const { eventTypeFilter, after } = query
  if (after !== undefined && of.length > 1) throw refuseField('query/after', 'is a place on one timeline: name one channel, or one message')
  return {
    ...forwardPageOf(query),
    ...(eventTypeFilter === undefined || eventTypeFilter === '' ? {} : { types: splitList(eventTypeFilter, MOST_TYPES) })
  }
}

export const timelines: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  app.post('/v1/channels/:channelId/timeline', {
    schema: {
      operationId: 'addChannelEvent',
      tags,
      summary: 'Add an event to a channel\'s timeline (participants that receive, the application)',
      security,
      params: channelParams,
      headers: IdempotencyHeaders,
      body: ref(TimelineEventInput),
      response: { 204: noContent('Added'), ...refusals, ...refuses(409) }
    }
  }, async (request, reply) => {
    const { params: { channelId }, body } = request
    if (channelId.includes(',')) throw refuse('badRequest', 'An event is added to one channel at a time: name one')
    await store.append({
      type: 'add-channel-event', channelId, event: timelineEventOf(body, 'body'), ...givenBy(request)
    })
    return await reply.code(204).send()
  })

  app.get('/v1/channels/:channelId/timeline', {
    schema: {
      operationId: 'listChannelEvents',
      tags,
      summary: 'Read the timeline of a channel, or of several (participants that receive each, the application)',
      security,
      params: channelParams,
      querystring: TimelineQuery,
      response: { 200: answer(Type.Array(ref(ChannelTimelineEntry), { maxItems: LARGEST_ID_LIST * LONGEST_FORWARD_PAGE }), 'The events, channel by channel; of one channel in pages', 'X-Event-Cursor', 'Link'), ...refusals, ...refuses(413) }
    }
  }, async (request, reply) => {
    const { principal, params, query } = request
    const channelIds = splitList(params.channelId, LARGEST_ID_LIST)
    const { value, cursor } = await store.listChannelEvents(actorOf(principal), channelIds, eventsOf(query, channelIds))
    sendPageHeaders(request, reply, value, cursor)
    return value.items
  })

  app.post('/v1/channels/:channelId/messages/:messageIds/timeline', {
    schema: {
      operationId: 'addMessageEvent',
      tags,
      summary: 'Add an event to the timeline of messages, all of them or none (participants that receive, the application)',
      security,
      params: messageParams,
      headers: IdempotencyHeaders,
      body: ref(TimelineEventInput),
      response: { 200: answer(ref(Reference), 'Added: the id of the event; of several messages, that of the first one\'s'), ...refusals, ...refuses(409) }
    }
  }, async (request) => {
    const { params: { channelId, messageIds: list }, body } = request
    const messageIds = splitList(list, LARGEST_ID_LIST)
    const event = timelineEventOf(body, 'body')
    if (event.eventId !== undefined && messageIds.length > 1) throw refuse('badRequest', 'Each message gets an event of its own: leave eventId out, or name one message')
    const { eventId } = await store.append({
      type: 'add-message-event', channelId, messageIds, event, ...givenBy(request)
    })
    return { identifier: eventId }
  })

  app.get('/v1/channels/:channelId/messages/:messageIds/timeline', {
    schema: {
      operationId: 'listMessageEvents',
      tags,
      summary: 'Read the timeline of a message, or of several (participants that receive, the application)',
      security,
      params: messageParams,
      querystring: TimelineQuery,
      response: { 200: answer(Type.Array(ref(MessageTimelineEntry), { maxItems: LARGEST_ID_LIST * LONGEST_FORWARD_PAGE }), 'The events, message by message; of one message in pages', 'X-Event-Cursor', 'Link'), ...refusals, ...refuses(413) }
    }
  }, async (request, reply) => {
    const { principal, params, query } = request
    const messageIds = splitList(params.messageIds, LARGEST_ID_LIST)
    const { value, cursor } = await store.listMessageEvents(actorOf(principal), params.channelId, messageIds, eventsOf(query, messageIds))
    sendPageHeaders(request, reply, value, cursor)
    return value.items
  })
}
