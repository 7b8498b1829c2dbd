/** What tests of the contract's rules say often. */
import { randomUUID } from 'node:crypto'
import type { CallOptions, Service } from '../service.ts'

export const RULESETS = {
  direct: 'io.mitter.ruleset.chats.DirectMessage',
  group: 'io.mitter.ruleset.chats.GroupChat',
  system: 'io.mitter.ruleset.chats.SystemChannel',
  single: 'io.mitter.ruleset.chats.SingleParticipantChannel'
}

/** Status and error code, and the reason where there is one. */
export type Gist = [status: number, errorCode?: string, reason?: string]

export interface Calls {
  /** The answer's JSON. Throws where it is no success. */
  get<T = any> (path: string, as?: string): Promise<T>
  /** How a call ends. */
  gist (request: string, options?: CallOptions): Promise<Gist>
  /** Makes a channel and answers its id. */
  channel (ruleset: keyof typeof RULESETS, participants: string[], more?: Record<string, unknown>, as?: string): Promise<string>
  /** Sends a message and answers its id. */
  send (channelId: string, textPayload: string, as?: string): Promise<string>
  /** The total that a list's header says. */
  total (path: string, as?: string): Promise<number>
}

/** For `service`, which may start later: it is asked for at each call. */
export function callsTo (service: () => Service): Calls {
  const optionsFor = (as: string | undefined): CallOptions => as === undefined ? {} : { as }
  const succeed = async (request: string, options: CallOptions) => {
    const response = await service().call(request, options)
    if (response.statusCode >= 300) throw new Error(`${request}: ${response.statusCode} ${response.body}`)
    return response
  }
  return {
    get: async (path, as) => (await succeed(`GET ${path}`, optionsFor(as))).json(),
    async gist (request, options) {
      const response = await service().call(request, options)
      if (response.statusCode < 400) return [response.statusCode]
      const { errorCode, reason } = response.json() as { errorCode: string, reason?: string }
      return reason === undefined ? [response.statusCode, errorCode] : [response.statusCode, errorCode, reason]
    },
    async channel (ruleset, participants, more = {}, as) {
      const body = { channelId: `channel-${randomUUID()}`, defaultRuleSet: RULESETS[ruleset], participation: participants.map(participantId => ({ participantId })), ...more }
      return (await succeed('POST /v1/channels', { ...optionsFor(as), body })).json().identifier
    },
    send: async (channelId, textPayload, as) => (await succeed(`POST /v1/channels/${channelId}/messages`, { ...optionsFor(as), body: { textPayload } })).json().messageId,
    total: async (path, as) => Number((await succeed(`GET ${path}`, optionsFor(as))).headers['x-mitter-paginated-estimated-count'])
  }
}
