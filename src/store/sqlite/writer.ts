/** Applies changes inside a transaction: rows of state, and the entries of the log that tell of them. */
import { createHash, randomInt, randomUUID } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { refuse } from '../../errors.ts'
import { statusTable, type RelayStatus } from '../../rules/relay.ts'
import type { Command, CreateChannel, EditMessage, Outcome, SendMessage } from '../commands.ts'
import { formatCursor } from '../cursor.ts'
import { decide, type Change, type ChannelState, type MemberState, type MessageState } from '../decide.ts'
import type { Entry, EntryKind, Place } from '../store.ts'
import { prepareAll, type Statements } from './database.ts'
import { entryOfRow, messageOfEntry, participationOfRow, type EntryRow, type ParticipationRow } from './rows.ts'
import { writerSql } from './statements.ts'
import { WriterState } from './writer-state.ts'

/** How long a repeat of a request answers what the first answered (contract 6). */
export const IDEMPOTENCY_MS = 24 * 3_600_000

/** Sides that one order of the log may be split into later (design.md); a channel never changes its own. */
const SHARDS = 256

/** Tags are below this; the chance that a restored store's new history wears the same tag is one in two thousand million. */
const TAG_MAX = 2 ** 31

interface EntryDraft {
  kind: EntryKind
  lane: 0 | 1
  channel?: { channelKey: number, channelId: string }
  sender?: { key: number, id: string }
  about?: { key: number, id: string }
  messageId?: string
  /** Of an edit: the message's own entry. */
  original?: { position: number, at: number }
  editPosition?: number | null
  body?: string
}

/** A new entry, and the row that it was made from. */
interface Written {
  entry: Entry
  row: EntryRow
}

/** What is remembered of a success, to answer its repeats with: no content of messages. */
type Remembered =
  | { type: 'message', position: number, recipientsCount?: number }
  | { type: 'plain', outcome: Outcome }

export class Writer {
  readonly sql: Statements<typeof writerSql>
  readonly state: WriterState
  readonly epoch: string
  #position: number
  #at = 0
  #entries: Entry[] = []

  constructor (db: DatabaseSync) {
    this.sql = prepareAll(db, writerSql)
    this.state = new WriterState(this.sql)
    this.epoch = this.#ensureEpoch()
    this.#position = this.head().position
  }

  /** The log's end. */
  head (): Place {
    const row = this.sql.head.get() as { position: number, tag: number } | undefined
    const floor = Number(this.meta('floor_position'))
    if (row !== undefined && row.position >= floor) {
      return { position: row.position, cursor: formatCursor(this.epoch, row.position, row.tag) }
    }
    return { position: floor, cursor: formatCursor(this.epoch, floor, Number(this.meta('floor_tag'))) }
  }

  meta (name: string): string {
    return (this.sql.meta.get(name) as { value: string }).value
  }

  /** To be called inside a new transaction: stamps its time, and forgets what an abandoned one had made. */
  begin (): void {
    const { position } = this.head()
    const last = this.sql.atPosition.get(position) as { at: number } | undefined
    this.#position = position
    this.#at = Math.max(Date.now(), last?.at ?? 0)
    this.#entries = []
  }

  /** The entries that were written since `begin`, in log order. */
  entries (): Entry[] {
    return this.#entries
  }

  /** Carries out one command inside the transaction. Throws `Refusal` before anything is written. */
  execute (command: Command): Outcome {
    const { actor, idempotency } = command
    if (idempotency === undefined) return this.#carryOut(command).outcome
    const row = this.sql.idempotent.get(actor, idempotency.key, this.#at - IDEMPOTENCY_MS)
    if (row !== undefined) {
      const { fingerprint, outcome } = row as { fingerprint: string, outcome: string }
      if (fingerprint !== idempotency.fingerprint) throw refuse('idempotencyMismatch')
      return this.#recall(JSON.parse(outcome) as Remembered)
    }
    const { outcome, remembered } = this.#carryOut(command)
    this.sql.remember.run(actor, idempotency.key, idempotency.fingerprint, JSON.stringify(remembered), this.#at)
    return outcome
  }

  /** Writes decided changes, in their order. Returns what each wrote to the log. */
  apply (changes: Change[]): Array<Written | undefined> {
    return changes.map(change => this.#apply(change))
  }

  #carryOut (command: Command): { outcome: Outcome, remembered: Remembered } {
    const changes = decide(command, this.state)
    const recipientsCount = changes[0]?.change === 'send-message' ? changes[0].channel.receivingCount : undefined
    const [written] = this.apply(changes)
    if ((command.type === 'send-message' || command.type === 'edit-message') && written !== undefined) {
      const { position } = written.entry
      const outcome = this.#messageOutcome(written.row, recipientsCount)
      return { outcome, remembered: { type: 'message', position, ...(recipientsCount === undefined ? {} : { recipientsCount }) } }
    }
    if (command.type === 'add-participant' && written?.entry.channelKey !== undefined) {
      const row = this.sql.memberOf.get(written.entry.channelKey, command.userId) as unknown as ParticipationRow & { status: RelayStatus }
      const outcome = { participation: participationOfRow(row, command.channelId) }
      return { outcome, remembered: { type: 'plain', outcome } }
    }
    return { outcome: {}, remembered: { type: 'plain', outcome: {} } }
  }

  /** What a success answers when it is asked again. */
  #recall (remembered: Remembered): Outcome {
    if (remembered.type === 'plain') return remembered.outcome
    const row = this.sql.entryAt.get(remembered.position) as EntryRow | undefined
    if (row === undefined) throw refuse('notFound', 'What this request made has been deleted since')
    return this.#messageOutcome(row, remembered.recipientsCount)
  }

  #messageOutcome (row: EntryRow, recipientsCount: number | undefined): Outcome {
    const message = messageOfEntry(row)
    if (recipientsCount === undefined) return { message }
    return { message, recipientsCount, cursor: formatCursor(this.epoch, row.position, row.tag) }
  }

  #apply (change: Change): Written | undefined {
    switch (change.change) {
      case 'create-user':
        this.sql.insertUser.run(change.userId, JSON.stringify(change.profile), this.#at, this.#at)
        this.sql.count.run(1, 'users')
        return undefined
      case 'delete-user': {
        const about = this.#user(change.userId)
        this.sql.markUserDeleted.run(this.#at, about.key)
        this.sql.count.run(-1, 'users')
        return this.#write({ kind: 'user-deleted', lane: 1, about, body: '{}' })
      }
      case 'issue-token':
        this.sql.insertToken.run(change.tokenId, this.#user(change.userId).key, change.parentId ?? null, this.#at, change.expiresAt ?? null)
        return undefined
      case 'revoke-token':
        this.sql.revokeToken.run(this.#at, change.tokenId)
        return this.#write({ kind: 'token-revoked', lane: 1, body: JSON.stringify({ tokenId: change.tokenId }) })
      case 'create-channel':
        return this.#createChannel(change.command, change.members)
      case 'delete-channel':
        this.sql.count.run(-1, 'channels')
        this.sql.markChannelDeleted.run(this.#position + 1, this.#at, change.channel.channelKey)
        return this.#write({ kind: 'channel-deleted', lane: 1, channel: change.channel })
      case 'truncate-channel':
        this.sql.truncateChannel.run(this.#position + 1, this.#at, change.channel.channelKey)
        return this.#write({ kind: 'messages-truncated', lane: 1, channel: change.channel })
      case 'vacate-admin':
        this.sql.vacateAdmin.run(change.channel.channelKey)
        return undefined
      case 'member':
        return this.#changeMember(change)
      case 'send-message':
        return this.#sendMessage(change.channel, change.command)
      case 'edit-message':
        return this.#editMessage(change.channel, change.message, change.command)
      case 'delete-message':
        this.erase(change.message.position)
        this.sql.countMessages.run(-1, change.channel.channelKey)
        return this.#write({ kind: 'message-deleted', lane: 1, channel: change.channel, messageId: change.message.messageId })
    }
  }

  #createChannel (command: CreateChannel, members: Array<{ userId: string, status: RelayStatus, roles: string[] }>): Written {
    const created = this.#position + 1
    const audit = { createdAt: this.#at, updatedAt: this.#at }
    const timelineEvents = command.timelineEvents.map(event => this.#timelineEvent(event, audit))
    const { lastInsertRowid } = this.sql.insertChannel.run(command.channelId, shardOf(command.channelId), command.ruleset,
      command.groupType, command.systemChannel ? 1 : 0, JSON.stringify(timelineEvents), this.#at, this.#at, created)
    const channel = { channelKey: Number(lastInsertRowid), channelId: command.channelId }
    this.sql.count.run(1, 'channels')
    for (const { userId, status, roles } of members) {
      this.#putMember(channel.channelKey, userId, { status, held: 'none', admin: roles.includes('admin') }, created, undefined)
    }
    const body = JSON.stringify({
      channelId: command.channelId,
      identifier: command.channelId,
      defaultRuleSet: command.ruleset,
      groupType: command.groupType,
      participation: [],
      systemChannel: command.systemChannel,
      timelineEvents,
      audit,
      auditInfo: audit
    })
    const written = this.#write({ kind: 'channel', lane: 1, channel, body })
    written.entry.members = members.map(({ userId, status }) => ({ userId, receives: statusTable[status].receives }))
    return written
  }

  #changeMember ({ channel, userId, before, after, held }: Extract<Change, { change: 'member' }>): Written {
    const about = this.#user(userId)
    const position = this.#position + 1
    if (after !== undefined) {
      this.#putMember(channel.channelKey, userId, after, position, before)
      return this.#write({
        kind: 'participation',
        lane: 1,
        channel,
        about,
        body: JSON.stringify({
          participantId: { identifier: userId },
          newStatus: statusTable[after.status].participationStatus,
          ...(before?.status === undefined ? {} : { oldStatus: statusTable[before.status].participationStatus }),
          relayStatus: after.status,
          roles: after.admin ? ['admin'] : []
        })
      })
    }
    this.#count(channel.channelKey, before, undefined)
    if (before?.status !== undefined && statusTable[before.status].receives) {
      this.sql.closeEntitlement.run(position, about.key, channel.channelKey)
    }
    if (held === 'none') this.sql.deleteParticipation.run(channel.channelKey, about.key)
    else this.sql.leaveHeld.run(held, this.#at, channel.channelKey, about.key)
    return this.#write({
      kind: 'participation-deleted', lane: 1, channel, about, body: JSON.stringify({ participantId: { identifier: userId } })
    })
  }

  /** Writes a member's row, its interval of entitlement and the channel's counts. */
  #putMember (channelKey: number, userId: string, after: Omit<MemberState, 'userId'> & { status: RelayStatus }, position: number, before: MemberState | undefined): void {
    const userKey = this.#user(userId).key
    const admin = after.admin ? 1 : 0
    const received = before?.status !== undefined && statusTable[before.status].receives
    const { receives } = statusTable[after.status]
    if (before?.status === undefined) {
      this.sql.putParticipation.run(channelKey, userKey, randomUUID(), after.status, after.held, admin, this.#at, position,
        after.status === 'active' ? position : null, this.#at, this.#at)
    } else {
      const row = this.sql.activePosition.get(channelKey, userKey) as { active_position: number | null }
      const activePosition = after.status === 'active' ? row.active_position ?? position : null
      this.sql.changeParticipation.run(after.status, after.held, admin, activePosition, this.#at, channelKey, userKey)
    }
    if (receives && !received) this.sql.openEntitlement.run(userKey, channelKey, position)
    if (!receives && received) this.sql.closeEntitlement.run(position, userKey, channelKey)
    this.#count(channelKey, before, after)
  }

  #count (channelKey: number, before: Omit<MemberState, 'userId'> | undefined, after: Omit<MemberState, 'userId'> | undefined): void {
    const counts = (member: typeof before) => ({
      member: member?.status === undefined ? 0 : 1,
      receiving: member?.status !== undefined && statusTable[member.status].receives ? 1 : 0,
      admin: member?.status === 'active' && member.admin ? 1 : 0
    })
    const [was, is] = [counts(before), counts(after)]
    const admins = is.admin - was.admin
    this.sql.countMembers.run(is.member - was.member, is.receiving - was.receiving, admins, admins, channelKey)
  }

  #sendMessage (channel: ChannelState, command: SendMessage): Written {
    const audit = { createdAt: this.#at, updatedAt: this.#at }
    const events = command.timelineEvents
    const sent = { type: 'mitter.mtet.SentTime', eventTimeMs: this.#at, subject: command.senderId }
    const timelineEvents = events.some(({ type }) => type === sent.type) ? events : [sent, ...events]
    const body = JSON.stringify({
      messageType: command.messageType,
      payloadType: command.payloadType,
      textPayload: command.textPayload,
      messageData: command.messageData,
      timelineEvents: timelineEvents.map(event => this.#timelineEvent(event, audit)),
      ...(command.entityMetadata === undefined ? {} : { entityMetadata: command.entityMetadata })
    })
    this.sql.countMessages.run(1, channel.channelKey)
    return this.#write({ kind: 'message', lane: 0, channel, sender: this.#user(command.senderId), messageId: command.messageId, body })
  }

  /** An edit is an entry of its own with the whole new content; message and edits are a chain, newest first. */
  #editMessage (channel: ChannelState, message: MessageState, command: EditMessage): Written {
    const stored = this.sql.editOf.get(message.position) as { at: number, body: string, edit_position: number | null }
    const newest = stored.edit_position === null
      ? stored
      : this.sql.editOf.get(stored.edit_position) as { body: string }
    const content = { ...JSON.parse(newest.body) as object, ...pick(command, 'textPayload', 'messageData') }
    if (stored.edit_position !== null && stored.edit_position <= Number(this.meta('floor_position'))) {
      this.sql.deleteEntry.run(stored.edit_position)
      stored.edit_position = null
    }
    this.sql.setNewestEdit.run(this.#position + 1, message.position)
    return this.#write({
      kind: 'message-updated',
      lane: 1,
      channel,
      sender: this.#user(message.senderId),
      messageId: message.messageId,
      original: { position: message.position, at: stored.at },
      editPosition: stored.edit_position,
      body: JSON.stringify(content)
    })
  }

  /** Takes the content of a message out of its own row and of every edit's. The rows keep their places. */
  erase (messagePosition: number): void {
    let next: number | null = messagePosition
    while (next !== null) {
      const row = this.sql.editOf.get(next) as { edit_position: number | null } | undefined
      if (row === undefined) return
      this.sql.eraseEntry.run(next)
      next = row.edit_position
    }
  }

  #write (draft: EntryDraft): Written {
    const position = ++this.#position
    const { kind, lane, channel, sender, about, original } = draft
    const row: EntryRow = {
      position,
      tag: randomInt(TAG_MAX),
      at: this.#at,
      kind,
      lane,
      channel_key: channel?.channelKey ?? null,
      channel_id: channel?.channelId ?? null,
      message_id: draft.messageId ?? null,
      message_position: original?.position ?? null,
      original_at: original?.at ?? null,
      sender_id: sender?.id ?? null,
      about_id: about?.id ?? null,
      body: draft.body ?? null,
      truncated_position: null,
      deleted_position: null,
      sender_deleted_at: null
    }
    this.sql.insertEntry.run(position, row.tag, row.at, kind, lane, channel === undefined ? 0 : shardOf(channel.channelId),
      row.channel_key, sender?.key ?? null, about?.key ?? null, row.message_id, row.message_position,
      draft.editPosition ?? null, row.body)
    const written = { entry: entryOfRow(row, this.epoch), row }
    this.#entries.push(written.entry)
    return written
  }

  #timelineEvent (event: { eventId?: string, type: string, eventTimeMs: number, subject: string }, audit: { createdAt: number, updatedAt: number }) {
    const eventId = event.eventId ?? randomUUID()
    return {
      eventId, identifier: eventId, type: event.type, eventTimeMs: event.eventTimeMs, subject: { identifier: event.subject }, audit, auditInfo: audit
    }
  }

  #user (id: string): { key: number, id: string } {
    return { key: this.state.user(id)!.user_key, id }
  }

  #ensureEpoch (): string {
    const stored = this.sql.meta.get('epoch') as { value: string } | undefined
    if (stored !== undefined) return stored.value
    const epoch = Array.from({ length: 12 }, () => randomInt(36).toString(36)).join('')
    this.sql.putMeta.run('floor_position', '0')
    this.sql.putMeta.run('floor_tag', String(randomInt(TAG_MAX)))
    this.sql.putMeta.run('removed_position', '0')
    this.sql.putMeta.run('epoch', epoch)
    return epoch
  }
}

function shardOf (channelId: string): number {
  return createHash('sha1').update(channelId).digest()[0]! % SHARDS
}

function pick<T extends object, K extends keyof T> (from: T, ...keys: K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(keys.filter(key => from[key] !== undefined).map(key => [key, from[key]])) as Partial<Pick<T, K>>
}
