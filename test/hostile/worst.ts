/** The largest data that the protocol allows (protocol 1, rule 9), and for every operation the most costly request to it. */
import { call, basicOf, tokenFor, type ServiceProcess } from '../support/process.ts'

const GROUP_CHAT = 'io.mitter.ruleset.chats.GroupChat'

/** Of how much of it there is; what is bounded by itself is always at its bound. */
export interface Scale {
  /** Channels with 1,000 participants and 64 timeline events each. */
  channels: number
  /** Messages of 256 KiB in one channel. */
  messages: number
  /** Users with 64 KiB of locators, and timeline events of a channel and a message. */
  others: number
}

/** 72 characters, told apart by a name and a number. */
const longId = (name: string, number: number): string => `${name}-${number}-`.padEnd(72, '@#')
/** As many bytes as a text may have, of characters that take six bytes in JSON. */
const LONG_TEXT = '\u0001'.repeat(32_000)
const LONG_NAME = '😀'.repeat(128)
const LONG_TYPE = 'é'.repeat(128)

const member = (number: number): string => longId('member', number)
const room = longId('room', 0)
const deep = longId('deep', 0)
const ann = longId('ann', 0)
const event = (number: number) => ({ eventId: longId('event', number), type: LONG_TYPE, eventTimeMs: 8.64e15, subject: ann })
const locators = Array.from({ length: 64 }, (_, number) => ({ at: `${number} `.padEnd(500, '"') }))
const user = (number: number) => ({ userId: longId('user', number), screenName: { screenName: LONG_NAME }, userLocators: locators, systemUser: true })
const messageData = Array.from({ length: 64 }, () => ({ dataType: LONG_TYPE, data: Array(100).fill({}) }))
/** 230 KiB. */
const largeMessage = (number: number) => ({ messageId: longId('message', number), messageType: 'Notification', payloadType: LONG_TYPE, textPayload: LONG_TEXT, messageData })
const crowdedChannel = (number: number) => ({
  channelId: longId('channel', number),
  defaultRuleSet: GROUP_CHAT,
  participation: [{ participantId: ann, roles: Array(16).fill('admin') }, ...Array.from({ length: 999 }, (_, number) => ({ participantId: member(number) }))],
  timelineEvents: Array.from({ length: 64 }, (_, index) => ({ ...event(index), eventId: longId(`event-${number}`, index) }))
})

export interface World {
  service: ServiceProcess
  /** Headers, as they are on the wire. */
  application: Record<string, string>
  ann: Record<string, string>
  scale: Scale
}

/** Fills a service with it. */
export async function fill (service: ServiceProcess, scale: Scale): Promise<World> {
  const application = { authorization: basicOf(service.credentials) }
  const post = async (path: string, body: unknown) => {
    const { status, body: answer } = await call(service.url, 'POST', path, application, body)
    if (status > 204) throw new Error(`${path}: ${status} ${JSON.stringify(answer)}`)
  }
  const each = async (count: number, make: (number: number) => Promise<unknown>) => {
    for (let number = 0; number < count; number += 50) await Promise.all(Array.from({ length: Math.min(50, count - number) }, (_, index) => make(number + index)))
  }
  const token = await tokenFor(service, ann)
  await each(1_000, number => post('/v1/users', { userId: member(number) }))
  await each(scale.others, number => post('/v1/users', user(number)))
  await each(scale.channels, number => post('/v1/channels', crowdedChannel(number)))
  await post('/v1/channels', { channelId: room, defaultRuleSet: GROUP_CHAT, participation: [{ participantId: ann }] })
  await post('/v1/channels', { channelId: deep, defaultRuleSet: GROUP_CHAT, participation: [{ participantId: ann }] })
  await each(scale.messages, number => post(path(room, 'messages'), { ...largeMessage(number), senderId: ann }))
  await each(scale.others, number => post(path(deep, 'timeline'), event(number)))
  await each(scale.others, number => post(path(room, 'messages', longId('message', 0), 'timeline'), { ...event(number), eventId: longId('of-message', number) }))
  await each(scale.others, async () => { await post(`/v1/users/${encodeURIComponent(ann)}/tokens`, undefined) })
  return { service, application, ann: { authorization: `Bearer ${token}` }, scale }
}

/** Stands in paths for the application's id, which is known when the service runs. */
export const APPLICATION = ':application'

export interface Worst {
  path: string
  body?: (number: number) => unknown
  /** The application, where it is not this. */
  as?: 'ann'
}

const path = (channelId: string, ...more: string[]): string => ['/v1/channels', ...[channelId, ...more].map(encodeURIComponent)].join('/')
const listed = (name: string, count: number): string => Array.from({ length: count }, (_, number) => encodeURIComponent(longId(name, number))).join(',')
const me = '/v1/users/me'
/** As many entries as there may be; others each time. */
const entries = (privilege: string, nth: number): string[] => Array.from({ length: 64 }, (_, number) => `${privilege}:user(${member((nth + number) % 999)})`)

/** By operation. What changes something names what nobody has made, so that it can be asked for again and again. */
export function worstRequests ({ channels, messages }: Scale): Record<string, Worst> {
  const crowd = path(longId('channel', 0))
  const first = `/v1/messages/${encodeURIComponent(longId('message', 0))}`
  const application = `/v1/applications/${APPLICATION}/acls`
  const nobody = `${path(room)}/participants/${encodeURIComponent(longId('nobody', 0))}`
  return {
    isLive: { path: '/health/live' },
    isReady: { path: '/health/ready' },
    createUser: { path: '/v1/users', body: number => ({ ...user(number), userId: longId('made', number) }) },
    listUsers: { path: '/v1/users?limit=200&entityCountOffset=0' },
    getUser: { path: `/v1/users/${encodeURIComponent(longId('user', 0))}` },
    deleteUser: { path: `/v1/users/${encodeURIComponent(longId('nobody', 0))}` },
    issueToken: { path: `${me}/tokens`, as: 'ann' },
    listTokens: { path: `${me}/tokens?limit=1000`, as: 'ann' },
    revokeTokens: { path: `${me}/tokens/${listed('nothing', 45)}`, as: 'ann' },
    logout: { path: `${me}/logout` },
    issueEventToken: { path: `${me}/event-tokens`, as: 'ann' },
    createChannel: { path: '/v1/channels', body: number => crowdedChannel(1_000_000 + number) },
    listChannels: { path: '/v1/channels?limit=200&includeSystemChannels=true' },
    listChannelsOfUser: { path: `${me}/channels?limit=200&includeSystemChannels=true`, as: 'ann' },
    getChannel: { path: `/v1/channels/${listed('channel', Math.min(45, channels))}` },
    deleteChannel: { path: path(longId('nothing', 0)) },
    addParticipant: { path: `${crowd}/participants`, body: () => ({ participantId: member(0) }) },
    listParticipants: { path: `${crowd}/participants?limit=1000&relayStatus=active,pending,muted,disabled` },
    removeParticipant: { path: nobody },
    changeParticipant: { path: nobody, body: () => ({ newStatus: 'ReadOnly', roles: Array(16).fill('admin') }) },
    acceptParticipant: { path: `${nobody}/accept` },
    rejectParticipant: { path: `${nobody}/reject` },
    muteParticipant: { path: `${nobody}/mute` },
    unmuteParticipant: { path: `${nobody}/unmute` },
    sendMessage: { path: path(room, 'messages'), as: 'ann', body: number => ({ ...largeMessage(0), messageId: longId('sent', number) }) },
    listMessages: { path: `${path(room, 'messages')}?limit=200`, as: 'ann' },
    changeChannelAcls: { path: `${crowd}/acls`, body: number => ({ patchType: 'Set', setAcls: { plusAppliedAcls: entries('send_to_channel', number) } }) },
    getChannelAcls: { path: `${crowd}/acls` },
    changeMessageAcls: { path: `${first}/acls`, body: number => ({ patchType: 'Set', setAcls: { minusAppliedAcls: entries('read_message', number) } }) },
    getMessageAcls: { path: `${first}/acls`, as: 'ann' },
    changeApplicationAcls: { path: application, body: number => ({ patchType: 'Set', setAcls: { plusAppliedAcls: entries('list_channels', number) } }) },
    getApplicationAcls: { path: application },
    explainAccess: { path: `${crowd}/access?privilege=send_to_channel&userId=${encodeURIComponent(member(999))}` },
    truncateChannel: { path: path(longId('nothing', 0), 'messages') },
    getMessage: { path: `/v1/messages/${encodeURIComponent(longId('message', 0))}`, as: 'ann' },
    editMessage: { path: path(room, 'messages', longId('message', 0)), as: 'ann', body: number => ({ textPayload: `${number}${LONG_TEXT.slice(8)}`, messageData }) },
    deleteMessages: { path: `${path(room)}/messages/${listed('nothing', 45)}`, as: 'ann' },
    addChannelEvent: { path: path(deep, 'timeline'), as: 'ann', body: number => ({ ...event(0), eventId: longId('added', number) }) },
    listChannelEvents: { path: `/v1/channels/${[encodeURIComponent(deep), listed('channel', Math.min(44, channels))].join(',')}/timeline?limit=1000` },
    addMessageEvent: { path: path(room, 'messages', longId('message', 0), 'timeline'), as: 'ann', body: number => ({ ...event(0), eventId: longId('noted', number) }) },
    listMessageEvents: { path: `${path(room)}/messages/${listed('message', Math.min(45, messages))}/timeline?limit=1000`, as: 'ann' },
    streamChannel: { path: `${path(room)}/events?after=earliest`, as: 'ann' },
    streamUser: { path: `${me}/events?after=earliest`, as: 'ann' },
    streamApplication: { path: '/v1/events?after=earliest' }
  }
}
