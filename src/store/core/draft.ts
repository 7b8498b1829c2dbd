/**
 * The state that a command is decided on: what the store has loaded, what earlier commands of the batch
 * have changed, and what the command itself has, in layers. A refused command's layer is thrown away.
 */
import { randomInt } from 'node:crypto'
import type { AccessLists } from '../../rules/access.ts'
import type { Ruleset } from '../../rules/relay.ts'
import { refuse } from '../../errors.ts'
import type { Entry, Position } from '../contract/log.ts'
import type { Changes } from './changes.ts'
import { Intervals } from './intervals.ts'
import type { AudienceRecord, ChannelRecord, EntryRecord, EntryView, IntervalRecord, Lane, LogState, MemberRecord, MessageRecord, Remains, Total, UserRecord } from './records.ts'
import type { PageBounds } from './read/queries.ts'
import { entryOf } from './render/entry.ts'
import { STEP, type Source, type TableName, type Tables } from './source.ts'

/** An entry in the making: what the log adds is its place. */
export type EntryDraft = Omit<EntryRecord, 'position' | 'tag' | 'at' | 'channelKey'>

/** Tags are below this; the chance that a restored store's new history wears the same tag is one in two thousand million. */
const TAG_MAX = 2 ** 31

/** A layer of state over what is below it. */
export class Draft {
  /** What is left of the step that a batch may take of something long. */
  readonly step: PageBounds
  readonly #below: Source
  readonly #log: LogState
  #rows: Changes['rows'] = {}
  /** User keys of the members that were changed here, by channel key. */
  #membersOf: Map<number, Set<number>> | undefined
  readonly #intervals = new Intervals()
  #memberships: Changes['memberships'] | undefined
  #totals: Changes['totals'] | undefined
  #views: EntryView[] = []
  #entries: Entry[] = []
  #channelLists: Changes['channelLists'] = []
  #messageLists: Changes['messageLists'] = []
  #relisted: Changes['relisted'] | undefined
  #audiences: Changes['audiences'] = []
  #newestEdits: Changes['newestEdits'] | undefined
  #contents: Map<Position, string> | undefined
  #erased: Set<Position> | undefined
  #emptied: Position[] = []
  #removed: Position[] = []
  #forgottenLists: Position[] = []
  #endedIntervals: Changes['endedIntervals']
  #forgottenMembers: Changes['forgottenMembers'] = []
  #forgottenChannels: number[] = []
  #forgottenListsOf: Changes['forgottenListsOf'] = []

  constructor (below: Source, log: LogState) {
    this.#below = below
    this.step = below instanceof Draft ? below.step : { ...STEP }
    this.#log = { ...log }
  }

  /** The time of the batch, in milliseconds since the epoch. Nothing is ordered by it. */
  get at (): number {
    return this.#log.at
  }

  get log (): Readonly<LogState> {
    return this.#log
  }

  /** The position that the next entry will have. */
  get next (): Position {
    return this.#log.position + 1
  }

  get<T extends TableName> (table: T, key: string): Tables[T] | undefined {
    const own = this.#rows[table]?.get(key)
    if (own !== undefined) return (own ?? undefined) as Tables[T] | undefined
    return this.#below.get(table, key)
  }

  /** `null`: the row goes. */
  put<T extends TableName> (table: T, key: string, record: Tables[T] | null): void {
    const rows = (this.#rows[table] ??= new Map() as never) as Map<string, Tables[T] | null>
    rows.set(key, record)
  }

  user (userId: string): UserRecord | undefined {
    return this.get('user', userId)
  }

  /** A user that has not been deleted. The application is none. */
  livingUser (userId: string): UserRecord | undefined {
    const user = this.user(userId)
    return user === undefined || user.deletedAt !== undefined || user.userKey === 0 ? undefined : user
  }

  /** As `livingUser`. Throws `userNotFound`. */
  existingUser (userId: string): UserRecord {
    const user = this.livingUser(userId)
    if (user === undefined) throw refuse('userNotFound', userId)
    return user
  }

  /** Throws `channelNotFound`. */
  channel (channelId: string): ChannelRecord {
    const living = this.get('living', channelId)
    const channel = living && this.get('channel', String(living.channelKey))
    if (channel === undefined) throw refuse('channelNotFound', channelId)
    return channel
  }

  /** The channel as it is after what this command has changed of it. */
  channelByKey (channelKey: number): ChannelRecord {
    return this.get('channel', String(channelKey))!
  }

  changeChannel (channelKey: number, change: Partial<ChannelRecord>): void {
    this.put('channel', String(channelKey), { ...this.channelByKey(channelKey), ...change })
  }

  /** A row of the channel's: a member's, or of one who left and is held. */
  member (channelKey: number, userKey: number): MemberRecord | undefined {
    return this.get('member', `${channelKey} ${userKey}`)
  }

  putMember (member: MemberRecord): void {
    this.put('member', `${member.channelKey} ${member.userKey}`, member)
    this.#noteMember(member.channelKey, member.userKey)
  }

  deleteMember (channelKey: number, userKey: number): void {
    this.put('member', `${channelKey} ${userKey}`, null)
    this.#noteMember(channelKey, userKey)
  }

  #noteMember (channelKey: number, userKey: number): void {
    const membersOf = (this.#membersOf ??= new Map<number, Set<number>>())
    const members = membersOf.get(channelKey)
    if (members === undefined) membersOf.set(channelKey, new Set([userKey]))
    else members.add(userKey)
  }

  /** The active members who have been so longest, with what was changed above the store. */
  longestActive (channelKey: number, limit: number): MemberRecord[] {
    const changed = this.#membersOf?.get(channelKey) ?? new Set<number>()
    const stored = this.#below.longestActive(channelKey, limit + changed.size).filter(({ userKey }) => !changed.has(userKey))
    const active = [...changed].map(userKey => this.member(channelKey, userKey)).filter(member => member?.activePosition !== undefined) as MemberRecord[]
    return [...stored, ...active]
      .sort((one, other) => one.activePosition! - other.activePosition! || one.userKey - other.userKey)
      .slice(0, limit)
  }

  /** Ends the interval that is in force, as of the next entry. */
  closeInterval (userKey: number, channelKey: number): void {
    this.#intervals.close(userKey, channelKey, this.next)
  }

  /** Begins an interval, as of the next entry. */
  openInterval (userKey: number, channelKey: number, { status, admin }: Pick<IntervalRecord, 'status' | 'admin'>): void {
    this.#intervals.open({ userKey, channelKey, fromPosition: this.next, status, admin })
  }

  countMembership (userKey: number, ruleset: Ruleset, by: number): void {
    const memberships = (this.#memberships ??= new Map())
    const key = `${userKey} ${ruleset}`
    memberships.set(key, { userKey, ruleset, by: (memberships.get(key)?.by ?? 0) + by })
  }

  count (total: Total, by: number): void {
    const totals = (this.#totals ??= new Map())
    totals.set(total, (totals.get(total) ?? 0) + by)
  }

  nextUserKey (): number {
    return ++this.#log.lastUserKey
  }

  nextChannelKey (): number {
    return ++this.#log.lastChannelKey
  }

  raiseFloor (floor: LogState['floor']): void {
    this.#log.floor = floor
  }

  removedUpTo (position: Position): void {
    this.#log.removedPosition = position
  }

  /** Writes the next entry of the log. Of a channel, its row notes it. */
  write (draft: EntryDraft, about: Pick<EntryView, 'sender' | 'about' | 'message' | 'lists'> & { channel?: ChannelRecord, gone?: string[] } = {}): EntryView {
    const position = ++this.#log.position
    const { channel, gone = [], ...rest } = about
    this.#log.tag = randomInt(TAG_MAX)
    const record: EntryRecord = {
      position, tag: this.#log.tag, at: this.at, ...draft, ...(channel === undefined ? {} : { channelKey: channel.channelKey })
    }
    if (channel !== undefined) this.changeChannel(channel.channelKey, { lastPosition: position })
    const channelLists = channel?.acls === undefined ? {} : { channelLists: channel.acls }
    const view: EntryView = { record, gone, ...rest, ...channelLists, ...(channel === undefined ? {} : { channel }) }
    this.#views.push(view)
    this.#entries.push(entryOf(view, this.#log.epoch))
    return view
  }

  /** Remembers a message that this batch has sent, or whose content it has changed. */
  putMessage (message: MessageRecord, content: string): void {
    this.put('message', message.messageId, message)
    this.#contentsOf().set(message.position, content)
    if (message.editPosition !== undefined) (this.#newestEdits ??= new Map()).set(message.position, message.editPosition)
  }

  /** Gives a channel other lists, from its newest entry on. */
  listChannel (channelKey: number, acls: AccessLists | undefined): void {
    const { acls: before, ...channel } = this.channelByKey(channelKey)
    this.put('channel', String(channelKey), { ...channel, aclsPosition: this.#log.position, ...(acls === undefined ? {} : { acls }) })
    this.#channelLists.push({ channelKey, position: this.#log.position, lists: acls })
  }

  /** Notes from when on a message has lists. */
  noteMessageLists (message: Position, position: Position, lists: AccessLists | undefined): void {
    this.#messageLists.push({ message, position, lists })
  }

  /** Of a message with other lists: its row. */
  relist ({ position, acls, aclsPosition }: MessageRecord, lane: Lane): void {
    const listing = { lane, ...(acls === undefined ? {} : { acls }), ...(aclsPosition === undefined ? {} : { aclsPosition }) }
    ;(this.#relisted ??= new Map()).set(position, listing)
  }

  address (rows: AudienceRecord[]): void {
    this.#audiences.push(...rows)
  }

  unaddress (rows: AudienceRecord[]): void {
    this.#audiences.push(...rows.map(row => ({ ...row, gone: true as const })))
  }

  forgetLists (changes: Position[]): void {
    this.#forgottenLists.push(...changes)
  }

  #contentsOf (): Map<Position, string> {
    return (this.#contents ??= new Map())
  }

  content (message: MessageRecord): string | undefined {
    if (this.#erased?.has(message.position) === true) return undefined
    return this.#contents?.get(message.position) ?? this.#below.content(message)
  }

  /** Takes away the content of a message. That of its edits is told of no more; what is not taken away beside it (`empty`) goes later (chores.ts). */
  erase (position: Position): void {
    (this.#erased ??= new Set()).add(position)
  }

  remains (message: Position, floor: Position, left: PageBounds): Remains {
    const remains = this.#below.remains(message, floor, left)
    return this.#newestEdits?.has(message) === true ? { ...remains, more: true } : remains
  }

  /** Takes away what is left of entries that nothing is told of any more. */
  empty (positions: Position[]): void {
    this.#emptied.push(...positions)
  }

  /** An entry as it is told of now. */
  view (position: Position): EntryView | undefined {
    const view = this.#views.find(({ record }) => record.position === position) ?? this.#below.view(position)
    if (view === undefined || this.#erased?.has(view.record.messagePosition ?? position) !== true) return view
    const { body, ...record } = view.record
    return { ...view, record }
  }

  remove (positions: Position[]): void {
    this.#removed.push(...positions)
  }

  removeIntervals (upTo: Position, limit: number): void {
    this.#endedIntervals = { upTo, limit }
  }

  forgetMembers (channelKey: number, userKeys: number[]): void {
    this.#forgottenMembers.push(...userKeys.map(userKey => ({ channelKey, userKey })))
  }

  /** Takes away what is kept of a channel's lists beside its row, so many rows of each kind. */
  forgetListsOf (channelKey: number, limit: number): void {
    this.#forgottenListsOf.push({ channelKey, limit })
  }

  forgetChannel (channelKey: number): void {
    this.#forgottenChannels.push(channelKey)
  }

  /** Takes over what a command's layer has changed; the layer must have been laid over this one. */
  absorb (layer: Draft): void {
    for (const [table, rows] of Object.entries(layer.#rows) as Array<[TableName, Map<string, never>]>) {
      const own = this.#rows[table] as Map<string, never> | undefined
      if (own === undefined) this.#rows[table] = rows as never
      else for (const [key, row] of rows) own.set(key, row)
    }
    for (const [channelKey, members] of layer.#membersOf ?? []) for (const userKey of members) this.#noteMember(channelKey, userKey)
    this.#intervals.absorb(layer.#intervals)
    for (const { userKey, ruleset, by } of layer.#memberships?.values() ?? []) this.countMembership(userKey, ruleset, by)
    for (const [total, by] of layer.#totals ?? []) this.count(total, by)
    this.#views.push(...layer.#views)
    this.#entries.push(...layer.#entries)
    this.#channelLists.push(...layer.#channelLists)
    this.#messageLists.push(...layer.#messageLists)
    for (const [position, listing] of layer.#relisted ?? []) (this.#relisted ??= new Map()).set(position, listing)
    this.#audiences.push(...layer.#audiences)
    for (const [position, edit] of layer.#newestEdits ?? []) (this.#newestEdits ??= new Map()).set(position, edit)
    for (const [position, content] of layer.#contents ?? []) this.#contentsOf().set(position, content)
    for (const position of layer.#erased ?? []) this.erase(position)
    this.#emptied.push(...layer.#emptied)
    this.#removed.push(...layer.#removed)
    this.#forgottenLists.push(...layer.#forgottenLists)
    this.#endedIntervals = layer.#endedIntervals ?? this.#endedIntervals
    this.#forgottenMembers.push(...layer.#forgottenMembers)
    this.#forgottenChannels.push(...layer.#forgottenChannels)
    this.#forgottenListsOf.push(...layer.#forgottenListsOf)
    Object.assign(this.#log, layer.#log)
  }

  /** The entries of the log that were written, as the hub takes them. */
  entries (): Entry[] {
    return this.#entries
  }

  changes (): Changes {
    return {
      rows: this.#rows,
      closed: this.#intervals.closed,
      opened: this.#intervals.opened,
      memberships: this.#memberships ?? new Map(),
      totals: this.#totals ?? new Map(),
      entries: this.#views.map(({ record }) => record),
      channelLists: this.#channelLists,
      messageLists: this.#messageLists,
      relisted: this.#relisted ?? new Map(),
      audiences: this.#audiences,
      newestEdits: this.#newestEdits ?? new Map(),
      erased: [...this.#erased ?? []],
      emptied: this.#emptied,
      removed: this.#removed,
      forgottenLists: this.#forgottenLists,
      ...(this.#endedIntervals === undefined ? {} : { endedIntervals: this.#endedIntervals }),
      forgottenMembers: this.#forgottenMembers,
      forgottenChannels: this.#forgottenChannels,
      forgottenListsOf: this.#forgottenListsOf
    }
  }
}
