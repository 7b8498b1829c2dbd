/** Channels are made, truncated and deleted. */
import { refuse } from '../../../errors.ts'
import { SYSTEM } from '../../../rules/identifiers.ts'
import { mustBeAllowed } from '../../../rules/access-refusals.ts'
import { membersAtCreation, rulesetTable, SYSTEM_CHANNEL } from '../../../rules/rulesets.ts'
import type { CreateChannel, DeleteChannel, TruncateChannel } from '../../contract/commands.ts'
import type { Draft } from '../draft.ts'
import { lanes, type ChannelRecord } from '../records.ts'
import { channelOf } from '../render/entities.ts'
import { mustBeAllowedHere } from './application.ts'
import { namedKeys } from './audiences.ts'
import { mustBeNameable } from './lists.ts'
import { callerIn } from './members.ts'
import { newMember } from './standing.ts'
import { mustBeNewEvents, newEvent, subjectKeys, takeEventIds } from './timelines.ts'

export function createChannel (draft: Draft, command: CreateChannel): void {
  const { channelId, ruleset, groupType, actor, timelineEvents, acls } = command
  mustBeAllowedToCreate(draft, command)
  if (draft.get('living', channelId) !== undefined) throw refuse('channelExists', channelId)
  const listed = membersAtCreation(ruleset, actor, command.participants)
  mustBeNewEvents(draft, timelineEvents, actor)
  const members = listed.map(member => ({
    ...member, user: ruleset === SYSTEM_CHANNEL && member.userId === SYSTEM ? draft.user(SYSTEM)! : draft.existingUser(member.userId)
  }))

  const channel = newChannel(draft, command)
  const events = timelineEvents.map(event => newEvent(event, draft.at))
  const subjects = [...new Set([...subjectKeys(draft, timelineEvents), ...namedKeys(draft, acls)])]
  if (events.length > 0) {
    draft.put('creation', String(channel.channelKey), { channelKey: channel.channelKey, events: JSON.stringify(events), subjects })
  }
  takeEventIds(draft, timelineEvents)
  for (const { user, status, roles } of members) newMember(draft, channel, user, { status, held: 'none', admin: roles.includes('admin') })
  draft.write({
    kind: 'channel',
    lane: lanes.event,
    members: members.map(({ userId, status, roles }) => ({ userId, status, admin: roles.includes('admin') })),
    ...(subjects.length === 0 ? {} : { subjects }),
    body: JSON.stringify(channelOf({ channelId, ruleset, groupType, createdAt: draft.at, updatedAt: draft.at, ...(acls === undefined ? {} : { acls }) }, events))
  }, { channel: draft.channelByKey(channel.channelKey) })
  if (acls !== undefined) draft.listChannel(channel.channelKey, acls)
}

/** Whoever may create one may give it lists, where the ruleset lets it be the admin of what it creates. */
function mustBeAllowedToCreate (draft: Draft, { actor, ruleset, acls }: CreateChannel): void {
  mustBeAllowedHere(draft, 'create_channel', actor)
  if (acls === undefined) return
  if (actor !== SYSTEM && rulesetTable[ruleset].fixed) {
    throw refuse('missingPrivilege', `Only the application may give a ${ruleset} channel access control lists: leave appliedAcls out`)
  }
  mustBeNameable(draft, actor, acls, undefined)
}

function newChannel (draft: Draft, { channelId, ruleset, groupType, acls }: CreateChannel): ChannelRecord {
  const channelKey = draft.nextChannelKey()
  const channel: ChannelRecord = {
    channelKey,
    channelId,
    ruleset,
    groupType,
    createdAt: draft.at,
    updatedAt: draft.at,
    createdPosition: draft.next,
    truncatedPosition: 0,
    lastPosition: draft.next,
    erasing: false,
    closing: false,
    adminVacant: false,
    receivingCount: 0,
    mutedCount: 0,
    pendingCount: 0,
    disabledCount: 0,
    activeAdminCount: 0,
    messageCount: 0,
    ...(acls === undefined ? {} : { acls })
  }
  draft.put('channel', String(channelKey), channel)
  draft.put('living', channelId, { channelId, channelKey })
  countChannels(draft, channel, 1)
  return channel
}

/** Its members' rows are told in the background. */
export function deleteChannel (draft: Draft, { actor, channelId }: DeleteChannel): void {
  const channel = draft.channel(channelId)
  mustBeAllowed('delete_channel', channel, callerIn(draft, channel, actor))
  countChannels(draft, channel, -1)
  draft.put('living', channelId, null)
  draft.write({ kind: 'channel-deleted', lane: lanes.event }, { channel })
  draft.changeChannel(channel.channelKey, { deletedPosition: draft.log.position, erasing: true, closing: true, updatedAt: draft.at })
}

/** A mark; the rows of its messages go in the background. */
export function truncateChannel (draft: Draft, { actor, channelId }: TruncateChannel): void {
  const channel = draft.channel(channelId)
  mustBeAllowed('delete_messages_from_channel', channel, callerIn(draft, channel, actor))
  draft.write({ kind: 'messages-truncated', lane: lanes.event }, { channel })
  draft.changeChannel(channel.channelKey, { truncatedPosition: draft.log.position, erasing: true, messageCount: 0, updatedAt: draft.at, ...(channel.listedCounts === undefined ? {} : { listedCounts: {} }) })
}

function countChannels (draft: Draft, { ruleset }: ChannelRecord, by: 1 | -1): void {
  draft.count('channels', by)
  if (ruleset === SYSTEM_CHANNEL) draft.count('system-channels', by)
}
