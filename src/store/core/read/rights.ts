/** Who may read what, in the snapshot that is read. */
import { refuse } from '../../../errors.ts'
import type { Caller, PrivilegeOf } from '../../../rules/access.ts'
import { mustBeAllowed, mustBeAllowedHere as mustBeAllowedBy } from '../../../rules/access-refusals.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import type { Actor } from '../../contract/commands.ts'
import { isMember } from '../decide/standing.ts'
import type { ChannelRecord, MemberRecord, UserRecord } from '../records.ts'
import { ask, type Read } from './queries.ts'

/** A user that has not been deleted. The application is none. */
export function mustBeUser (user: UserRecord | undefined, userId: string): UserRecord {
  if (user === undefined || user.deletedAt !== undefined || user.userKey === 0) throw refuse('userNotFound', userId)
  return user
}

export function * userKeyOf (userId: string): Read<number> {
  const [user] = yield * ask(['user', userId])
  return mustBeUser(user, userId).userKey
}

export function mustBeChannel<C extends ChannelRecord> (channel: C | undefined, channelId: string): C {
  if (channel === undefined) throw refuse('channelNotFound', channelId)
  return channel
}

/** A channel in which the actor has a privilege: to read what was said, unless another is named. */
export function * allowedChannel (actor: Actor, channelId: string, privilege: 'read_from_channel' | 'list_participants' = 'read_from_channel'): Read<ChannelRecord> {
  const { channel, caller } = yield * channelAndCaller(actor, channelId)
  mustBeAllowed(privilege, channel, caller)
  return channel
}

/** A channel, and the actor as its lists see it, whatever that may do there. */
export function * channelAndCaller (actor: Actor, channelId: string): Read<{ channel: ChannelRecord, caller: Caller }> {
  const [channel, member] = yield * ask(['channel', channelId], ['member', channelId, actor])
  return { channel: mustBeChannel(channel, channelId), caller: callerOf(actor, member) }
}

/** Throws where the actor may not do it with the application. */
export function * mustBeAllowedHere (actor: Actor, privilege: PrivilegeOf<'application'>): Read<void> {
  if (actor === SYSTEM) return
  const [application] = yield * ask(['application'])
  mustBeAllowedBy(privilege, application?.acls, actor)
}

/** Whoever acts, as access control lists see it. */
export const callerOf = (actor: Actor, member: MemberRecord | undefined): Caller => ({ userId: actor, standing: isMember(member) ? member : undefined })
