/** Access control lists are read, and explained. */
import type { Access, EntityAcls } from '../../../../schemas/access.ts'
import { refuse, refuseWith } from '../../../errors.ts'
import {
  decide, decideOfMessage, inForceOf, inForceOfMessage, privilegesOf, type AccessLists, type Caller, type Decision, type EntityKind, type Privilege, type PrivilegeOf
} from '../../../rules/access.ts'
import { formatEntry } from '../../../rules/access-entries.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import { rulesetTable } from '../../../rules/rulesets.ts'
import type { Actor } from '../../contract/commands.ts'
import type { AccessRequest, AclsOf, Snapshot } from '../../contract/reads.ts'
import { mustBeApplication } from '../decide/users.ts'
import type { ChannelRecord } from '../records.ts'
import { appliedAcls } from '../render/lists.ts'
import { goneIn, seesChannel, snapshotOf } from './channels.ts'
import { accessOf, mustReadMessage } from './messages.ts'
import { ask, type MessageDetails, type Read } from './queries.ts'
import { callerOf, channelAndCaller, mustBeUser } from './rights.ts'

/** Of the application: itself. Of others: whoever may read them. */
export function * getAcls (actor: Actor, of: AclsOf): Read<Snapshot<EntityAcls>> {
  switch (of.kind) {
    case 'application': {
      mustBeApplication(actor, 'read the lists of the application')
      const [application] = yield * ask(['application'])
      return yield * shown(application?.acls, inForceOf('application', application?.acls), '')
    }
    case 'channel': {
      const { channel, caller } = yield * channelAndCaller(actor, of.channelId)
      if (!seesChannel(channel, caller)) throw refuse('actorNotInGroup', of.channelId)
      return yield * shown(channel.acls, inForceOf('channel', channel.acls), of.channelId)
    }
    case 'message': {
      const [message] = yield * ask(['message', of.messageId])
      if (message === undefined) throw refuse('messageNotFound', of.messageId)
      const { channel, caller } = yield * mustReadMessage(actor, message)
      // What the channel's lists say of it is for those to whom these are shown.
      return yield * shown(message.acls, inForceOfMessage(accessOf(message, channel), seesChannel(channel, caller)), message.channelId)
    }
  }
}

function * shown (own: AccessLists | undefined, inForce: AccessLists, channelId: string): Read<Snapshot<EntityAcls>> {
  const gone = yield * goneIn([own, inForce])
  const [ends] = yield * ask(['ends'])
  return snapshotOf({ appliedAcls: appliedAcls(own, channelId, gone), inForce: appliedAcls(inForce, channelId, gone) }, ends)
}

/** Whether somebody may do something in a channel, and what decided it: what is asked here is what enforces. */
export function * explainAccess (actor: Actor, channelId: string, { privilege, userId = actor, messageId }: AccessRequest): Read<Access> {
  const { channel, caller } = yield * channelAndCaller(actor, channelId)
  const named = namedPrivilege(privilege, messageId === undefined ? 'channel' : 'message')
  const isAdmin = caller.standing?.status === 'active' && caller.standing.admin
  if (actor !== SYSTEM && userId !== actor && !isAdmin) throw refuse('notAdmin', channelId)
  if (userId !== SYSTEM) mustBeUser((yield * ask(['user', userId]))[0], userId)
  const asked = callerOf(userId, (yield * ask(['member', channelId, userId]))[0])
  if (messageId === undefined) return access(decisionInChannel(named as PrivilegeOf<'channel'>, channel, asked), asked, channelId, seesChannel(channel, caller))

  const [message] = yield * ask(['message', messageId])
  if (message?.channelKey !== channel.channelKey) throw refuse('messageNotFound', messageId)
  yield * mustReadMessage(actor, message)
  return access(decisionOfMessage(named as PrivilegeOf<'message'>, message, channel, asked), asked, channelId, true)
}

function namedPrivilege (name: string, kind: EntityKind): Privilege {
  const privileges: string[] = privilegesOf(kind)
  if (privileges.includes(name)) return name as Privilege
  throw refuseWith('invalidAttribute', { diagnostics: { field: 'query/privilege' } },
    `query/privilege must be one of ${privileges.join(', ')}${kind === 'channel' ? '; or, with messageId, one of a message' : ''}`)
}

type Explained = Omit<Decision, 'because'> & { because: Omit<Decision['because'], 'rule'> & { rule: Access['because']['rule'] } }

/** Privileges that a ruleset takes from everybody whose members never change. */
const changesMembers: Privilege[] = ['join_channel', 'remove_self', 'add_participant_to_channel', 'remove_participant']

function decisionInChannel (privilege: PrivilegeOf<'channel'>, channel: ChannelRecord, caller: Caller): Explained {
  if (rulesetTable[channel.ruleset].fixed && changesMembers.includes(privilege)) return { allowed: false, because: { rule: 'ruleset' } }
  const admin = caller.standing?.status === 'active' && caller.standing.admin
  if (privilege === 'modify_channel_participation' && admin) return { allowed: true, because: { rule: 'group-type' } }
  return decide(privilege, channel.acls, caller)
}

const decisionOfMessage = (privilege: PrivilegeOf<'message'>, message: MessageDetails, channel: ChannelRecord, caller: Caller): Explained =>
  decideOfMessage(privilege, accessOf(message, channel), caller, true)

function access ({ allowed, because: { rule, entry } }: Explained, { standing }: Caller, channelId: string, showsEntry: boolean): Access {
  return {
    allowed,
    because: {
      rule,
      ...(entry === undefined || !showsEntry ? {} : { entry: formatEntry(entry, channelId) }),
      ...(standing === undefined ? {} : { status: standing.status })
    }
  }
}
