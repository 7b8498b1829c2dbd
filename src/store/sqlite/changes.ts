/** Carries decided changes out: rows of state, and the entries of the log that tell of them. */
import { randomUUID } from 'node:crypto'
import { statusTable, type RelayStatus } from '../../rules/relay.ts'
import { SYSTEM_CHANNEL } from '../../rules/rulesets.ts'
import type { TimelineEventInput } from '../../../schemas/timeline.ts'
import type { CreateChannel, EditMessage, SendMessage } from '../commands.ts'
import type { Change, ChannelState, MemberState, MessageState } from '../state.ts'
import type { Statements } from './database.ts'
import { shardOf, type Log, type Written } from './log.ts'
import type { writerSql } from './statements.ts'
import type { WriterState } from './writer-state.ts'

type CountedChannel = Pick<ChannelState, 'channelKey' | 'ruleset'>

export class Changes {
  readonly #sql: Statements<typeof writerSql>
  readonly #state: WriterState
  readonly #log: Log

  constructor (sql: Statements<typeof writerSql>, state: WriterState, log: Log) {
    this.#sql = sql
    this.#state = state
    this.#log = log
  }

  /** Writes one change. Returns what it wrote to the log. */
  apply (change: Change): Written | undefined {
    switch (change.change) {
      case 'create-user':
        this.#sql.insertUser.run(change.userId, JSON.stringify(change.profile), this.#log.at, this.#log.at)
        this.#sql.count.run(1, 'users')
        return undefined
      case 'delete-user': {
        const about = this.#user(change.userId)
        this.#sql.markUserDeleted.run(this.#log.at, about.key)
        this.#sql.count.run(-1, 'users')
        return this.#log.write({ kind: 'user-deleted', lane: 1, about, body: '{}' })
      }
      case 'issue-token':
        this.#sql.insertToken.run(change.tokenId, this.#user(change.userId).key, change.parentId ?? null, this.#log.at, change.expiresAt ?? null)
        return undefined
      case 'revoke-token':
        this.#sql.revokeToken.run(this.#log.at, change.tokenId)
        return this.#log.write({ kind: 'token-revoked', lane: 1, body: JSON.stringify({ tokenId: change.tokenId }) })
      case 'create-channel':
        return this.#createChannel(change.command, change.members)
      case 'delete-channel':
        this.#countChannels(change.channel.ruleset, -1)
        this.#sql.markChannelDeleted.run(this.#log.next, this.#log.at, change.channel.channelKey)
        return this.#log.write({ kind: 'channel-deleted', lane: 1, channel: change.channel })
      case 'truncate-channel':
        this.#sql.truncateChannel.run(this.#log.next, this.#log.at, change.channel.channelKey)
        return this.#log.write({ kind: 'messages-truncated', lane: 1, channel: change.channel })
      case 'vacate-admin':
        this.#sql.vacateAdmin.run(change.channel.channelKey)
        return undefined
      case 'member':
        return this.#changeMember(change)
      case 'send-message':
        return this.#sendMessage(change.channel, change.command)
      case 'edit-message':
        return this.#editMessage(change.channel, change.message, change.command)
      case 'delete-message':
        this.erase(change.message.position)
        this.#sql.countMessages.run(-1, this.#log.next, change.channel.channelKey)
        return this.#log.write({ kind: 'message-deleted', lane: 1, channel: change.channel, messageId: change.message.messageId })
      case 'add-event':
        return this.#addEvent(change.channel, change.message, change.event)
      case 'take-nonce':
        this.#sql.takeNonce.run(change.nonce, this.#log.at)
        return undefined
    }
  }

  #countChannels (ruleset: string, by: 1 | -1): void {
    this.#sql.count.run(by, 'channels')
    if (ruleset === SYSTEM_CHANNEL) this.#sql.count.run(by, 'system-channels')
  }

  #addEvent (channel: ChannelState, message: MessageState | undefined, input: TimelineEventInput): Written {
    const event = this.#timelineEvent(input, { createdAt: this.#log.at, updatedAt: this.#log.at })
    return this.#log.write({
      kind: message === undefined ? 'channel-timeline' : 'message-timeline',
      lane: 1,
      channel,
      sender: this.#user(input.subject),
      ...(message === undefined ? {} : { messageId: message.messageId, original: { position: message.position, at: this.#log.at } }),
      eventId: event.eventId,
      body: JSON.stringify(event)
    })
  }

  #createChannel (command: CreateChannel, members: Array<{ userId: string, status: RelayStatus, roles: string[] }>): Written {
    const created = this.#log.next
    const audit = { createdAt: this.#log.at, updatedAt: this.#log.at }
    const timelineEvents = command.timelineEvents.map(event => this.#timelineEvent(event, audit))
    this.#recordEvents(command.timelineEvents)
    const { lastInsertRowid } = this.#sql.insertChannel.run(command.channelId, shardOf(command.channelId), command.ruleset,
      command.groupType, command.ruleset === SYSTEM_CHANNEL ? 1 : 0, JSON.stringify(timelineEvents), this.#log.at, this.#log.at, created)
    const channel = { channelKey: Number(lastInsertRowid), channelId: command.channelId, ruleset: command.ruleset }
    this.#countChannels(command.ruleset, 1)
    for (const { userId, status, roles } of members) {
      this.#putMember(channel, userId, { status, held: 'none', admin: roles.includes('admin') }, created, undefined)
    }
    const body = JSON.stringify({
      channelId: command.channelId,
      identifier: command.channelId,
      defaultRuleSet: command.ruleset,
      groupType: command.groupType,
      participation: [],
      systemChannel: command.ruleset === SYSTEM_CHANNEL,
      timelineEvents,
      audit,
      auditInfo: audit
    })
    const written = this.#log.write({ kind: 'channel', lane: 1, channel, body })
    written.entry.members = members.map(({ userId, status }) => ({ userId, receives: statusTable[status].receives }))
    return written
  }

  #changeMember ({ channel, userId, before, after, held }: Extract<Change, { change: 'member' }>): Written {
    const about = this.#user(userId)
    const position = this.#log.next
    if (after !== undefined) {
      this.#putMember(channel, userId, after, position, before)
      return this.#log.write({
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
    this.#count(channel, about.key, before, undefined)
    if (before?.status !== undefined && statusTable[before.status].receives) {
      this.#sql.closeEntitlement.run(position, about.key, channel.channelKey)
    }
    if (held === 'none') this.#sql.deleteParticipation.run(channel.channelKey, about.key)
    else this.#sql.leaveHeld.run(held, this.#log.at, channel.channelKey, about.key)
    return this.#log.write({
      kind: 'participation-deleted', lane: 1, channel, about, body: JSON.stringify({ participantId: { identifier: userId } })
    })
  }

  /** Writes a member's row, its interval of entitlement and the channel's counts. */
  #putMember (channel: CountedChannel, userId: string, after: Omit<MemberState, 'userId'> & { status: RelayStatus }, position: number, before: MemberState | undefined): void {
    const userKey = this.#user(userId).key
    const { channelKey } = channel
    const admin = after.admin ? 1 : 0
    const received = before?.status !== undefined && statusTable[before.status].receives
    const { receives } = statusTable[after.status]
    if (before?.status === undefined) {
      this.#sql.putParticipation.run(channelKey, userKey, randomUUID(), after.status, after.held, admin, this.#log.at, position,
        after.status === 'active' ? position : null, this.#log.at, this.#log.at)
    } else {
      const row = this.#sql.activePosition.get(channelKey, userKey) as { active_position: number | null }
      const activePosition = after.status === 'active' ? row.active_position ?? position : null
      this.#sql.changeParticipation.run(after.status, after.held, admin, activePosition, this.#log.at, channelKey, userKey)
    }
    if (receives && !received) this.#sql.openEntitlement.run(userKey, channelKey, position)
    if (!receives && received) this.#sql.closeEntitlement.run(position, userKey, channelKey)
    this.#count(channel, userKey, before, after)
  }

  #count ({ channelKey, ruleset }: CountedChannel, userKey: number, before: Omit<MemberState, 'userId'> | undefined, after: Omit<MemberState, 'userId'> | undefined): void {
    const counts = (member: typeof before) => ({
      member: member?.status === undefined ? 0 : 1,
      receiving: member?.status !== undefined && statusTable[member.status].receives ? 1 : 0,
      admin: member?.status === 'active' && member.admin ? 1 : 0
    })
    const [was, is] = [counts(before), counts(after)]
    const admins = is.admin - was.admin
    if (is.member !== was.member) this.#sql.countMembership.run(userKey, ruleset, is.member - was.member)
    this.#sql.countMembers.run(is.member - was.member, is.receiving - was.receiving, admins, admins, channelKey)
  }

  #sendMessage (channel: ChannelState, command: SendMessage): Written {
    const audit = { createdAt: this.#log.at, updatedAt: this.#log.at }
    const events = command.timelineEvents
    const sent = { type: 'mitter.mtet.SentTime', eventTimeMs: this.#log.at, subject: command.senderId }
    const timelineEvents = events.some(({ type }) => type === sent.type) ? events : [sent, ...events]
    const body = JSON.stringify({
      messageType: command.messageType,
      payloadType: command.payloadType,
      textPayload: command.textPayload,
      messageData: command.messageData,
      timelineEvents: timelineEvents.map(event => this.#timelineEvent(event, audit)),
      ...(command.entityMetadata === undefined ? {} : { entityMetadata: command.entityMetadata })
    })
    this.#recordEvents(events)
    this.#sql.countMessages.run(1, this.#log.next, channel.channelKey)
    return this.#log.write({ kind: 'message', lane: 0, channel, sender: this.#user(command.senderId), messageId: command.messageId, body })
  }

  /** An edit is an entry of its own with the whole new content; message and edits are a chain, newest first. */
  #editMessage (channel: ChannelState, message: MessageState, command: EditMessage): Written {
    const stored = this.#sql.editOf.get(message.position) as { at: number, body: string, edit_position: number | null }
    const newest = stored.edit_position === null
      ? stored
      : this.#sql.editOf.get(stored.edit_position) as { body: string }
    const content = { ...JSON.parse(newest.body) as object, ...pick(command, 'textPayload', 'messageData') }
    if (stored.edit_position !== null && stored.edit_position <= this.#log.floor) {
      this.#sql.deleteEntry.run(stored.edit_position)
      stored.edit_position = null
    }
    this.#sql.setNewestEdit.run(this.#log.next, message.position)
    return this.#log.write({
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

  /**
   * Takes the content of a message out of its own row and of every edit's. The rows keep their places;
   * those of its timeline go with retention, or now, where retention has passed them already.
   */
  erase (messagePosition: number): void {
    this.#sql.deleteOldEvents.run(messagePosition, this.#log.floor)
    let next: number | null = messagePosition
    while (next !== null) {
      const row = this.#sql.editOf.get(next) as { edit_position: number | null } | undefined
      if (row === undefined) return
      this.#sql.eraseEntry.run(next)
      next = row.edit_position
    }
  }

  /** Events that come with a new channel or message have no rows of their own: their ids are kept apart. */
  #recordEvents (events: TimelineEventInput[]): void {
    for (const { eventId } of events) if (eventId !== undefined) this.#sql.recordEvent.run(eventId)
  }

  #timelineEvent (event: { eventId?: string, type: string, eventTimeMs: number, subject: string }, audit: { createdAt: number, updatedAt: number }) {
    const eventId = event.eventId ?? randomUUID()
    return {
      eventId, identifier: eventId, type: event.type, eventTimeMs: event.eventTimeMs, subject: { identifier: event.subject }, audit, auditInfo: audit
    }
  }

  #user (id: string): { key: number, id: string } {
    return { key: this.#state.user(id)!.user_key, id }
  }
}

function pick<T extends object, K extends keyof T> (from: T, ...keys: K[]): Partial<Pick<T, K>> {
  return Object.fromEntries(keys.filter(key => from[key] !== undefined).map(key => [key, from[key]])) as Partial<Pick<T, K>>
}
