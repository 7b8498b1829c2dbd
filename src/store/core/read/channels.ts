/** Reads of channels and their participants. */
import type { Channel, ParticipatedChannel } from '../../../../schemas/channel.ts'
import type { ChannelParticipation } from '../../../../schemas/participation.ts'
import { refuse } from '../../../errors.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import { receives, statusTable, type RelayStatus, type Ruleset } from '../../../rules/relay.ts'
import { SYSTEM_CHANNEL } from '../../../rules/rulesets.ts'
import type { Actor } from '../../contract/commands.ts'
import type { ChannelFilter, CountedPage, ForwardRequest, ListPage, PageRequest, Snapshot } from '../../contract/reads.ts'
import { mustBeApplication, mustBeOwn } from '../decide/users.ts'
import { isMember, type Member } from '../decide/standing.ts'
import { channelOf, creationEvents, participationOf, type Participant } from '../render/entities.ts'
import { headOf } from './log.ts'
import { boundsOf, firstOf, formatPlace, pageOf, parsePlace, sliceOf } from './paging.ts'
import { ask, type ChannelDetails, type LogEnds, type Read } from './queries.ts'
import { mustBeChannel, allowedChannel, userKeyOf } from './rights.ts'

export function snapshotOf<T> (value: T, ends: LogEnds): Snapshot<T> {
  return { value, cursor: headOf(ends).cursor }
}

/** Its timeline is for those who may read the channel. */
const rendered = (channel: ChannelDetails, reads: boolean): Channel => channelOf(channel, reads ? creationEvents(channel.creation) : [])

export function * getChannels (actor: Actor, channelIds: string[]): Read<Snapshot<Channel[]>> {
  const [ends, ...found] = yield * ask(['ends'], ...channelIds.map(id => ['channelDetails', id] as ['channelDetails', string]))
  const members = yield * ask(...channelIds.map(id => ['member', id, actor] as ['member', string, string]))
  const channels = (found as Array<ChannelDetails | undefined>).map((channel, index) => {
    const channelId = channelIds[index]!
    const there = mustBeChannel(channel, channelId)
    if (actor !== SYSTEM && there.groupType !== 'public' && !isMember(members[index])) throw refuse('actorNotInGroup', channelId)
    return rendered(there, actor === SYSTEM || receives(members[index]?.status))
  })
  return snapshotOf(channels, ends)
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
  mustBeApplication(actor, 'list all channels')
  const slice = yield * sliceOf(page, channelKeyOf)
  const [ends, channels, all, system] = yield * ask(
    ['ends'], ['channels', slice, includeSystemChannels, boundsOf(page), page.offset], ['total', 'channels'], ['total', 'system-channels'])
  return snapshotOf({
    ...pageOf(channels, nextChannel, channel => rendered(channel, true)), total: includeSystemChannels ? all : all - system
  }, ends)
}

export function * listChannelsOf (actor: Actor, userId: string, page: PageRequest, filter: ChannelFilter): Read<Snapshot<CountedPage<ParticipatedChannel>>> {
  mustBeOwn(actor, userId, 'list its channels')
  const userKey = yield * userKeyOf(userId)
  const slice = yield * sliceOf(page, channelKeyOf)
  const [ends, channels, counts, closing] = yield * ask(
    ['ends'], ['channelsOf', userKey, slice, filter, boundsOf(page), page.offset], ['membershipCounts', userKey], ['closingMemberships', userKey, filter])
  const listed = (ruleset: Ruleset) => (filter.includeSystemChannels || ruleset !== SYSTEM_CHANNEL) && (filter.ruleset ?? ruleset) === ruleset
  // The kept counts still hold channels whose deletion is being told apart.
  const total = counts.reduce((sum, { ruleset, count }) => sum + (listed(ruleset) ? count : 0), 0) - closing
  return snapshotOf({
    ...pageOf(channels, nextChannel, channel => ({
      participationId: channel.participationId,
      identifier: channel.channelId,
      participationStatus: statusTable[channel.status].participationStatus,
      channel: rendered(channel, receives(channel.status))
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
