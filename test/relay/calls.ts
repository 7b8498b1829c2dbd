/** Each step as the call that it is over HTTP. */
import { SYSTEM, type Happening, type Listed, type Step } from './steps.ts'

export interface Call {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  body?: unknown
}

/** When events happened, in milliseconds since the epoch: nothing depends on it. */
const EVENT_TIME_MS = 1_700_000_000_000

/** The call of a step, names turned into ids by `id`. Of a stream it is the opening. */
export function callOf (step: Step, id: (name: string) => string): Call {
  const channel = `/v1/channels/${'channel' in step ? id(step.channel) : ''}`
  const participant = `${channel}/participants/${'user' in step ? id(step.user) : ''}`
  const messages = (names: string[]) => `${channel}/messages/${names.map(id).join(',')}`
  const event = ({ type, subject }: Happening) => ({ type, eventTimeMs: EVENT_TIME_MS, subject: id(subject) })
  const events = (one: Happening | undefined) => one === undefined ? {} : { timelineEvents: [event(one)] }
  switch (step.do) {
    case 'create': return post('/v1/channels', {
      channelId: id(step.channel),
      defaultRuleSet: `io.mitter.ruleset.chats.${step.direct === true ? 'DirectMessage' : 'GroupChat'}`,
      groupType: step.group,
      participation: (step.listed ?? []).map(listed => participation(listed, id)),
      ...events(step.event)
    })
    case 'join': return post(`${channel}/participants`, { participantId: id(step.by) })
    case 'add': return post(`${channel}/participants`, { participantId: id(step.user), participationStatus: step.status })
    case 'leave': return { method: 'DELETE', path: `${channel}/participants/${step.by === SYSTEM ? SYSTEM : 'me'}` }
    case 'remove': return { method: 'DELETE', path: participant }
    case 'accept':
    case 'reject':
    case 'mute':
    case 'unmute': return post(`${participant}/${step.do}`)
    case 'set status': return { method: 'PATCH', path: participant, body: { newStatus: step.status } }
    case 'set roles': return { method: 'PATCH', path: participant, body: { roles: step.admin ? ['admin'] : [] } }
    case 'send': return post(`${channel}/messages`, {
      textPayload: step.text,
      ...(step.message === undefined ? {} : { messageId: id(step.message) }),
      ...(step.as === undefined ? {} : { senderId: id(step.as) }),
      ...events(step.event)
    })
    case 'edit': return { method: 'PATCH', path: messages([step.message]), body: { textPayload: step.text } }
    case 'delete messages': return { method: 'DELETE', path: messages(step.messages) }
    case 'truncate': return { method: 'DELETE', path: `${channel}/messages` }
    case 'delete': return { method: 'DELETE', path: channel }
    case 'add channel event': return post(`${channel}/timeline`, event(step.event))
    case 'add message event': return post(`${messages(step.messages)}/timeline`, event(step.event))
    case 'get channel': return get(channel)
    case 'list participants': return get(`${channel}/participants`)
    case 'list messages': return get(`${channel}/messages`)
    case 'list channel events': return get(`${channel}/timeline`)
    case 'list message events': return get(`${messages(step.messages)}/timeline`)
    case 'get message': return get(`/v1/messages/${id(step.message)}`)
    case 'stream': return get(`${channel}/events`)
    case 'create user': return post('/v1/users', { userId: id(step.user) })
    case 'delete user': return { method: 'DELETE', path: `/v1/users/${id(step.user)}` }
  }
}

const get = (path: string): Call => ({ method: 'GET', path })
const post = (path: string, body?: unknown): Call => ({ method: 'POST', path, ...(body === undefined ? {} : { body }) })

function participation ({ user, status, admin }: Listed, id: (name: string) => string): object {
  return { participantId: id(user), ...(status && { participationStatus: status }), ...(admin === true && { roles: ['admin'] }) }
}
