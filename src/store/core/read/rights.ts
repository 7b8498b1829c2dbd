/** Who may read what, in the snapshot that is read. */
import { refuse } from '../../../errors.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import { mustReceive } from '../../../rules/relay.ts'
import type { Actor } from '../../contract/commands.ts'
import type { ChannelRecord, UserRecord } from '../records.ts'
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

/** A channel of which the actor may read what was said. */
export function * receivedChannel (actor: Actor, channelId: string): Read<ChannelRecord> {
  const [channel, member] = yield * ask(['channel', channelId], ['member', channelId, actor])
  const found = mustBeChannel(channel, channelId)
  if (actor !== SYSTEM) mustReceive(channelId, member?.status)
  return found
}
