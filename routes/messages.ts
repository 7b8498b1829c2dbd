/** Messages (protocol 6). The store has them as JSON text already: it is sent as it is. */
import { randomUUIDv7 } from 'node:crypto'
import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { LARGEST_ID_LIST, LARGEST_PAGE_ROWS, PagingQuery, ref } from '../schemas/common.ts'
import { Message, MessageEdit, MessageInput, SentMessage } from '../schemas/message.ts'
import { actorOf } from '../src/auth/principal.ts'
import { refuse } from '../src/errors.ts'
import { answer, arrayText, countedList, CURSOR_HEADER, noContent, refusals, refuses, security, sendText } from '../src/http/answers.ts'
import { givenBy } from '../src/http/callers.ts'
import { IdempotencyHeaders } from '../src/http/idempotency.ts'
import { mustBeNewId } from '../src/http/input.ts'
import { sendCommand, withRelay } from '../src/http/new-message.ts'
import { pageOf, sendPageHeaders } from '../src/http/paging.ts'
import { splitList } from '../src/http/validation.ts'
import type { Store } from '../src/store/contract/store.ts'

const tags = ['messages']
const channelId = Type.String({ description: 'The channel', examples: ['football-fans'] })
const messageExample = '3f0d8a52-0b4c-4f7e-8d53-2b7f0e6f6a11'
const channelParams = Type.Object({ channelId })
const messageParams = Type.Object({ messageId: Type.String({ description: 'The message', examples: [messageExample] }) })
// One path, so one name: an edit takes one id, a deletion several.
const editParams = Type.Object({ channelId, messageIds: Type.String({ description: 'The message', examples: [messageExample] }) })
const deleteParams = Type.Object({
  channelId,
  messageIds: Type.String({ description: 'The message; or several, comma-separated, up to 45: all of them or none', examples: [messageExample] })
})

export const messages: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  app.post('/v1/channels/:channelId/messages', {
    schema: {
      operationId: 'sendMessage',
      tags,
      summary: 'Send a message (active participants, the application)',
      security,
      params: channelParams,
      headers: IdempotencyHeaders,
      body: ref(MessageInput),
      response: { 200: answer(ref(SentMessage), 'Sent: on disk, and handed to every stream'), ...refusals, ...refuses(409, 501) }
    }
  }, async (request, reply) => {
    const { params: { channelId }, body } = request
    // In the order in which they are sent: the index of ids grows at its end.
    const { messageId = randomUUIDv7() } = body
    if (body.messageId !== undefined) mustBeNewId('message', messageId)
    const outcome = await store.append(sendCommand(request, channelId, messageId, body))
    sendText(reply, withRelay(outcome))
  })

  app.get('/v1/channels/:channelId/messages', {
    schema: {
      operationId: 'listMessages',
      tags,
      summary: 'List a channel\'s messages (participants that receive, the application)',
      security,
      params: channelParams,
      querystring: PagingQuery,
      response: { 200: answer(Type.Array(ref(Message), { maxItems: LARGEST_PAGE_ROWS }), 'A page of messages', ...countedList), ...refusals }
    }
  }, async (request, reply) => {
    const { principal, params: { channelId }, query } = request
    const { value, cursor } = await store.listMessages(actorOf(principal), channelId, pageOf(query))
    sendPageHeaders(request, reply, value, cursor)
    sendText(reply, arrayText(value.items))
    return await reply
  })

  app.get('/v1/messages/:messageId', {
    schema: {
      operationId: 'getMessage',
      tags,
      summary: 'Read a message (participants that receive, its sender, the application)',
      security,
      params: messageParams,
      response: { 200: answer(ref(Message), 'The message', 'X-Event-Cursor'), ...refusals }
    }
  }, async ({ principal, params: { messageId } }, reply) => {
    const { value, cursor } = await store.getMessage(actorOf(principal), messageId)
    reply.header(CURSOR_HEADER, cursor)
    sendText(reply, value)
    return await reply
  })

  app.patch('/v1/channels/:channelId/messages/:messageIds', {
    schema: {
      operationId: 'editMessage',
      tags,
      summary: 'Edit a message (its sender while it may send, the application)',
      security,
      params: editParams,
      headers: IdempotencyHeaders,
      body: ref(MessageEdit),
      response: { 200: answer(ref(Message), 'The message as it is now'), ...refusals }
    }
  }, async (request, reply) => {
    const { params: { channelId, messageIds: messageId }, body: { textPayload, messageData } } = request
    if (textPayload === undefined && messageData === undefined) throw refuse('badRequest', 'The edit changes nothing: send textPayload, messageData, or both')
    const { message } = await store.append({
      type: 'edit-message',
      channelId,
      messageId,
      ...(textPayload === undefined ? {} : { textPayload }),
      ...(messageData === undefined ? {} : { messageData }),
      ...givenBy(request)
    })
    sendText(reply, message)
    return await reply
  })

  app.delete('/v1/channels/:channelId/messages/:messageIds', {
    schema: {
      operationId: 'deleteMessages',
      tags,
      summary: 'Delete messages (their sender, the application)',
      security,
      params: deleteParams,
      headers: IdempotencyHeaders,
      response: { 204: noContent('Deleted: their content is gone, from replays too'), ...refusals }
    }
  }, async (request, reply) => {
    const { params: { channelId, messageIds: list } } = request
    const messageIds = splitList(list, LARGEST_ID_LIST)
    await store.append({ type: 'delete-messages', channelId, messageIds, ...givenBy(request) })
    return await reply.code(204).send()
  })

  app.delete('/v1/channels/:channelId/messages', {
    schema: {
      operationId: 'truncateChannel',
      tags,
      summary: 'Delete all messages of a channel (the application)',
      security,
      params: channelParams,
      headers: IdempotencyHeaders,
      response: { 204: noContent('Deleted: their content is gone, from replays too'), ...refusals }
    }
  }, async (request, reply) => {
    const { params: { channelId } } = request
    await store.append({ type: 'truncate-channel', channelId, ...givenBy(request) })
    return await reply.code(204).send()
  })
}
