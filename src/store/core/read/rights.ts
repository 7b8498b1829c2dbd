/** Who may read what, in the snapshot that is read. */
import { refuse } from '../../../errors.ts'
import type { Caller } from '../../../rules/access.ts'
import { mustBeAllowed } from '../../../rules/access-refusals.ts'
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
  const [channel, member] = yield * ask(['channel', channelId], ['member', channelId, actor])
  const found = mustBeChannel(channel, channelId)
  mustBeAllowed(privilege, found, callerOf(actor, member))
  return found
}

/** Whoever acts, as access control lists see it. */
export const callerOf = (actor: Actor, member: MemberRecord | undefined): Caller => ({ userId: actor, standing: isMember(member) ? member : undefined })
