/** From the body of a message to the command, and from its outcome to the answer (protocol 6). */
import type { FastifyRequest } from 'fastify'
import type { MessageInput } from '../../schemas/message.ts'
import { actorOf } from '../auth/principal.ts'
import { parseLists } from '../rules/access-entries.ts'
import type { SendMessage, SendOutcome } from '../store/contract/commands.ts'
import { givenBy } from './callers.ts'
import { idOf, mustNotUseUnsupported, timelineEventsOf } from './input.ts'

/** Throws what `mustNotUseUnsupported` and `timelineEventsOf` throw. Whether a user names itself is decided with the channel. */
export function sendCommand (request: FastifyRequest, channelId: string, messageId: string, body: MessageInput): SendMessage {
  mustNotUseUnsupported(body)
  const acls = parseLists(body.appliedAcls, { kind: 'message', channelId })
  const senderId = body.senderId === undefined ? actorOf(request.principal) : idOf(body.senderId)
  return {
    type: 'send-message',
    channelId,
    messageId,
    senderId,
    messageType: body.messageType ?? 'Standard',
    payloadType: body.payloadType ?? 'mitter.mt.Text',
    textPayload: body.textPayload,
    messageData: body.messageData ?? [],
    timelineEvents: timelineEventsOf(body.timelineEvents),
    ...(acls === undefined ? {} : { acls }),
    ...givenBy(request)
  }
}

/** The message's text with `relay` as its last field: nothing is parsed or rendered twice. */
export function withRelay ({ message, recipientsCount, cursor }: SendOutcome): string {
  return `${message.slice(0, -1)},"relay":${JSON.stringify({ status: 'relayed', recipientsCount, cursor })}}`
}
