/** What is refused to whoever has not the privilege: by an entity's own lists, or by the defaults in the words of relay.md. */
import { refuse, refuseWith, type Refusal } from '../errors.ts'
import { decide, type AccessLists, type Caller, type Decision, type Privilege, type PrivilegeOf } from './access.ts'

/** A channel, as far as its lists go. */
export interface ListedChannel {
  channelId: string
  acls?: AccessLists | undefined
}

/** By what keeps somebody of this standing from it. */
const byStanding = (caller: Caller, { channelId }: ListedChannel): Refusal => {
  const status = caller.standing?.status
  return status === undefined || status === 'active' ? refuse('actorNotInGroup', channelId) : refuse(status, channelId)
}
const privileged = (message: string) => (): Refusal => refuse('missingPrivilege', message)

/** Where the defaults are in force. */
const channelRefusals: Record<PrivilegeOf<'channel'>, (caller: Caller, channel: ListedChannel) => Refusal> = {
  join_channel: privileged('You may not join this channel'),
  remove_self: privileged('You may not leave this channel'),
  add_participant_to_channel: privileged('A user may add only itself to a channel; the application may add anyone'),
  remove_participant: privileged('A user may take only itself out of a channel'),
  list_participants: byStanding,
  read_from_channel: byStanding,
  send_to_channel: byStanding,
  send_as_other_to_channel: () => refuseWith('missingPrivilege', { reason: 'send_as_other_to_channel' }, 'A user may send as itself only: leave senderId out'),
  modify_channel_participation: (_caller, { channelId }) => refuse('notAdmin', channelId),
  delete_channel: privileged('Only the application may delete a channel, or all messages of one'),
  delete_messages_from_channel: privileged('Only the application may delete a channel, or all messages of one'),
  modify_acl: privileged('Only the application may change the lists of a channel')
}

/** Throws where the caller may not do it in this channel. */
export function mustBeAllowed (privilege: PrivilegeOf<'channel'>, channel: ListedChannel, caller: Caller): void {
  const decision = decide(privilege, channel.acls, caller)
  if (!decision.allowed) throw refusalOf(privilege, decision, () => channelRefusals[privilege](caller, channel))
}

/** `what` as in `Only the application may create users`. */
const ofApplication: Record<PrivilegeOf<'application'>, string> = {
  create_channel: 'create channels',
  create_user: 'create users',
  list_channels: 'list all channels',
  list_user_data: 'list users, or read others',
  modify_acl: 'change the lists of the application'
}

/** Throws where the caller may not do it with the application. */
export function mustBeAllowedHere (privilege: PrivilegeOf<'application'>, lists: AccessLists | undefined, userId: string): void {
  const decision = decide(privilege, lists, { userId })
  if (!decision.allowed) throw refusalOf(privilege, decision, privileged(`Only the application may ${ofApplication[privilege]}: call with its access key`))
}

/** Of whatever entity: `decision` did not allow it. */
export function refusalOf (privilege: Privilege, { because: { rule } }: Decision, byDefault: () => Refusal): Refusal {
  return rule === 'default' ? byDefault() : refuseWith('missingPrivilege', { diagnostics: { missingPrivileges: [privilege] } }, `The access control lists do not give you the privilege ${privilege}`)
}
