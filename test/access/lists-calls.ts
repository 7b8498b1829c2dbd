/** What tests of lists say often, of the people and channels of a stage (test/relay/stage.ts). */
import { theApp, theWorld } from '../relay/stage.ts'
import type { Answer } from '../relay/world.ts'

export const GROUP_CHAT = 'io.mitter.ruleset.chats.GroupChat'

export interface Lists {
  plusAppliedAcls?: string[] | null
  minusAppliedAcls?: string[] | null
}

/** Names in braces are turned into ids, wherever they stand: `read_message:user({amy})`. */
export function named<T> (given: T): T {
  return JSON.parse(JSON.stringify(given ?? null).replaceAll(/\{([a-z0-9-]+)\}/g, (_, name: string) => theWorld().id(name)))
}

export const make = async (by: string, more: object = {}): Promise<Answer> =>
  await theWorld().call(by, 'POST', '/v1/channels', named({ channelId: '{room}', defaultRuleSet: GROUP_CHAT, ...more }))

export const tell = async (by: string, textPayload: string, more: object = {}): Promise<Answer> =>
  await theWorld().call(by, 'POST', named('/v1/channels/{room}/messages'), named({ textPayload, ...more }))

export const read = async (by: string, path: string): Promise<Answer> => await theWorld().call(by, 'GET', named(path))

export const ROOM_ACLS = '/v1/channels/{room}/acls'
export const NOTE_ACLS = '/v1/messages/{note}/acls'
export const applicationAcls = () => `/v1/applications/${theApp().credentials.applicationId}/acls`

export const patch = async (by: string, path: string, body: object): Promise<Answer> => await theWorld().call(by, 'PATCH', named(path), named(body))
export const set = async (by: string, path: string, setAcls: unknown): Promise<Answer> => await patch(by, path, { patchType: 'Set', setAcls })

/** What `GET …/acls` says an entity has of its own. */
export const own = async (path: string): Promise<Required<Lists>> => (await read('.system', path)).body.appliedAcls

/** How a call was refused by lists: status, code, no reason, and the privilege that is missing. */
export const missing = (privilege: string) => [403, 'missing_privilege', undefined, [privilege]]
export const refusal = ({ status, body }: Answer) => [status, body.errorCode, body.reason, body.diagnostics?.missingPrivileges]
