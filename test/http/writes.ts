/** A request for each operation that changes something, by the document's own list of routes. */
import { randomUUID } from 'node:crypto'
import { callsTo } from './rules/calls.ts'
import { GROUP_CHAT, type Service } from './service.ts'

export interface Write {
  path: string
  body?: object
  /** The same call with another body. */
  otherBody?: object
  /** A user; the application where it is absent. */
  as?: string
}

export interface Writes {
  /** By operation: makes a request that can succeed once, on what is made for it. */
  requests: Record<string, () => Promise<Write>>
  /** Makes a user, and answers its id. */
  named (): Promise<string>
}

/** For `service`, which may start later, with users `amy` and `bob`. */
export function writesOn (service: () => Service): Writes {
  const { channel, send } = callsTo(service)
  const event = (subject: string) => ({ type: 'seen', eventTimeMs: 1_732_240_000_000, subject })
  const named = async () => {
    const userId = `user-${randomUUID()}`
    await service().call('POST /v1/users', { body: { userId } })
    return userId
  }
  const tokenOf = async (userId: string): Promise<{ tokenId: string }> =>
    (await service().call(`POST /v1/users/${userId}/tokens`)).json().userToken
  const waiting = async () => {
    const room = await channel('group', ['amy'], { groupType: 'private' })
    await service().call(`POST /v1/channels/${room}/participants`, { as: 'bob', body: { participantId: 'bob' } })
    return room
  }
  const closed = async (muted: boolean) => {
    const room = await channel('group', ['amy', 'bob'], { groupType: 'strict_private' })
    if (muted) await service().call(`POST /v1/channels/${room}/participants/bob/mute`)
    return room
  }

  const requests: Writes['requests'] = {
    createUser: async () => ({ path: '/v1/users', body: { screenName: { screenName: 'A' } }, otherBody: { screenName: { screenName: 'B' } } }),
    deleteUser: async () => ({ path: `/v1/users/${await named()}` }),
    issueToken: async () => ({ path: '/v1/users/amy/tokens' }),
    revokeTokens: async () => ({ path: `/v1/users/amy/tokens/${(await tokenOf('amy')).tokenId},${(await tokenOf('amy')).tokenId}` }),
    issueEventToken: async () => ({ path: '/v1/users/me/event-tokens', as: 'amy' }),
    createChannel: async () => ({ path: '/v1/channels', as: 'amy', body: { defaultRuleSet: GROUP_CHAT }, otherBody: { defaultRuleSet: GROUP_CHAT, groupType: 'private' } }),
    deleteChannel: async () => ({ path: `/v1/channels/${await channel('group', ['amy'])}` }),
    addParticipant: async () => ({ path: `/v1/channels/${await channel('group', ['amy'])}/participants`, body: { participantId: 'bob' }, otherBody: { participantId: 'bob', participationStatus: 'ReadOnly' } }),
    removeParticipant: async () => ({ path: `/v1/channels/${await channel('group', ['amy', 'bob'])}/participants/me`, as: 'bob' }),
    changeParticipant: async () => ({ path: `/v1/channels/${await channel('group', ['amy', 'bob'])}/participants/bob`, body: { newStatus: 'ReadOnly' }, otherBody: { newStatus: 'Disabled' } }),
    acceptParticipant: async () => ({ path: `/v1/channels/${await waiting()}/participants/bob/accept`, as: 'amy' }),
    rejectParticipant: async () => ({ path: `/v1/channels/${await waiting()}/participants/bob/reject`, as: 'amy' }),
    muteParticipant: async () => ({ path: `/v1/channels/${await closed(false)}/participants/bob/mute` }),
    unmuteParticipant: async () => ({ path: `/v1/channels/${await closed(true)}/participants/bob/unmute` }),
    sendMessage: async () => ({ path: `/v1/channels/${await channel('group', ['amy'])}/messages`, as: 'amy', body: { textPayload: 'a' }, otherBody: { textPayload: 'b' } }),
    editMessage: async () => {
      const room = await channel('group', ['amy'])
      return { path: `/v1/channels/${room}/messages/${await send(room, 'a', 'amy')}`, as: 'amy', body: { textPayload: 'b' }, otherBody: { textPayload: 'c' } }
    },
    deleteMessages: async () => {
      const room = await channel('group', ['amy'])
      return { path: `/v1/channels/${room}/messages/${await send(room, 'a', 'amy')},${await send(room, 'b', 'amy')}`, as: 'amy' }
    },
    changeChannelAcls: async () => ({
      path: `/v1/channels/${await channel('group', ['amy'])}/acls`, body: { patchType: 'Set', setAcls: '+send_to_channel:any_user()' }, otherBody: { patchType: 'Set' }
    }),
    changeMessageAcls: async () => ({
      path: `/v1/messages/${await send(await channel('group', ['amy']), 'a', 'amy')}/acls`, body: { patchType: 'Set', setAcls: '-read_message:user(amy)' }, otherBody: { patchType: 'Set' }
    }),
    changeApplicationAcls: async () => ({
      path: `/v1/applications/${service().applicationId}/acls`, body: { patchType: 'Diff', addAcls: '+list_channels:user(amy)' }, otherBody: { patchType: 'Set' }
    }),
    truncateChannel: async () => ({ path: `/v1/channels/${await channel('group', ['amy'])}/messages` }),
    addChannelEvent: async () => ({ path: `/v1/channels/${await channel('group', ['amy'])}/timeline`, as: 'amy', body: event('amy'), otherBody: { ...event('amy'), type: 'heard' } }),
    addMessageEvent: async () => {
      const room = await channel('group', ['amy'])
      return { path: `/v1/channels/${room}/messages/${await send(room, 'a', 'amy')}/timeline`, as: 'amy', body: event('amy'), otherBody: { ...event('amy'), type: 'heard' } }
    }
  }
  return { requests, named }
}
