/**
 * What need not happen at once, as commands too: they are found by reading, and carried out in small steps
 * between others' commands by whoever is told to. Each touches a bounded number of rows.
 *
 * Two nodes may find the same, and one may carry it out when the other has long done so, and more: each chore looks at what
 * there is by then. What it has found it names by positions, so in another log than that it means nothing.
 */
import { SYSTEM } from '../../rules/identifiers.ts'
import { rulesetTable } from '../../rules/rulesets.ts'
import type { Ruleset } from '../../rules/relay.ts'
import type { RemoveParticipant } from '../contract/commands.ts'
import type { Position } from '../contract/log.ts'
import { IDEMPOTENCY_MS } from './decide/idempotency.ts'
import { NONCE_MS } from './decide/users.ts'
import type { Draft } from './draft.ts'
import { ask, type ErasedRemains, type Read } from './read/queries.ts'
import type { EntryRecord } from './records.ts'
import { STEP } from './source.ts'

/** Entries whose age is looked at together. */
const STEP_AGES = 2_000

/** Small channels whose members are told together: lists and counts of theirs step over deleted channels until then. */
const STEP_CHANNELS = 50

/** How long a token's row stays after its end, in milliseconds: a late call still learns that it expired. */
const EXPIRED_TOKEN_MS = 24 * 3_600_000

export type Chore = Work & {
  /** The log's head when it was found. */
  foundAt: { position: Position, tag: number }
}

type Work =
  /** A deleted user has left all that it can. */
  | { type: 'finish-leaving', userId: string }
  /** Takes a deleted channel out of its members' lists and counts. */
  | { type: 'close-members', channelKey: number, userKeys: number[], last: boolean }
  /** Content of messages that were deleted with their channel, or truncated. */
  | { type: 'erase-messages', channelKey: number, upTo: Position, messages: Position[] }
  /** What is left of erased messages. */
  | { type: 'erase-remains' } & ErasedRemains
  /** Idempotency keys, nonces and tokens whose time is over. */
  | { type: 'forget', now: number, replies: string[], nonces: string[], tokens: string[] }
  | { type: 'raise-floor', floor: { position: Position, tag: number } }
  /** Rows below the floor, but for what a GET still answers from. */
  | { type: 'remove-entries', upTo: Position, positions: Position[], listChanges: Position[] }
  /** Intervals that ended below the floor: by channel key, user key and beginning. */
  | { type: 'remove-intervals', upTo: Position }
  /** A deleted channel's members and events, and what was kept of its lists, some at a time; `last`: and itself. */
  | { type: 'remove-channel', channelKey: number, userKeys: number[], positions: Position[], last: boolean }

/** What commands have left to do: commands to carry out, together, before asking again. None: nothing is due. */
export function * leftOver (): Read<Array<Chore | RemoveParticipant>> {
  return yield * found(yield * leftOverWork())
}

/**
 * What is due now of all that there is to do.
 * @param now the store's time, in milliseconds since the epoch
 * @param retentionMs for how long an entry can be resumed from; absent: nothing goes by its age now
 */
export function * dueChores (now: number, retentionMs: number | undefined): Read<Array<Chore | RemoveParticipant>> {
  const old = retentionMs === undefined ? [] : [...yield * forget(now), ...yield * raiseFloor(now, now - retentionMs)]
  return yield * found([...yield * leftOverWork(), ...old, ...yield * removeEntries(), ...yield * removeChannel()])
}

/** What a deleted user has to leave still, and that it has. */
export function * leave (userId: string): Read<Array<Chore | RemoveParticipant>> {
  return yield * found(yield * leaving(userId))
}

function * found (due: Array<Work | RemoveParticipant>): Read<Array<Chore | RemoveParticipant>> {
  if (due.length === 0) return []
  const [{ position, tag }] = yield * ask(['ends'])
  return due.map(one => one.type === 'remove-participant' ? one : { ...one, foundAt: { position, tag } })
}

function * leftOverWork (): Read<Array<Work | RemoveParticipant>> {
  // A step of each, so that none has to wait until there is nothing of another.
  return [...yield * leaving(), ...yield * close(), ...yield * erase(), ...yield * eraseRemains()]
}

/**
 * A deleted user leaves each of its channels by a command of its own, with its entry and its succession.
 * @param userId the one to look after; absent: whoever has not left yet
 */
function * leaving (userId?: string): Read<Array<Work | RemoveParticipant>> {
  const [user] = yield * userId === undefined ? ask(['leavingUser']) : ask(['user', userId])
  if (user?.leaving !== true) return []
  const open = (Object.keys(rulesetTable) as Ruleset[]).filter(ruleset => !rulesetTable[ruleset].fixed)
  const [channels] = yield * ask(['channelsToLeave', user.userKey, open, STEP.rows])
  // Only where none is left, and not beside the last of them, which may fail.
  if (channels.length === 0) return [{ type: 'finish-leaving', userId: user.userId }]
  return channels.map((channelId): RemoveParticipant => ({ type: 'remove-participant', actor: SYSTEM, channelId, userId: user.userId }))
}

function * close (): Read<Work[]> {
  const [channels] = yield * ask(['closingChannels', STEP_CHANNELS])
  const members = yield * ask(...channels.map(({ channelKey }) => ['membersToClose', channelKey, STEP.rows] as ['membersToClose', number, number]))
  const due: Work[] = []
  let rows = 0
  for (const [index, { channelKey }] of channels.entries()) {
    const userKeys = members[index]!
    rows += userKeys.length
    if (due.length > 0 && rows > STEP.rows) break
    due.push({ type: 'close-members', channelKey, userKeys, last: userKeys.length < STEP.rows })
  }
  return due
}

function * erase (): Read<Work[]> {
  const [channel] = yield * ask(['erasingChannel'])
  if (channel === undefined) return []
  const upTo = channel.deletedPosition ?? channel.truncatedPosition
  const [messages] = yield * ask(['messagesToErase', channel.channelKey, upTo, STEP])
  return [{ type: 'erase-messages', channelKey: channel.channelKey, upTo, messages }]
}

function * eraseRemains (): Read<Work[]> {
  const [{ floor }] = yield * ask(['ends'])
  const [remains] = yield * ask(['erasedRemains', floor.position, STEP])
  return remains.edits.length + remains.events.length + remains.messages.length === 0 ? [] : [{ type: 'erase-remains', ...remains }]
}

function * forget (now: number): Read<Work[]> {
  const [replies, nonces, tokens] = yield * ask(
    ['repliesBefore', now - IDEMPOTENCY_MS, STEP.rows], ['noncesBefore', now - NONCE_MS, STEP.rows], ['tokensEndedBefore', now - EXPIRED_TOKEN_MS, STEP.rows])
  return replies.length + nonces.length + tokens.length === 0 ? [] : [{ type: 'forget', now, replies, nonces, tokens }]
}

/**
 * Entry by entry, because times may fall along the log, where a clock was set: nothing goes before it is old enough itself,
 * and what is dated in the future holds up nothing behind it.
 */
function * raiseFloor (now: number, before: number): Read<Work[]> {
  const [{ floor }] = yield * ask(['ends'])
  const [entries] = yield * ask(['agesAfter', floor.position, STEP_AGES])
  let newest: { position: Position, tag: number } | undefined
  for (const { at, ...entry } of entries) {
    if (at <= before) newest = entry
    else if (at <= now) break
  }
  return newest === undefined ? [] : [{ type: 'raise-floor', floor: newest }]
}

function * removeEntries (): Read<Work[]> {
  const [{ floor, removedPosition }] = yield * ask(['ends'])
  if (removedPosition < floor.position) {
    const [{ rows, ended }] = yield * ask(['entriesToRemove', removedPosition, floor.position, STEP])
    const upTo = ended ? floor.position : rows.at(-1)!.position
    return [{
      type: 'remove-entries',
      upTo,
      positions: positionsOf(rows.filter(row => !outlives(row))),
      listChanges: positionsOf(rows.filter(({ kind }) => kind === 'channel-acls-changed' || kind === 'message-acls-changed'))
    }]
  }
  const [ended] = yield * ask(['hasIntervalsEndedBy', floor.position])
  return ended ? [{ type: 'remove-intervals', upTo: floor.position }] : []
}

const positionsOf = (rows: Array<{ position: Position }>): Position[] => rows.map(({ position }) => position)

/** Once no replay can speak of it any more. */
function * removeChannel (): Read<Work[]> {
  const [{ floor }] = yield * ask(['ends'])
  const [channelKey] = yield * ask(['channelToRemove', floor.position])
  if (channelKey === undefined) return []
  const [userKeys, positions, listed] = yield * ask(['membersOf', channelKey, STEP.rows], ['eventsOf', channelKey, floor.position, STEP], ['hasLists', channelKey])
  return [{ type: 'remove-channel', channelKey, userKeys, positions, last: userKeys.length + positions.length === 0 && !listed }]
}

/** What decides whether an entry that has fallen out of retention stays. */
export interface ExpiredEntry extends Pick<EntryRecord, 'position' | 'kind'> {
  /** Of edits and of events of messages: whether the message is there, and its newest edit. */
  messagePresent?: boolean
  newestEdit?: Position
  /** Messages of its channel have, or had, lists. */
  listed: boolean
}

/** Messages stay, their history being what lists answer with; so do the newest edit of each, and timelines. */
function outlives ({ position, kind, messagePresent, newestEdit, listed }: ExpiredEntry): boolean {
  switch (kind) {
    case 'message': return true
    case 'message-updated': return messagePresent === true && newestEdit === position
    case 'message-timeline': return messagePresent === true
    case 'channel-timeline': return true
    // Whom messages have named that it took away is told by where it was.
    case 'messages-truncated': return listed
    default: return false
  }
}

export function carryOutChore (draft: Draft, chore: Chore): void {
  if (!isOfLog(draft, chore.foundAt)) return
  switch (chore.type) {
    case 'finish-leaving': {
      const user = draft.user(chore.userId)
      if (user?.leaving === true) draft.put('user', chore.userId, { ...user, leaving: false })
      return
    }
    case 'close-members': return closeMembers(draft, chore)
    case 'erase-messages': return eraseMessages(draft, chore)
    case 'erase-remains':
      draft.empty([...chore.edits, ...chore.messages])
      draft.remove(chore.events)
      return
    case 'forget': return forgetRows(draft, chore)
    case 'raise-floor':
      if (chore.floor.position > draft.log.floor.position) draft.raiseFloor(chore.floor)
      return
    case 'remove-entries':
      if (chore.upTo <= draft.log.removedPosition) return
      draft.forgetLists(chore.listChanges)
      draft.remove(chore.positions)
      draft.removedUpTo(chore.upTo)
      return
    case 'remove-intervals':
      draft.removeIntervals(chore.upTo, STEP.rows)
      return
    case 'remove-channel':
      if (draft.get('channel', String(chore.channelKey))?.deletedPosition === undefined) return
      draft.forgetMembers(chore.channelKey, chore.userKeys)
      draft.remove(chore.positions)
      draft.forgetListsOf(chore.channelKey, STEP.rows)
      if (chore.last) draft.forgetChannel(chore.channelKey)
  }
}

type ChoreOf<Type extends Chore['type']> = Extract<Chore, { type: Type }>

/** Whether the log has a place, as far as can be said; what was found so long ago that it cannot is found anew. */
function isOfLog (draft: Draft, { position, tag }: Chore['foundAt']): boolean {
  const { log } = draft
  if (position === log.position) return tag === log.tag
  if (position <= log.floor.position) return position === log.floor.position && tag === log.floor.tag
  return draft.view(position)?.record.tag === tag
}

function closeMembers (draft: Draft, { channelKey, userKeys, last }: ChoreOf<'close-members'>): void {
  const channel = draft.get('channel', String(channelKey))
  if (channel?.deletedPosition === undefined || !channel.closing) return
  for (const userKey of userKeys) {
    const member = draft.member(channelKey, userKey)
    if (member?.status === undefined || member.closedPosition !== undefined) continue
    draft.putMember({ ...member, closedPosition: channel.deletedPosition })
    draft.countMembership(userKey, channel.ruleset, -1)
  }
  if (last) draft.changeChannel(channelKey, { closing: false })
}

function eraseMessages (draft: Draft, { channelKey, upTo, messages }: ChoreOf<'erase-messages'>): void {
  const channel = draft.get('channel', String(channelKey))
  if (channel === undefined || !channel.erasing) return
  for (const position of messages) draft.erase(position)
  // It may have been truncated again, or deleted, since the rows were looked for.
  if (messages.length === 0 && (channel.deletedPosition ?? channel.truncatedPosition) === upTo) draft.changeChannel(channelKey, { erasing: false })
}

/** What was taken again since is another. */
function forgetRows (draft: Draft, { now, replies, nonces, tokens }: ChoreOf<'forget'>): void {
  const isOld = (at: number | undefined, ms: number) => at !== undefined && at < now - ms
  for (const key of replies) if (isOld(draft.get('reply', key)?.at, IDEMPOTENCY_MS)) draft.put('reply', key, null)
  for (const nonce of nonces) if (isOld(draft.get('nonce', nonce)?.at, NONCE_MS)) draft.put('nonce', nonce, null)
  for (const tokenId of tokens) if (isOld(draft.get('token', tokenId)?.expiresAt, EXPIRED_TOKEN_MS)) draft.put('token', tokenId, null)
}

/** Kinds of commands after which chores are due at once. */
export function makesChores ({ type }: { type: string }): boolean {
  return ['delete-user', 'delete-channel', 'truncate-channel', 'delete-messages'].includes(type)
}

/** Kinds after which something that was there must soon be in no file any more. */
export function erases ({ type }: { type: string }): boolean {
  return ['delete-messages', 'edit-message', 'delete-user', 'erase-messages', 'erase-remains', 'forget', 'remove-entries', 'remove-channel'].includes(type)
}
