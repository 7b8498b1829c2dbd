/** What people do, with access control lists, as plain data; and each as the call that it is. */
import { callOf, type Call } from '../../relay/calls.ts'
import { DELETED, type On, type Step as PlainStep } from '../../relay/steps.ts'
import { wireOf, type Lists, type Patch, type Privilege } from './lists.ts'

export type Step =
  | Exclude<PlainStep, { do: 'create' | 'send' }>
  | On<'create' | 'send'> & { lists?: Lists | undefined }
  | { do: 'patch channel', by: string, channel: string, patch: Patch }
  | { do: 'patch message', by: string, channel: string, message: string, patch: Patch }
  | { do: 'get channel lists', by: string, channel: string }
  | { do: 'get message lists', by: string, channel: string, message: string }
  /** Whether `user` may do something in a channel, or with a message of it. */
  | { do: 'get access', by: string, user: string, channel: string, privilege: Privilege, message?: string | undefined }

export type StepOf<Do extends Step['do'], One extends Step = Step> = One extends Step ? ([Extract<One['do'], Do>] extends [never] ? never : One) : never

/** @param idOf of whoever, and whatever, is there */
export function callOfListed (step: Step, idOf: (name: string) => string): Call {
  const id = (name: string) => name === DELETED ? name : idOf(name)
  const channelId = 'channel' in step ? id(step.channel) : ''
  const patched = (path: string, { patch }: { patch: Patch }): Call => ({ method: 'PATCH', path, body: bodyOf(patch, channelId, id) })
  switch (step.do) {
    case 'patch channel': return patched(`/v1/channels/${channelId}/acls`, step)
    case 'patch message': return patched(`/v1/messages/${id(step.message)}/acls`, step)
    case 'get channel lists': return { method: 'GET', path: `/v1/channels/${channelId}/acls` }
    case 'get message lists': return { method: 'GET', path: `/v1/messages/${id(step.message)}/acls` }
    case 'get access': {
      const { by, user, privilege, message } = step
      const query = new URLSearchParams({ privilege, ...(user === by ? {} : { userId: id(user) }), ...(message === undefined ? {} : { messageId: id(message) }) })
      return { method: 'GET', path: `/v1/channels/${channelId}/access?${query}` }
    }
    case 'create':
    case 'send': {
      const { lists, ...plain } = step
      const call = callOf(plain, id)
      return lists === undefined ? call : { ...call, body: { ...call.body as object, appliedAcls: wireOf(lists, channelId, id) } }
    }
    default: return callOf(step, id)
  }
}

function bodyOf (patch: Patch, channelId: string, id: (name: string) => string): object {
  const wire = (lists: Lists) => wireOf(lists, channelId, id)
  return 'set' in patch ? { patchType: 'Set', setAcls: wire(patch.set) } : { patchType: 'Diff', addAcls: wire(patch.add), removeAcls: wire(patch.remove) }
}
