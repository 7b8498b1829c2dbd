/** Who may read a message: how many they are, and where it is found by them. */
import { decideOfMessage, type AccessLists } from '../../../rules/access.ts'
import { Audience, classesNamedIn, isRouted, namedIn, readerClasses, readersNamedIn } from '../../../rules/audience.ts'
import { SYSTEM_CHANNEL } from '../../../rules/rulesets.ts'
import { SYSTEM, type Actor } from '../../contract/commands.ts'
import type { Position } from '../../contract/log.ts'
import type { Draft } from '../draft.ts'
import { lanes, type AudienceRecord, type ChannelRecord, type EntryView, type Lane, type ListsChange, type MessageRecord } from '../records.ts'
import { callerIn, standingOf } from './members.ts'

/** Keys of the users whom lists name. */
export function namedKeys (draft: Draft, lists: AccessLists | undefined): number[] {
  return keysOf(draft, namedIn(lists))
}

const keysOf = (draft: Draft, userIds: string[]): number[] => userIds.flatMap(userId => draft.user(userId)?.userKey ?? [])

export const laneOf = (lists: AccessLists | undefined): Lane => isRouted(lists) ? lanes.listed : lanes.message

/** A message with lists of its own was sent, with the newest entry. */
export function listNewMessage (draft: Draft, { channelKey, position, acls }: MessageRecord): void {
  if (acls === undefined) return
  draft.address([...classRows(channelKey, position, acls), ...userRows(draft, 'named', channelKey, position, acls)])
}

/** A message that is there comes, or goes. */
export function countListed (draft: Draft, channelKey: number, lists: AccessLists | undefined, by: 1 | -1): void {
  const { messageCount, listedCounts } = draft.channelByKey(channelKey)
  if (lists === undefined) return draft.changeChannel(channelKey, { messageCount: messageCount + by })
  const named = classesNamedIn(lists)
  const classes = readerClasses.filter(name => named.includes(name)).join()
  draft.changeChannel(channelKey, { listedCounts: { ...listedCounts, [classes]: (listedCounts?.[classes] ?? 0) + by } })
}

/** What is about a message reaches those whom it names. */
export function addressAbout (draft: Draft, { channelKey, acls }: MessageRecord): void {
  if (acls !== undefined) draft.address(userRows(draft, 'about', channelKey, draft.log.position, acls))
}

const classRows = (channelKey: number, position: Position, lists: AccessLists | undefined): AudienceRecord[] =>
  classesNamedIn(lists).map(name => ({ channelKey, class: name, userKey: 0, position }))

const userRows = (draft: Draft, name: 'named' | 'about', channelKey: number, position: Position, lists: AccessLists | undefined): AudienceRecord[] =>
  keysOf(draft, readersNamedIn(lists)).map(userKey => ({ channelKey, class: name, userKey, position }))

/** A message has other lists from the newest entry on. */
export function readdress (draft: Draft, { acls, aclsPosition, ...message }: MessageRecord, { before, after }: ListsChange, content: string): void {
  const { position: at } = draft.log
  const { channelKey, position } = message
  const record = { ...message, aclsPosition: at, ...(after === undefined ? {} : { acls: after }) }
  draft.putMessage(record, content)
  if (aclsPosition === undefined) draft.noteMessageLists(position, position, before)
  draft.noteMessageLists(position, at, after)
  draft.relist(record, laneOf(after))
  draft.unaddress(classRows(channelKey, position, before))
  draft.address([...classRows(channelKey, position, after), ...userRows(draft, 'named', channelKey, position, after)])
  draft.address([...userRows(draft, 'about', channelKey, at, before), ...userRows(draft, 'about', channelKey, at, after)])
  countListed(draft, channelKey, before, -1)
  countListed(draft, channelKey, after, 1)
}

/** Of a message, as what is about it tells of them. */
export function listsOf ({ acls, aclsPosition }: Pick<MessageRecord, 'acls' | 'aclsPosition'>): Pick<EntryView, 'lists'> {
  return acls === undefined && aclsPosition === undefined ? {} : { lists: { then: acls, now: acls } }
}

/** How many may read a message that is sent now. */
export function countRecipients (draft: Draft, channel: ChannelRecord, lists: AccessLists | undefined): number {
  if (lists === undefined && channel.acls === undefined) return channel.receivingCount
  const audience = new Audience(lists, channel.acls)
  const named = [...audience.named].filter(userId => draft.livingUser(userId) !== undefined).map(userId => callerIn(draft, channel, userId))
  // The application reads everything, and is counted where it is a participant.
  const application = channel.ruleset === SYSTEM_CHANNEL ? standingOf(draft, channel, SYSTEM) : undefined
  if (application !== undefined) named.push({ userId: SYSTEM, standing: application })
  const { receivingCount, mutedCount: muted, pendingCount: pending, disabledCount: disabled, activeAdminCount: activeAdmins } = channel
  return audience.count({ active: receivingCount - muted, activeAdmins, muted, pending, disabled }, named)
}

/** Whether somebody may read a message, by its id or wherever else it would appear. */
export function mayRead (draft: Draft, { acls, sender }: MessageRecord, channel: ChannelRecord, actor: Actor, byId: boolean): boolean {
  return decideOfMessage('read_message', { senderId: sender.userId, lists: acls, channelLists: channel.acls }, callerIn(draft, channel, actor), byId).allowed
}
