/** Access control lists are given to channels, messages and the application, and changed. */
import { refuse, refuseWith } from '../../../errors.ts'
import { decideOfMessage, type AccessLists, type Entry } from '../../../rules/access.ts'
import { areSame, formatEntry, patchedLists, type Entity } from '../../../rules/access-entries.ts'
import { mustBeAllowed, refusalOf } from '../../../rules/access-refusals.ts'
import { namedIn } from '../../../rules/audience.ts'
import { receives } from '../../../rules/relay.ts'
import { SYSTEM, type Actor, type ChangeAcls } from '../../contract/commands.ts'
import type { Draft } from '../draft.ts'
import { isPresent, lanes, type ChannelRecord, type ListsChange, type MessageRecord } from '../records.ts'
import { subjectsOf } from '../render/message.ts'
import { withoutGone } from '../render/lists.ts'
import { mustBeAllowedHere } from './application.ts'
import { mayRead, readdress } from './audiences.ts'
import { callerIn, standingOf } from './members.ts'
import { isGone } from './users.ts'

export function changeAcls (draft: Draft, command: ChangeAcls): void {
  switch (command.of.kind) {
    case 'application': return changeApplication(draft, command)
    case 'channel': return changeChannel(draft, command, command.of.channelId)
    case 'message': return changeMessage(draft, command, command.of.messageId)
  }
}

function changeApplication (draft: Draft, { actor, patch }: ChangeAcls): void {
  mustBeAllowedHere(draft, 'modify_acl', actor)
  const { before, after } = changed(draft, draft.get('application', '')?.acls, patch, { kind: 'application' })
  mustBeNameable(draft, actor, after, before)
  draft.put('application', '', { acls: after })
}

function changeChannel (draft: Draft, { actor, patch }: ChangeAcls, channelId: string): void {
  const channel = draft.channel(channelId)
  mustBeAllowed('modify_acl', channel, callerIn(draft, channel, actor))
  const change = changed(draft, channel.acls, patch, { kind: 'channel', channelId })
  mustBeNameable(draft, actor, change.after, change.before)
  if (areSame(change.before, change.after)) return
  draft.write({ kind: 'channel-acls-changed', lane: lanes.event, change }, { channel })
  draft.listChannel(channel.channelKey, change.after)
}

function changeMessage (draft: Draft, { actor, patch }: ChangeAcls, messageId: string): void {
  const { message, channel } = livingMessage(draft, messageId)
  mayChange(draft, message, channel, actor)
  const change = changed(draft, message.acls, patch, { kind: 'message', channelId: channel.channelId })
  mustBeNameable(draft, actor, change.after, change.before, channel)
  if (areSame(change.before, change.after)) return

  const content = draft.content(message)!
  const sender = { ...message.sender, deleted: isGone(draft, message.sender.userId) }
  const told = subjectsOf(content).filter(userId => userId !== sender.userId && draft.user(userId) !== undefined)
  const subjects = told.map(userId => draft.user(userId)!.userKey)
  const editedAt = message.editPosition === undefined ? undefined : draft.view(message.editPosition)?.record.at
  draft.write({
    kind: 'message-acls-changed',
    lane: lanes.event,
    senderKey: sender.userKey,
    messageId,
    messagePosition: message.position,
    change: { ...change, ...(editedAt === undefined ? {} : { edit: message.editPosition!, editedAt }) },
    ...(subjects.length === 0 ? {} : { subjects }),
    body: content
  }, { channel, sender, message, lists: { then: change.after, now: change.after }, gone: told.filter(userId => isGone(draft, userId)) })
  readdress(draft, { ...message, sender }, change, content)
}

/** What results, of lists in which nobody is named who is gone. */
function changed (draft: Draft, lists: AccessLists | undefined, patch: ChangeAcls['patch'], entity: Entity): ListsChange {
  const before = lists && withoutGone(lists, namedIn(lists).filter(userId => isGone(draft, userId)))
  return { before, after: patchedLists(before, patch, entity) }
}

function livingMessage (draft: Draft, messageId: string): { message: MessageRecord, channel: ChannelRecord } {
  const message = draft.get('message', messageId)
  const channel = message && draft.get('channel', String(message.channelKey))
  if (channel === undefined || channel.deletedPosition !== undefined || !isPresent(message, channel)) throw refuse('messageNotFound', messageId)
  return { message, channel }
}

/** Whoever may neither change its lists nor read it does not learn that it is there. */
function mayChange (draft: Draft, message: MessageRecord, channel: ChannelRecord, actor: Actor): void {
  const { messageId, acls: lists, sender: { userId: senderId } } = message
  const decision = decideOfMessage('modify_acl', { senderId, lists, channelLists: channel.acls }, callerIn(draft, channel, actor))
  if (decision.allowed) return
  if (!mayRead(draft, message, channel, actor, true)) throw refuse('messageNotFound', messageId)
  throw refusalOf('modify_acl', decision, () => refuse('missingPrivilege', 'Only the application may change the lists of a message, unless they say otherwise'))
}

/**
 * Throws where lists name somebody who is not there, or whom, or what, the actor may not name. What was in them before is not
 * looked at again.
 * @param channel of a message's lists
 */
export function mustBeNameable (draft: Draft, actor: Actor, lists: AccessLists | undefined, before: AccessLists | undefined, channel?: ChannelRecord): void {
  const names = (side: 'plus' | 'minus'): readonly Entry[] => {
    const known = new Set(before?.[side].map(entry => JSON.stringify(entry)))
    return lists?.[side].filter(entry => known.size === 0 || !known.has(JSON.stringify(entry))) ?? []
  }
  for (const entry of [...names('plus'), ...names('minus')]) {
    const diagnostics = { entry: formatEntry(entry, channel?.channelId ?? '') }
    if (entry.selector.kind === 'user' && draft.livingUser(entry.selector.userId) === undefined) throw refuseWith('userNotFound', { diagnostics }, entry.selector.userId)
    if (entry.privilege === 'send_as_other_to_channel' && actor !== SYSTEM) {
      throw refuseWith('missingPrivilege', { diagnostics }, 'Only the application may let others send as somebody else: leave send_as_other_to_channel out')
    }
  }
  if (channel === undefined || actor === SYSTEM) return
  for (const entry of names('plus')) {
    if (entry.selector.kind !== 'user' || receives(standingOf(draft, channel, entry.selector.userId)?.status)) continue
    const diagnostics = { entry: formatEntry(entry, channel.channelId) }
    throw refuseWith('missingPrivilege', { diagnostics }, `Only the application may name users who do not receive the channel: name participants who are active or muted, not ${JSON.stringify(entry.selector.userId)}`)
  }
}
