/** Reads of channels and their participants. */
import type { Channel, ParticipatedChannel } from '../../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../../schemas/participation.ts'
import { refuse } from '../../../errors.ts'
import type { AccessLists, Caller } from '../../../rules/access.ts'
import { namedIn, readsChannel } from '../../../rules/audience.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import { statusTable, type RelayStatus, type Ruleset } from '../../../rules/relay.ts'
import { SYSTEM_CHANNEL } from '../../../rules/rulesets.ts'
import type { Actor } from '../../contract/commands.ts'
import type { ChannelFilter, CountedPage, ForwardRequest, ListPage, PageRequest, Snapshot } from '../../contract/reads.ts'
import type { ChannelRecord } from '../records.ts'
import { mustBeOwn } from '../decide/users.ts'
import { isMember, type Member } from '../decide/standing.ts'
import { channelOf, creationEvents, participationOf, type Participant } from '../render/entities.ts'
import { headOf } from './log.ts'
import { boundsOf, firstOf, formatPlace, pageOf, parsePlace, sliceOf } from './paging.ts'
import { ask, type ChannelDetails, type LogEnds, type Read } from './queries.ts'
import { allowedChannel, callerOf, mustBeAllowedHere, mustBeChannel, userKeyOf } from './rights.ts'

export function snapshotOf<T> (value: T, ends: LogEnds): Snapshot<T> {
  return { value, cursor: headOf(ends).cursor }
}

/** Its timeline is for those who may read the channel. @param gone of whom lists name */
const rendered = (channel: ChannelDetails, reads: boolean, gone: string[]): Channel => channelOf(channel, reads ? creationEvents(channel.creation) : [], gone)

/** Users whom lists of channels name, and who were deleted since. */
export function * goneIn (lists: Array<AccessLists | undefined>): Read<string[]> {
  const named = [...new Set(lists.flatMap(of => namedIn(of)))]
  if (named.length === 0) return []
  const [gone] = yield * ask(['goneAmong', named])
  return gone
}

/** The object is there for members of any status, of a public channel for anyone, and for whoever may read what is said. */
export const seesChannel = (channel: ChannelRecord, caller: Caller): boolean =>
  caller.userId === SYSTEM || channel.groupType === 'public' || caller.standing !== undefined || readsChannel(channel.acls, caller)

export function * getChannels (actor: Actor, channelIds: string[]): Read<Snapshot<Channel[]>> {
  const [ends, ...found] = yield * ask(['ends'], ...channelIds.map(id => ['channelDetails', id] as ['channelDetails', string]))
  const members = yield * ask(...channelIds.map(id => ['member', id, actor] as ['member', string, string]))
  const seen = (found as Array<ChannelDetails | undefined>).map((channel, index) => {
    const channelId = channelIds[index]!
    const there = mustBeChannel(channel, channelId)
    const caller = callerOf(actor, members[index])
    if (!seesChannel(there, caller)) throw refuse('actorNotInGroup', channelId)
    return { channel: there, reads: readsChannel(there.acls, caller) }
  })
  const gone = yield * goneIn(seen.map(({ channel }) => channel.acls))
  return snapshotOf(seen.map(({ channel, reads }) => rendered(channel, reads, gone)), ends)
}

/** A place rather than an id, which another channel may get meanwhile. */
const nextChannel = ({ channelKey }: { channelKey: number }): string => formatPlace(channelKey, 0)

function * channelKeyOf (channelId: string): Read<number> {
  const place = parsePlace(channelId)
  if (place !== undefined) return place[0]
  const [channel] = yield * ask(['channel', channelId])
  return mustBeChannel(channel, channelId).channelKey
}

export function * listChannels (actor: Actor, page: PageRequest, { includeSystemChannels }: ChannelFilter): Read<Snapshot<CountedPage<Channel>>> {
  yield * mustBeAllowedHere(actor, 'list_channels')
  const slice = yield * sliceOf(page, channelKeyOf)
  const [ends, channels, all, system] = yield * ask(
    ['ends'], ['channels', slice, includeSystemChannels, boundsOf(page), page.offset], ['total', 'channels'], ['total', 'system-channels'])
  const gone = yield * goneIn(channels.rows.map(({ acls }) => acls))
  const members = actor === SYSTEM ? [] : yield * ask(...channels.rows.map(({ channelId }) => ['member', channelId, actor] as ['member', string, string]))
  const reads = new Set(channels.rows.filter(({ acls }, index) => readsChannel(acls, callerOf(actor, members[index]))).map(({ channelKey }) => channelKey))
  return snapshotOf({
    ...pageOf(channels, nextChannel, channel => rendered(channel, reads.has(channel.channelKey), gone)), total: includeSystemChannels ? all : all - system
  }, ends)
}

export function * listChannelsOf (actor: Actor, userId: string, page: PageRequest, filter: ChannelFilter): Read<Snapshot<CountedPage<ParticipatedChannel>>> {
  mustBeOwn(actor, userId, 'list its channels')
  const userKey = yield * userKeyOf(userId)
  const slice = yield * sliceOf(page, channelKeyOf)
  const [ends, channels, counts, closing] = yield * ask(
    ['ends'], ['channelsOf', userKey, slice, filter, boundsOf(page), page.offset], ['membershipCounts', userKey], ['closingMemberships', userKey, filter])
  const gone = yield * goneIn(channels.rows.map(({ acls }) => acls))
  const listed = (ruleset: Ruleset) => (filter.includeSystemChannels || ruleset !== SYSTEM_CHANNEL) && (filter.ruleset ?? ruleset) === ruleset
  // The kept counts still hold channels whose deletion is being told apart.
  const total = counts.reduce((sum, { ruleset, count }) => sum + (listed(ruleset) ? count : 0), 0) - closing
  return snapshotOf({
    ...pageOf(channels, nextChannel, channel => ({
      participationId: channel.participationId,
      identifier: channel.channelId,
      participationStatus: statusTable[channel.status].participationStatus,
      channel: rendered(channel, readsChannel(channel.acls, { userId, standing: channel }), gone)
    })),
    total
  }, ends)
}

export function * listParticipants (actor: Actor, channelId: string, statuses: RelayStatus[], { after, limit }: ForwardRequest): Read<Snapshot<ListPage<ChannelParticipation>>> {
  const { channelKey } = yield * allowedChannel(actor, channelId, 'list_participants')
  const [sincePosition, userKey] = after === undefined ? [0, -1] : parsePlace(after) ?? (yield * participantPlace(channelId, after))
  const place = { sincePosition, userKey }
  const [ends, ...byStatus] = yield * ask(['ends'], ...statuses.map(status =>
    ['participants', channelKey, status, place, limit + 1] as ['participants', number, RelayStatus, typeof place, number]))
  const rows = (byStatus as Array<Array<{ member: Member, user: Participant }>>).flat()
    .sort(({ member: one }, { member: other }) => one.sincePosition - other.sincePosition || one.userKey - other.userKey)
  return snapshotOf(pageOf(firstOf(rows, limit), nextOf, ({ member, user }) => participationOf(member, user, channelId)), ends)
}

/** A place and no id: a member may leave before the next page is asked for, and a deleted user can be named by nobody. */
const nextOf = ({ member: { sincePosition, userKey } }: { member: Member }): string => formatPlace(sincePosition, userKey)

function * participantPlace (channelId: string, userId: string): Read<[number, number]> {
  const [member] = yield * ask(['member', channelId, userId])
  if (!isMember(member)) throw refuse('targetNotInGroup', userId, channelId)
  return [member.sincePosition, member.userKey]
}
